/**
 * Whether a new configuration does well (opamp 3.5): it has its time, at least one good cycle, and delivery must not
 * be worse than before. A backend that was down already is no fault of the configuration.
 * @module
 */
import type { Clock } from "../exporters/clock.ts";
import type { Observation } from "./remote_target.ts";

/** A fault is noticed this soon. */
const LOOK_MS = 1_000;
/** Beside two intervals, for a first cycle that must wait for its turn. */
const CYCLE_GRACE_MS = 5_000;

/** What is watched, and against what. */
export interface Probation {
  readonly observe: () => Observation;
  readonly clock: Clock;
  readonly probationMs: number;
  /** Just before the swap. */
  readonly before: Observation;
  readonly signal: AbortSignal;
}

/** Resolves with why the configuration failed, or undefined when it did well, or the signal cut it short. */
export async function passProbation({ observe, clock, probationMs, before, signal }: Probation): Promise<
  string | undefined
> {
  const start = clock.mono();
  const first = observe();
  const patience = Math.max(probationMs, 2 * first.intervalMs + CYCLE_GRACE_MS);
  while (!signal.aborted) {
    const now = observe();
    const elapsed = clock.mono() - start;
    if (now.fault !== undefined) return now.fault;
    const hasCycled = now.cycles > first.cycles;
    if (elapsed >= probationMs && hasCycled) {
      return now.isExportFailing && !before.isExportFailing ? "delivery fails since the change" : undefined;
    }
    if (elapsed >= patience) return `no good cycle in ${Math.round(patience / 1000)} s`;
    const due = elapsed < probationMs ? probationMs : patience;
    await clock.sleep(Math.min(LOOK_MS, due - elapsed), signal);
  }
  return undefined;
}
