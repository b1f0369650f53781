/**
 * What a lane holds, oldest first: the spool's batches, then the memory queue's. A batch moves from memory to disk
 * as it is, keeps its place, and is settled exactly once wherever it is by then.
 * @module
 */
import type { DropReason, Held } from "./account.ts";
import { mergeBatches } from "./merge_batch.ts";
import { type Entry, type LaneBatch, MemoryQueue, type QueueBudget } from "./queue.ts";

/** One lane's part of the disk. No method rejects: a disk that fails is a lane that lives in memory. */
export interface LaneSpool {
  /** Not acknowledged yet. */
  readonly items: number;
  readonly bytes: number;
  readonly batches: number;
  /** Items found when it was opened. */
  readonly inherited: number;
  readonly oldestTimeMs: number | undefined;
  /** Told what a limit or damage has discarded; set by the lane. */
  onDrop: (reason: DropReason, items: number) => void;
  /** Told of items that became part of others; set by the lane. */
  onMerge?: (items: number) => void;
  /** Told of items that came straight to disk; set by the lane. */
  onAdopt: (items: number) => void;
  /** The batch's number; undefined when it cannot be written now. */
  readonly append: (batch: LaneBatch) => Promise<number | undefined>;
  /** The oldest batch; undefined when there is none that can be read. */
  readonly head: () => Promise<Entry | undefined>;
  /** The batch that follows. */
  readonly after: (sequence: number) => Promise<Entry | undefined>;
  /** False once the batch is settled or dropped. */
  readonly holds: (sequence: number) => boolean;
  /** Settles the head; false when the spool has dropped it meanwhile. */
  readonly acknowledge: (sequence: number) => Promise<boolean>;
  /** Puts a copy aside in the ring of poisonous batches; false when that cannot be written. */
  readonly quarantine: (batch: LaneBatch) => Promise<boolean>;
  /** Everything appended so far is on the platter. */
  readonly sync: () => Promise<void>;
}

export class Backlog {
  readonly memory: MemoryQueue;
  readonly spool: LaneSpool | undefined;
  #moving: Promise<void> = Promise.resolve();

  constructor(budget: QueueBudget, onEvict: (items: number) => void, spool?: LaneSpool) {
    this.memory = new MemoryQueue(budget, onEvict);
    this.spool = spool;
  }

  get items(): number {
    return this.memory.items + (this.spool?.items ?? 0);
  }

  get batches(): number {
    return this.memory.length + (this.spool?.batches ?? 0);
  }

  /** The part of a report that is about what waits. */
  held(): Held {
    const { spool, memory } = this;
    const oldestTimeMs = spool?.oldestTimeMs ?? memory.at(0)?.batch.header.firstTimeMs;
    return {
      queued: this.items,
      queuedBytes: memory.bytes,
      spoolBytes: spool?.bytes ?? 0,
      spoolBatches: spool?.batches ?? 0,
      inherited: spool?.inherited ?? 0,
      ...(oldestTimeMs !== undefined && { oldestTimeMs }),
    };
  }

  push(batch: LaneBatch): void {
    this.memory.push(batch);
  }

  /** False when a limit has dropped the entry. */
  holds(entry: Entry): boolean {
    return entry.sequence === undefined ? entry.left !== true : this.spool?.holds(entry.sequence) ?? false;
  }

  /** The oldest batch. */
  async head(): Promise<Entry | undefined> {
    await this.#moving;
    const stored = await this.spool?.head();
    return stored ?? shown(this.memory.at(0));
  }

  /** The batch behind `entry`, or behind the spool's last. */
  async after(entry: Entry): Promise<Entry | undefined> {
    await this.#moving;
    if (entry.sequence === undefined) {
      for (let index = 0; index < this.memory.length; index++) {
        if (this.memory.at(index) === entry) return shown(this.memory.at(index + 1));
      }
      return undefined;
    }
    return await this.spool?.after(entry.sequence) ?? shown(this.memory.at(0));
  }

  /** Moves what is in memory to the spool, as far as the disk takes it. */
  persist(): Promise<void> {
    this.#moving = this.#moving.then(() => this.#move());
    return this.#moving;
  }

  /** Merges the oldest neighbours that nobody has seen until `bytes` more fit; tells how many items became part of others. */
  makeRoom(bytes: number, onMerge: (items: number) => void): Promise<void> {
    this.#moving = this.#moving.then(() => this.#condense(bytes, onMerge));
    return this.#moving;
  }

  /** The entry is done with. False when a limit has dropped it meanwhile: then it is counted there already. */
  async settle(entry: Entry): Promise<boolean> {
    await this.#moving;
    if (entry.sequence === undefined) return this.memory.remove(entry);
    return await this.spool?.acknowledge(entry.sequence) ?? false;
  }

  async #condense(bytes: number, onMerge: (items: number) => void): Promise<void> {
    while (!this.memory.fits(bytes)) {
      const pair = this.memory.unseenPair();
      if (pair === undefined) return;
      const [older, newer] = pair;
      older.moving = newer.moving = true;
      const merged = await mergeBatches(older.batch, newer.batch);
      older.moving = newer.moving = false;
      older.fixed = merged === undefined;
      if (merged === undefined) continue;
      const before = this.memory.items;
      this.memory.join(pair, merged);
      onMerge(before - this.memory.items);
    }
  }

  async #move(): Promise<void> {
    if (this.spool === undefined) return;
    for (let entry = this.memory.at(0); entry !== undefined; entry = this.memory.at(0)) {
      entry.moving = true;
      const sequence = await this.spool.append(entry.batch);
      entry.moving = false;
      if (sequence === undefined) return;
      entry.sequence = sequence;
      this.memory.remove(entry);
    }
  }
}

/** Whoever gets the entry may send it: from now on it stays what it is. */
function shown(entry: Entry | undefined): Entry | undefined {
  if (entry !== undefined) entry.fixed = true;
  return entry;
}
