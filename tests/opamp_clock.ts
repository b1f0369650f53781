/**
 * Time that jumps: sleepers are woken in order, and between two of them everything that can happen happens. Hours
 * of protocol pass in milliseconds.
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock } from "../exporters/clock.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** One turn of the event loop, sockets included. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets everything happen that needs no time. */
export async function settle(turns = 3): Promise<void> {
  for (let left = turns; left > 0; left--) await turn();
}

/** Waits, in real time, for something that real sockets or streams bring about. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let left = 4_000; left > 0; left--) {
    if (condition()) return;
    await turn();
  }
  throw new Error(`Cannot go on: ${what} did not happen`);
}

/** A clock that stands still until it is told to move. `random` is a fixed sequence. */
export class VirtualClock implements Clock {
  #now = 0;
  #sleepers: Sleeper[] = [];
  #seed: number;

  constructor(seed = 1) {
    this.#seed = seed;
  }

  readonly mono = (): number => this.#now;
  readonly wall = (): number => Date.UTC(2026, 10, 1) + this.#now;
  readonly random = (): number => {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return this.#seed / 2 ** 31;
  };

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { at: this.#now + Math.max(0, ms), wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
        resolve();
      }, { once: true });
    });
  };

  /** How many wait; a leak shows here. */
  get waiting(): number {
    return this.#sleepers.length;
  }

  /** Moves on by `ms`, waking sleepers one after the other. */
  async advance(ms: number, turns = 3): Promise<void> {
    const end = this.#now + ms;
    await settle(turns);
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await settle(turns);
    }
    this.#now = end;
  }

  #next(end: number): Sleeper | undefined {
    const [first] = this.#sleepers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
    this.#sleepers = this.#sleepers.filter((each) => each !== first);
    return first;
  }
}
