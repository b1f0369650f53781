/**
 * How long a lane waits after a failure. Pure: failures in a row and a random number in, milliseconds out
 * (otlp 4.3, 4.4; design 8).
 * @module
 */
import type { BackoffConfig, RetryConfig, RetryRound } from "./lane_config.ts";

/** Never an immediate retry. */
const DELAY_MIN_MS = 100;
/** Waits of a lane that is told nothing else. */
export const BACKOFF: BackoffConfig = { initialMs: 1_000, maxMs: 60_000, multiplier: 2 };
/** Past this many steps the cap holds; it also keeps the power finite. */
const STEPS_MAX = 100;

/** The round of profile heka when nothing else is configured. */
const ROUND: RetryRound = {
  attemptsMax: 5,
  initialBackoffMs: 1_000,
  maxBackoffMs: 5_000,
  retryAfterDefaultMs: 5_000,
};

/** The parts of a `RetryConfig` that decide waits. */
export type Waits = Pick<RetryConfig, "profile" | "round" | "backoff" | "breaker">;

/** The round of attempts, in a profile that has one. */
export function roundOf({ profile, round }: Waits): RetryRound | undefined {
  return profile === "heka" ? round ?? ROUND : undefined;
}

const HOLD_FIRST_MS = 30_000;
const HOLD_MAX_MS = 15 * 60_000;

/**
 * Wait after the `failures`-th failure in a row (from 1). Profile otlp: full jitter, 0.1 s up to 1, 2, 4 … 60 s, or
 * as configured.
 * Profile heka: 1, 2, 4, 5 s exactly, or as configured, inside a round of attempts, then as otlp.
 */
export function backoffMs(failures: number, waits: Waits, random: () => number): number {
  const steps = Math.min(failures - 1, STEPS_MAX);
  const round = roundOf(waits);
  if (round !== undefined && failures < round.attemptsMax) {
    return Math.min(round.maxBackoffMs, round.initialBackoffMs * 2 ** steps);
  }
  const { initialMs, maxMs, multiplier } = waits.backoff ?? BACKOFF;
  const ceiling = Math.max(DELAY_MIN_MS, Math.min(maxMs, initialMs * multiplier ** steps));
  return DELAY_MIN_MS + random() * (ceiling - DELAY_MIN_MS);
}

/** Wait before the next probe of a destination that is itself at fault (class C): 30 s doubling to 15 min. */
export function holdMs(probes: number, random: () => number): number {
  const ceiling = Math.min(HOLD_MAX_MS, HOLD_FIRST_MS * 2 ** Math.min(probes - 1, STEPS_MAX));
  // Half fixed, half random: never sooner than 15 s, and a fleet with one expired key does not probe in step.
  return Math.max(HOLD_FIRST_MS / 2, ceiling * (0.5 + random() / 2));
}
