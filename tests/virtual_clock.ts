/**
 * A clock that jumps from one waiting timer to the next, so that hours of outage run in milliseconds. It moves only
 * when everything else has come to rest.
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock } from "../exporters/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** A small deterministic generator (mulberry32): the same start value, the same run. */
export function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class VirtualClock implements Clock {
  /** Added to the wall clock only: a step in either direction. */
  wallStepMs = 0;
  readonly random: () => number;
  readonly #originMs = Date.UTC(2026, 10, 21);
  #nowMs = 0;
  /** By time, then by age. */
  readonly #timers: Timer[] = [];

  constructor(random: () => number = randomFrom(1)) {
    this.random = random;
  }

  readonly mono = (): number => this.#nowMs;

  readonly wall = (): number => this.#originMs + this.#nowMs + this.wallStepMs;

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = { atMs: this.#nowMs + ms, fire: () => done() };
      const done = () => {
        this.#timers.splice(this.#timers.indexOf(timer), 1);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      this.#timers.splice(this.#indexAfter(timer.atMs), 0, timer);
      signal?.addEventListener("abort", done);
    });
  };

  /** Runs `action` at a time from the clock's start. */
  at(ms: number, action: () => void): void {
    this.sleep(ms - this.#nowMs).then(action);
  }

  /** Time passes and no timer fires: the process was stopped. What fell due fires late, on the next run. */
  skip(ms: number): void {
    this.#nowMs += ms;
  }

  /** Moves to `untilMs`, firing every timer on the way, each after `isAtRest` has become true. */
  async runTo(untilMs: number, isAtRest: () => boolean): Promise<void> {
    while (true) {
      await settle(isAtRest);
      const [next] = this.#timers;
      if (next === undefined || next.atMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
    this.#nowMs = untilMs;
  }

  #indexAfter(atMs: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#timers[middle]?.atMs ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Turns of the event loop that a wait may take: real disk I/O ends within few, so many mean a fault. */
const TURNS_MAX = 200_000;

async function settle(isAtRest: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (isAtRest()) return;
  }
  throw new Error("Cannot advance the clock: the lanes do not come to rest");
}
