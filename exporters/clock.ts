/**
 * Time and chance as arguments. The composition roots make one `Clock` from the real ones; tests make one that
 * jumps, so that an outage of hours runs in milliseconds.
 * @module
 */

/** Everything delivery may know of time and chance. */
export interface Clock {
  /** Milliseconds since 1970; may step in either direction. */
  readonly wall: () => number;
  /** Milliseconds of a clock that never steps; deadlines and waits are measured on it. */
  readonly mono: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Milliseconds in nanoseconds, right to the microsecond: a double holds no more of a time since 1970. */
export function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1_000)) * 1_000n;
}

/** Why a wait is cut short that is merely over; without a reason the runtime makes an error, with a stack, each time. */
export const OVER = "over";

/** The longest that the runtime's timers hold; what asks for more looks again then. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Real waiting for a process that waits a few times and ends: the first plain timer of an isolate brings the runtime's
 * Node layer along, 5 ms of its start; a signal's does not. One that is cut short stays behind until its time comes.
 */
export function sleepBriefly(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const over = AbortSignal.timeout(Math.min(Math.max(0, Math.round(ms)), TIMER_MS_MAX));
    const end = () => {
      over.removeEventListener("abort", end);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    over.addEventListener("abort", end);
    signal?.addEventListener("abort", end);
  });
}

/**
 * Real waiting, for the roots' clock. Plain timers, since every process waits somewhere and a package for it would bring
 * the runtime's Node layer along: 5 ms of each start, in the worker once more.
 */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(ms, TIMER_MS_MAX));
    signal?.addEventListener("abort", end, { once: true });
  });
}
