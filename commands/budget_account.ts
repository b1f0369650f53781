/**
 * What a day's byte budget has been spent on so far: an account per day in UTC, kept in the state directory over
 * restarts, so that a service that keeps failing cannot spend a day's bytes many times.
 * @module
 */
import { isRecord } from "../exporters/json_value.ts";

const DAY_MS = 86_400_000;
/** A clock before this is not set yet, and no day of its own. */
const PLAUSIBLE_DAY = Math.floor(Date.UTC(2025, 0, 1) / DAY_MS);

/** Where an account is kept: `CountersFile` or nothing. */
export interface AccountMemory {
  readonly found: unknown;
  save(value: unknown): boolean;
}

/** An account as it is kept: days since 1970 and bytes. */
interface Entry {
  readonly day: number;
  readonly bytes: number;
}

function entryOf(value: unknown): Entry | undefined {
  if (!isRecord(value)) return undefined;
  const { day, bytes } = value;
  const isWhole = (it: unknown): it is number =>
    typeof it === "number" && Number.isSafeInteger(it) && it >= 0;
  return isWhole(day) && isWhole(bytes) ? { day, bytes } : undefined;
}

/** The bytes of this day. */
export class DayAccount {
  readonly #wallMs: () => number;
  readonly #memory: AccountMemory | undefined;
  #entry: Entry;

  /** `wallMs`: milliseconds since 1970. Without a memory it counts this life only. */
  constructor(wallMs: () => number, memory?: AccountMemory) {
    this.#wallMs = wallMs;
    this.#memory = memory;
    this.#entry = entryOf(memory?.found) ?? { day: this.#today(), bytes: 0 };
  }

  /** Sent since midnight. */
  get bytes(): number {
    this.#turn();
    return this.#entry.bytes;
  }

  /** What is left of the day; never 0. */
  get restMs(): number {
    return DAY_MS - this.#wallMs() % DAY_MS;
  }

  /** Adds what was sent, and keeps it. */
  add(bytes: number): void {
    this.#turn();
    this.#entry = { ...this.#entry, bytes: this.#entry.bytes + bytes };
    this.#memory?.save(this.#entry);
  }

  #today(): number {
    return Math.floor(this.#wallMs() / DAY_MS);
  }

  /** Another day begins with nothing; a clock that is not set yet goes on with the day that was kept. */
  #turn(): void {
    const day = this.#today();
    if (day === this.#entry.day || day < PLAUSIBLE_DAY && day < this.#entry.day) return;
    this.#entry = { day, bytes: 0 };
  }
}
