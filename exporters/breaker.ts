/**
 * The circuit breaker of a lane, whose delay is the backoff: nothing is thrown at producers, the lane just waits.
 * Five class A failures in a row or one class C open it; half open, exactly one request is on its way, because a
 * lane never has more (otlp 4.3).
 * @module
 */
import { backoffMs, holdMs, type Waits } from "./backoff.ts";

/** Failures in a row that open a breaker which is told nothing else. */
export const OPEN_AFTER = 5;
/** Batches refused one after another until the destination itself is suspected (class B treated as C). */
const REFUSALS_MAX = 20;

export type BreakerState = "closed" | "open" | "half_open";

export class Breaker {
  readonly #waits: Waits;
  readonly #openAfter: number;
  readonly #random: () => number;
  #failures = 0;
  #holds = 0;
  #refusals = 0;
  #nextMs = 0;
  #probing = false;
  #asked = false;

  constructor(waits: Waits, random: () => number) {
    this.#waits = waits;
    this.#openAfter = waits.breaker?.failures ?? OPEN_AFTER;
    this.#random = random;
  }

  get state(): BreakerState {
    if (this.#failures < this.#openAfter && this.#holds === 0) return "closed";
    return this.#probing ? "half_open" : "open";
  }

  /** Class A failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** False while the last attempt succeeded or none was made. */
  get isTroubled(): boolean {
    return this.#failures > 0 || this.#holds > 0;
  }

  /** True when the current wait is one the server asked for: a flush respects it too (otlp R14). */
  get isAsked(): boolean {
    return this.#asked;
  }

  /** When the next attempt may begin, on the monotonic clock. */
  get nextMs(): number {
    return this.#nextMs;
  }

  begin(): void {
    this.#probing = this.isTroubled;
  }

  succeed(): void {
    this.#failures = this.#holds = this.#refusals = 0;
    this.#end(0, false);
  }

  /** A class A failure; `retryAfterMs` is what the server asked for. */
  fail(nowMs: number, retryAfterMs?: number): void {
    this.#failures++;
    const resetMs = this.state === "closed" ? undefined : this.#waits.breaker?.resetMs;
    const wait = resetMs ?? backoffMs(this.#failures, this.#waits, this.#random);
    this.#end(nowMs + (retryAfterMs ?? wait), retryAfterMs !== undefined);
  }

  /** A class C failure: probe slowly until the operator has acted. */
  hold(nowMs: number): void {
    this.#failures = 0;
    this.#holds++;
    const wait = this.#waits.breaker?.resetMs ?? holdMs(this.#holds, this.#random);
    this.#end(nowMs + wait, false);
  }

  /** A class B refusal: the destination answers, so the lane goes on, unless it refuses everything. */
  refuse(nowMs: number): void {
    this.#failures = this.#holds = 0;
    this.#refusals++;
    if (this.#refusals >= REFUSALS_MAX) this.hold(nowMs);
    else this.#end(0, false);
  }

  /** The operator changed something (credentials, trust): probe now. */
  retryNow(): void {
    this.#end(0, false);
  }

  #end(nextMs: number, asked: boolean): void {
    this.#probing = false;
    this.#nextMs = nextMs;
    this.#asked = asked;
  }
}
