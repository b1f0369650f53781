/**
 * The one timer of an OpAMP client: rings when the engine wants to be woken, and forgets the time before.
 * @module
 */
import type { Clock } from "../exporters/clock.ts";

export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #set: { readonly at: number; readonly cancel: AbortController } | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings once at this time of the monotonic clock; Infinity: not at all. */
  set(at: number): void {
    if (this.#set?.at === at) return;
    this.#set?.cancel.abort();
    this.#set = undefined;
    if (at === Infinity) return;
    const cancel = new AbortController();
    this.#set = { at, cancel };
    this.#clock.sleep(Math.max(0, at - this.#clock.mono()), cancel.signal).then(() => {
      if (cancel.signal.aborted) return;
      this.#set = undefined;
      this.#ring();
    });
  }
}
