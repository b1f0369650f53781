/**
 * Sleep between two cycles: the uptime goes on in suspend, the monotonic clock and the tick counters do not, so a
 * share of the time between would be wrong (host-metrics P27).
 * @module
 */
import type { Cycle } from "./collector.ts";

/** A suspend of more than this makes shares of the time between meaningless. */
const SUSPEND_SECONDS = 2;

/** True when the machine slept between two cycles. */
export function slept(last: Cycle | undefined, now: Cycle): boolean {
  if (last?.uptime === undefined || now.uptime === undefined) return false;
  return now.uptime - last.uptime - (now.monotonicMs - last.monotonicMs) / 1000 > SUSPEND_SECONDS;
}
