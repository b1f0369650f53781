/**
 * How fast offers may be worked off: a handful at once, then one now and then. A server that pushes a new
 * configuration every moment costs neither the disk nor the pipeline more than that; the latest is never lost.
 * @module
 */
import type { Clock } from "../exporters/clock.ts";

const BURST = 10;
const REFILL_MS = 10_000;

export class Pace {
  readonly #clock: Clock;
  #tokens = BURST;
  #at: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.mono();
  }

  /** Resolves when it is the next one's turn, or the signal cuts the wait short. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.#clock.mono();
    this.#tokens = Math.min(BURST, this.#tokens + (now - this.#at) / REFILL_MS);
    this.#at = now;
    if (this.#tokens < 1) await this.#clock.sleep((1 - this.#tokens) * REFILL_MS, signal);
    // What is cut short was not worked off.
    if (!signal.aborted) this.#tokens--;
  }
}
