/**
 * The running agent's side of a hand-over: batches of one-shot verbs go to the courier like any other, and spool orders
 * are carried out by the one process that may write the spool (design 2).
 * @module
 */
import { laneKey } from "../exporters/batch.ts";
import { batchFromJson } from "../exporters/batch_json.ts";
import { sleep } from "../exporters/clock.ts";
import type { CourierLink } from "../exporters/courier_link.ts";
import type { DeliveryReport } from "../exporters/report.ts";
import type { ControlRequest } from "./control.ts";
import { reportSince } from "./report_difference.ts";

/** Longest wait a caller may ask for. */
const WAIT_MS_MAX = 600_000;
/** Batches of one request. */
const BATCHES_MAX = 64;
/** Between two attempts of a drain that a dead backend holds up. */
const DRAIN_PAUSE_MS = 1_000;

export interface IntakeParts {
  readonly link: Pick<CourierLink, "send" | "flush" | "order" | "report">;
  /** `laneKey` of every lane. */
  readonly lanes: ReadonlySet<string>;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
}

/** What becomes of spooled data: the account of the time it took, or why nothing was done. */
export interface Drained {
  readonly report: DeliveryReport;
  /** Batches taken over from another endpoint. */
  readonly adopted?: number;
}

function milliseconds(request: ControlRequest, name: string): number {
  const value = request[name];
  if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new TypeError(`Cannot serve "${request.verb}": ${name} is no number of milliseconds`);
}

export class Intake {
  readonly #parts: IntakeParts;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** Takes batches and, when asked to wait, tries to deliver them first. `waitMs` 0: the agent sees to it later. */
  async submit(request: ControlRequest): Promise<DeliveryReport> {
    const { link, lanes, now } = this.#parts;
    const waitMs = Math.min(milliseconds(request, "waitMs"), WAIT_MS_MAX);
    const given: unknown = request["batches"];
    if (!Array.isArray(given) || given.length > BATCHES_MAX) {
      throw new TypeError(`Cannot serve "submit": batches are no list of at most ${BATCHES_MAX}`);
    }
    const batches = given.map(batchFromJson);
    const handedIn = new Map<string, number>();
    for (const header of batches.flatMap(({ headers }) => headers)) {
      const lane = laneKey(header);
      if (!lanes.has(lane)) throw new RangeError(`Cannot serve "submit": ${lane} is not configured here`);
      handedIn.set(lane, (handedIn.get(lane) ?? 0) + header.items);
    }
    if (waitMs === 0) {
      for (const batch of batches) link.send(batch);
      return { lanes: [] };
    }
    const timeMs = now();
    const before = await this.#reportNow();
    for (const batch of batches) link.send(batch);
    const after = await link.flush({ deadlineMs: waitMs, final: false });
    return reportSince(after, before, { timeMs, handedIn });
  }

  /** Delivers what is spooled until nothing is left or the time is over. */
  async drain(request: ControlRequest): Promise<Drained> {
    const { link, now } = this.#parts;
    const maxMs = Math.min(milliseconds(request, "maxMs"), WAIT_MS_MAX);
    const timeMs = now();
    const before = await this.#reportNow();
    const adopted = await this.#adopt(request);
    const untilMs = timeMs + maxMs;
    for (;;) {
      const after = await link.flush({ deadlineMs: Math.max(0, untilMs - now()), final: false });
      const isEmpty = after.lanes.every(({ queued }) => queued === 0);
      if (isEmpty || now() + DRAIN_PAUSE_MS >= untilMs) {
        const report = reportSince(after, before, { timeMs });
        return adopted === undefined ? { report } : { report, adopted };
      }
      await sleep(DRAIN_PAUSE_MS);
    }
  }

  /** Forgets queued batches that ended longer ago than this. */
  async drop(request: ControlRequest): Promise<{ readonly batches: number }> {
    const cutoffMs = this.#parts.now() - milliseconds(request, "olderMs");
    const { batches, fault } = await this.#parts.link.order({ verb: "drop", cutoffMs });
    if (fault !== undefined) throw new Error(fault);
    return { batches };
  }

  async #adopt(request: ControlRequest): Promise<number | undefined> {
    const { adopt: hash, destination } = request;
    if (typeof hash !== "string" || typeof destination !== "string") return undefined;
    const { batches, fault } = await this.#parts.link.order({ verb: "adopt", hash, destination });
    if (fault !== undefined) throw new RangeError(fault);
    return batches;
  }

  /** How things stand; what lies in the inbox is claimed on the way. */
  async #reportNow(): Promise<DeliveryReport> {
    await this.#parts.link.order({ verb: "claim" });
    return this.#parts.link.report;
  }
}
