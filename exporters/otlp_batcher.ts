/**
 * The batch processor of one signal: gathers items until there are enough of them, they are large enough or the first
 * has waited long enough. Bounded in items and bytes; what the bound costs is counted (otlp 4.3).
 * @module
 */
import type { Clock } from "./clock.ts";
import type { BatchLimits } from "./otlp_plan.ts";

/** Something to be sent with what it counts. A metric counts its points. */
interface Waiting<T> {
  readonly what: T;
  readonly items: number;
  readonly bytes: number;
}

/** What a processor works with. */
export interface BatcherParts<T> {
  readonly limits: BatchLimits;
  readonly clock: Clock;
  readonly itemsOf: (what: T) => number;
  readonly bytesOf: (what: T) => number;
  /** Takes a batch over; resolves when it has its place in the queue of batches. Never rejects. */
  readonly send: (batch: readonly T[]) => Promise<void>;
  /** Told of items that are given up. */
  readonly dropped: (reason: "queue_full" | "shutdown", items: number) => void;
}

/** Gathers what is added and passes it on in batches. */
export class Batcher<T> {
  readonly #parts: BatcherParts<T>;
  #waiting: Waiting<T>[] = [];
  /** Index of the oldest that still waits. */
  #first = 0;
  #items = 0;
  #bytes = 0;
  #passing: Promise<void> | undefined;
  /** Everything that waits goes, however little it is. */
  #isDue = false;
  #timer: AbortController | undefined;
  #isClosed = false;

  constructor(parts: BatcherParts<T>) {
    this.#parts = parts;
  }

  /** Items that wait here. */
  get items(): number {
    return this.#items;
  }

  /** Takes something over. Never waits, never throws. */
  add(what: T): void {
    const { itemsOf, bytesOf, limits, dropped } = this.#parts;
    const added = { what, items: itemsOf(what), bytes: bytesOf(what) };
    if (added.items === 0) return;
    if (this.#isClosed) return dropped("shutdown", added.items);
    if (!this.#makeRoom(added)) return dropped("queue_full", added.items);
    this.#waiting.push(added);
    this.#items += added.items;
    this.#bytes += added.bytes;
    if (this.#isFull || this.#isDue) this.#pass();
    else if (this.#timer === undefined) this.#startTimer(limits.flushIntervalMs);
  }

  /** Passes on all that waits now. */
  async flush(): Promise<void> {
    this.#isDue = true;
    this.#pass();
    await this.#passing;
  }

  /** Passes on all that waits; what is added afterwards is given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
    this.#stopTimer();
  }

  get #isFull(): boolean {
    const { batchItems, batchBytes } = this.#parts.limits;
    return this.#items >= batchItems || this.#bytes >= batchBytes;
  }

  #makeRoom({ items, bytes }: Waiting<T>): boolean {
    const { queueItems, queueBytes, dropPolicy } = this.#parts.limits;
    if (items > queueItems || bytes > queueBytes) return false;
    while (this.#items + items > queueItems || this.#bytes + bytes > queueBytes) {
      if (dropPolicy === "newest") return false;
      const oldest = this.#shift();
      if (oldest === undefined) throw new Error("BUG: a full queue with nothing in it");
      this.#parts.dropped("queue_full", oldest.items);
    }
    return true;
  }

  #shift(): Waiting<T> | undefined {
    const oldest = this.#waiting[this.#first];
    if (oldest === undefined) return undefined;
    this.#first++;
    this.#items -= oldest.items;
    this.#bytes -= oldest.bytes;
    // Taking from the front of a long array one by one would cost its length each time.
    if (this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return oldest;
  }

  /** As much as one request holds; at least one. */
  #take(): T[] {
    const { batchItems, batchBytes } = this.#parts.limits;
    const taken: T[] = [];
    let items = 0;
    let bytes = 0;
    while (true) {
      const next = this.#waiting[this.#first];
      if (next === undefined) return taken;
      items += next.items;
      bytes += next.bytes;
      if (taken.length > 0 && (items > batchItems || bytes > batchBytes)) return taken;
      taken.push(next.what);
      this.#shift();
    }
  }

  #pass(): void {
    if (this.#items > 0) this.#passing ??= this.#run();
    else this.#isDue = false;
  }

  async #run(): Promise<void> {
    while (this.#items > 0 && (this.#isFull || this.#isDue)) await this.#parts.send(this.#take());
    // In one step with the last look: a flush that comes after it must find nobody at work.
    this.#passing = undefined;
    this.#isDue = false;
    this.#stopTimer();
    if (this.#items > 0) this.#startTimer(this.#parts.limits.flushIntervalMs);
  }

  #startTimer(ms: number): void {
    const timer = this.#timer = new AbortController();
    this.#parts.clock.sleep(ms, timer.signal).then(() => {
      if (timer.signal.aborted) return;
      this.#isDue = true;
      this.#pass();
    });
  }

  #stopTimer(): void {
    this.#timer?.abort();
    this.#timer = undefined;
  }
}
