/**
 * A batch that kills its connection each time may be poison for something on the way. While the oldest batch keeps
 * failing like that, every second attempt goes to the batch behind it; when that one passes and the oldest fails on,
 * the oldest is the one at fault (otlp 4.3, F44).
 * @module
 */
import type { Tally } from "./account.ts";
import type { Entry } from "./queue.ts";
import type { Sending } from "./sending.ts";

const SUSPECT_AFTER = 5;
const QUARANTINE_AFTER = 10;
/** Batches delivered ahead of a suspect; each waits in its place, settled, until the suspect is gone. */
const AHEAD_MAX = 16;
/** Failures in which the connection ended, or nothing came. */
const CAUSES: ReadonlySet<string> = new Set(["timeout", "closed", "reset"]);

export class Suspicion {
  readonly #ahead = new Map<number | Entry, Tally>();
  #turn = false;

  /** True when the next attempt should go to a batch behind this one. */
  isTurnOfOthers(sending: Sending): boolean {
    if (sending.disconnects < SUSPECT_AFTER || this.#ahead.size >= AHEAD_MAX) return false;
    this.#turn = !this.#turn;
    return this.#turn;
  }

  /** True when the batch fails in the way that poison does. */
  isDisconnect(cause: string): boolean {
    return CAUSES.has(cause);
  }

  /** True when the batch alone is at fault. */
  isPoison(sending: Sending): boolean {
    return sending.othersPassed && sending.disconnects >= QUARANTINE_AFTER;
  }

  /** The batch was settled ahead of its turn. */
  passed(entry: Entry, tally: Tally): void {
    this.#ahead.set(keyOf(entry), tally);
  }

  isAhead(entry: Entry): boolean {
    return this.#ahead.has(keyOf(entry));
  }

  /** The tally of a batch that was settled ahead of its turn, once. */
  take(entry: Entry): Tally | undefined {
    const key = keyOf(entry);
    const tally = this.#ahead.get(key);
    this.#ahead.delete(key);
    return tally;
  }
}

function keyOf(entry: Entry): number | Entry {
  return entry.sequence ?? entry;
}
