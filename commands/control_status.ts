/**
 * What a running agent answers about itself on the control socket: `status`, `tap`, `reload` (design 2).
 * @module
 */
import { type Signal, SIGNALS } from "../exporters/batch.ts";
import type { ControlRequest } from "./control.ts";
import type { Taps } from "./control_tap.ts";
import type { Change } from "./live.ts";
import type { Vitals } from "./vitals.ts";

/** The living parts behind the answers. */
export interface StatusParts {
  readonly vitals: Vitals;
  /** Absent when nothing is delivered. */
  readonly taps: Taps | undefined;
  readonly reload: () => Promise<Change>;
}

function signalOf({ signal }: ControlRequest): Signal | undefined {
  if (signal === undefined) return undefined;
  const known = SIGNALS.find((name) => name === signal);
  if (known === undefined) {
    throw new RangeError(`Cannot tap "${String(signal)}": expected ${SIGNALS.join(", ")}`);
  }
  return known;
}

/** Answers, or undefined when the verb is none of these. Throws for what cannot be done. */
export function answerStatus(request: ControlRequest, { vitals, taps, reload }: StatusParts): unknown {
  const { verb, id, end } = request;
  if (verb === "status") return vitals.fresh();
  if (verb === "reload") return reload();
  if (verb !== "tap") return undefined;
  if (taps === undefined) throw new RangeError("Cannot tap: this agent has no destination");
  if (end === true) return typeof id === "number" ? taps.end(id) : {};
  return taps.ask(typeof id === "number" ? id : undefined, signalOf(request));
}
