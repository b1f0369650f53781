/**
 * Time and chance as arguments. The composition roots make one `Clock` from the real ones; tests make one that
 * jumps, so that an outage of hours runs in milliseconds.
 * @module
 */
import { delay } from "@std/async/delay";

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

/** Real waiting, for the roots' clock. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, signal === undefined ? {} : { signal });
  } catch {
    // Aborted: whoever waits wants to go on now.
  }
}
