/**
 * The memory queue of a lane, bounded in bytes over all lanes together. What does not fit costs the lane that
 * holds most its oldest batch: one dead destination never takes the room of a healthy one.
 * @module
 */
import type { BatchHeader } from "./batch.ts";
import type { Body } from "./gzip.ts";

/** A batch as a lane holds it. */
export interface LaneBatch {
  readonly header: BatchHeader;
  readonly body: Body;
}

/** A batch with its place. */
export interface Entry {
  readonly batch: LaneBatch;
  /** Its number in the spool; undefined while it is in memory only. */
  sequence?: number;
  /** True while it is on its way: it is not evicted then. */
  sending?: boolean;
  /** True while it is being written. */
  moving?: boolean;
  /** True once it has left the memory queue. */
  left?: boolean;
  /** True once it was handed out, or when it cannot be merged: its bytes stay what they are (otlp M12). */
  fixed?: boolean;
}

/** Bytes that a queued batch costs beside its body. */
const ENTRY_BYTES = 256;

export class MemoryQueue {
  readonly #budget: QueueBudget;
  readonly #onEvict: (items: number) => void;
  readonly #entries: Entry[] = [];
  bytes = 0;
  items = 0;

  constructor(budget: QueueBudget, onEvict: (items: number) => void) {
    this.#budget = budget;
    this.#onEvict = onEvict;
    budget.add(this);
  }

  get length(): number {
    return this.#entries.length;
  }

  /** The entry at `index` from the oldest. */
  at(index: number): Entry | undefined {
    return this.#entries[index];
  }

  push(batch: LaneBatch): void {
    this.#entries.push({ batch });
    this.items += batch.header.items;
    this.bytes += batch.body.bytes.length + ENTRY_BYTES;
    this.#budget.grew(batch.body.bytes.length + ENTRY_BYTES, this);
  }

  /** False when the entry is not here (any more). */
  remove(entry: Entry): boolean {
    const index = this.#entries.indexOf(entry);
    if (index < 0) return false;
    this.#entries.splice(index, 1);
    entry.left = true;
    const size = entry.batch.body.bytes.length + ENTRY_BYTES;
    this.items -= entry.batch.header.items;
    this.bytes -= size;
    this.#budget.shrank(size);
    return true;
  }

  /** The oldest two neighbours that nobody has seen. */
  unseenPair(): [older: Entry, newer: Entry] | undefined {
    const isUnseen = (entry: Entry | undefined) => entry !== undefined && !entry.fixed && !entry.moving;
    const at = this.#entries.findIndex((entry, at) => isUnseen(entry) && isUnseen(this.#entries[at + 1]));
    const [older, newer] = [this.#entries[at], this.#entries[at + 1]];
    return older === undefined || newer === undefined ? undefined : [older, newer];
  }

  /** Puts one batch in the place of two neighbours. */
  join([older, newer]: readonly [Entry, Entry], batch: LaneBatch): void {
    this.remove(newer);
    const at = this.#entries.indexOf(older);
    this.remove(older);
    const size = batch.body.bytes.length + ENTRY_BYTES;
    this.#entries.splice(at, 0, { batch });
    this.items += batch.header.items;
    this.bytes += size;
    this.#budget.grew(size, this);
  }

  /** True when so much more fits without dropping anything. */
  fits(bytes: number): boolean {
    return this.#budget.freeBytes >= bytes + ENTRY_BYTES;
  }

  /** Drops the oldest or newest batch that is neither on its way nor being written; false when there is none. */
  evict(policy: DropPolicy = "oldest"): boolean {
    const isFree = (entry: Entry) => !entry.sending && !entry.moving;
    const entry = policy === "oldest" ? this.#entries.find(isFree) : this.#entries.findLast(isFree);
    if (entry === undefined) return false;
    this.remove(entry);
    this.#onEvict(entry.batch.header.items);
    return true;
  }
}

/** What a full queue gives up. */
export type DropPolicy = "oldest" | "newest";

/** The bound shared by all lanes' queues. */
export class QueueBudget {
  readonly #bytesMax: number;
  readonly #policy: DropPolicy;
  readonly #queues: MemoryQueue[] = [];
  #used = 0;

  constructor(bytesMax: number, policy: DropPolicy = "oldest") {
    this.#bytesMax = bytesMax;
    this.#policy = policy;
  }

  /** Past half, lanes with a spool begin to write (otlp 4.3). */
  get isHalfFull(): boolean {
    return this.#used > this.#bytesMax / 2;
  }

  /** Bytes that fit before the oldest have to go. */
  get freeBytes(): number {
    return Math.max(0, this.#bytesMax - this.#used);
  }

  add(queue: MemoryQueue): void {
    this.#queues.push(queue);
  }

  /** `queue` has taken a batch: with "newest" it is that batch which goes, else the oldest of the largest queue. */
  grew(bytes: number, queue: MemoryQueue): void {
    this.#used += bytes;
    while (this.#used > this.#bytesMax) {
      if (this.#policy === "newest") {
        if (queue.evict("newest")) continue;
        return;
      }
      const bySize = this.#queues.toSorted((a, b) => b.bytes - a.bytes);
      if (!bySize.some((queue) => queue.evict())) return;
    }
  }

  shrank(bytes: number): void {
    this.#used -= bytes;
  }
}
