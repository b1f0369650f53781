/**
 * The crank: calls a cycle at once and then at start + n · interval on the monotonic clock. It corrects itself,
 * so that it never drifts; a late cycle (suspend, SIGSTOP) is one cycle, never a burst (otlp M23).
 * @module
 */
import type { Clock } from "../exporters/clock.ts";

/** The part of the clock a schedule needs; tests turn the crank themselves. */
export type Ticker = Pick<Clock, "mono" | "sleep">;

/** What is done each turn. */
export interface Turn {
  /** Milliseconds from start to start; asked for before each turn, so that it can change live. */
  intervalMs(): number;
  /** Shortly before a cycle: start slow work so that its figures are fresh. */
  prepare(): void;
  /** False when no such work falls due within so many milliseconds; absent: it always does. */
  isPreparing?(withinMs: number): boolean;
  cycle(): void | Promise<void>;
  readonly signal: AbortSignal;
  /** Aborts when the interval may have changed, or with `signal`; a new interval counts at once. */
  wake?(): AbortSignal;
}

/** Slow work starts this long before the cycle that wants its figures, at most half an interval. */
const LEAD_MS = 1000;

/** The next due time strictly after `now` on the grid that starts at `base`. */
export function nextDue(base: number, intervalMs: number, now: number): number {
  return base + (Math.floor((now - base) / intervalMs) + 1) * intervalMs;
}

/** Turns until the signal aborts. */
export async function crank(turn: Turn, ticker: Ticker): Promise<void> {
  let interval = turn.intervalMs();
  let base = ticker.mono();
  while (!turn.signal.aborted) {
    await turn.cycle();
    const turnedMs = ticker.mono();
    let due: number;
    let lead: number;
    do {
      const wanted = turn.intervalMs();
      if (wanted !== interval) {
        interval = wanted;
        base = turnedMs;
      }
      due = nextDue(base, interval, ticker.mono());
      const isPreparing = turn.isPreparing?.(due - ticker.mono()) ?? true;
      lead = isPreparing ? Math.min(LEAD_MS, interval / 2) : 0;
      await ticker.sleep(due - lead - ticker.mono(), turn.wake?.() ?? turn.signal);
      if (turn.signal.aborted) return;
    } while (turn.intervalMs() !== interval);
    if (lead > 0) turn.prepare();
    // Something else may have woken it early.
    const restMs = due - ticker.mono();
    if (restMs > 0) await ticker.sleep(restMs, turn.signal);
  }
}
