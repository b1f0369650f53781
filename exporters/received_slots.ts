/**
 * Last values of series by slot. Numbers lie in flat arrays: as objects, those that one request replaces would be
 * megabytes of garbage that only a full collection frees.
 * @module
 */
import type { Remembered } from "./received_difference.ts";

type Distribution = Exclude<Remembered["value"], { readonly kind: "int" | "double" }>;

export class Slots {
  readonly #starts: BigUint64Array;
  readonly #times: BigUint64Array;
  readonly #ints: BigInt64Array;
  readonly #doubles: Float64Array;
  readonly #isInt: Uint8Array;
  readonly #distributions = new Map<number, Distribution>();
  /** Slots that were given back. */
  readonly #free: number[] = [];
  #used = 0;

  /** `max`: slots in use at a time. */
  constructor(max: number) {
    this.#starts = new BigUint64Array(max);
    this.#times = new BigUint64Array(max);
    this.#ints = new BigInt64Array(max);
    this.#doubles = new Float64Array(max);
    this.#isInt = new Uint8Array(max);
  }

  /** A slot that nobody uses, with its first value. */
  take(value: Remembered): number {
    const slot = this.#free.pop() ?? this.#used++;
    if (slot >= this.#times.length) throw new RangeError("BUG: no slot is free");
    this.set(slot, value);
    return slot;
  }

  give(slot: number): void {
    this.#distributions.delete(slot);
    this.#free.push(slot);
  }

  set(slot: number, { startNs, timeNs, value }: Remembered): void {
    this.#starts[slot] = startNs;
    this.#times[slot] = timeNs;
    if (value.kind === "int") this.#ints[slot] = value.int;
    else if (value.kind === "double") this.#doubles[slot] = value.double;
    this.#isInt[slot] = value.kind === "int" ? 1 : 0;
    if (value.kind === "int" || value.kind === "double") this.#distributions.delete(slot);
    else this.#distributions.set(slot, value);
  }

  get(slot: number): Remembered {
    const number = this.#isInt[slot] === 1
      ? { kind: "int", int: this.#ints[slot] ?? 0n } as const
      : { kind: "double", double: this.#doubles[slot] ?? 0 } as const;
    const value = this.#distributions.get(slot) ?? number;
    return { startNs: this.#starts[slot] ?? 0n, timeNs: this.timeNs(slot), value };
  }

  timeNs(slot: number): bigint {
    return this.#times[slot] ?? 0n;
  }
}
