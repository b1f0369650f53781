/**
 * How long a lane waits after a failure. Pure: failures in a row and a random number in, milliseconds out
 * (otlp 4.3, 4.4; design 8).
 * @module
 */
import type { RetryConfig } from "./lane_config.ts";

const DELAY_MIN_MS = 100;
const FIRST_MS = 1_000;
const DELAY_MAX_MS = 60_000;
/** Past this many doublings the cap holds; it also keeps 2^n finite. */
const DOUBLINGS_MAX = 10;

const HEKA_FIRST_MS = 1_000;
const HEKA_MAX_MS = 5_000;
/** Attempts of one round in profile heka. */
export const HEKA_ATTEMPTS = 5;

const HOLD_FIRST_MS = 30_000;
const HOLD_MAX_MS = 15 * 60_000;

/**
 * Wait after the `failures`-th failure in a row (from 1). Profile otlp: full jitter, 0.1 s up to 1, 2, 4 … 60 s.
 * Profile heka: 1, 2, 4, 5 s exactly inside a round of five attempts, then as otlp.
 */
export function backoffMs(failures: number, profile: RetryConfig["profile"], random: () => number): number {
  const doublings = Math.min(failures - 1, DOUBLINGS_MAX);
  if (profile === "heka" && failures < HEKA_ATTEMPTS) {
    return Math.min(HEKA_MAX_MS, HEKA_FIRST_MS * 2 ** doublings);
  }
  const ceiling = Math.min(DELAY_MAX_MS, FIRST_MS * 2 ** doublings);
  return DELAY_MIN_MS + random() * (ceiling - DELAY_MIN_MS);
}

/** Wait before the next probe of a destination that is itself at fault (class C): 30 s doubling to 15 min. */
export function holdMs(probes: number, random: () => number): number {
  const ceiling = Math.min(HOLD_MAX_MS, HOLD_FIRST_MS * 2 ** Math.min(probes - 1, DOUBLINGS_MAX));
  // Half fixed, half random: never sooner than 15 s, and a fleet with one expired key does not probe in step.
  return Math.max(HOLD_FIRST_MS / 2, ceiling * (0.5 + random() / 2));
}
