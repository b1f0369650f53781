/**
 * A batch on its way out. A backend that says 413 gets it in parts; the batch stays in its place, whole, until the
 * last part is settled, so that a crash in between costs duplicates and never data.
 * @module
 */
import { addDrop, emptyTally, type Tally } from "./account.ts";
import { release } from "./growing_bytes.ts";
import { type Body, compress, plainBytes } from "./gzip.ts";
import type { Entry } from "./queue.ts";
import { type Part as Cut, splitRequest } from "./split.ts";

/** One request of a batch: all of it, or a part. */
export interface Part {
  readonly body: Body;
  readonly items: number;
  /** Before compression. */
  readonly plainBytes: number;
  /** How often it was halved. */
  readonly depth: number;
}

/** A request that halves sixteen times has 65,536 items or a fault that halving does not cure. */
const DEPTH_MAX = 16;

export class Sending {
  readonly entry: Entry;
  readonly tally: Tally = emptyTally();
  readonly #parts: Part[];
  /** Class A failures of this batch. */
  failures = 0;
  /** Failures in which the connection ended or nothing came: what a poisonous batch looks like. */
  disconnects = 0;
  /** True when another batch was delivered since this one first failed. */
  othersPassed = false;

  constructor(entry: Entry) {
    this.entry = entry;
    const { header, body } = entry.batch;
    this.#parts = [{ body, items: header.items, plainBytes: header.uncompressedBytes, depth: 0 }];
  }

  /** The next part to send; undefined when all are settled. */
  get part(): Part | undefined {
    return this.#parts[0];
  }

  deliver(rejected: number): void {
    const items = this.#take();
    const lost = Math.min(rejected, items);
    this.tally.rejected += lost;
    this.tally.delivered += items - lost;
  }

  reject(): void {
    this.tally.rejected += this.#take();
  }

  drop(reason: "oversize" | "retries_exhausted"): void {
    addDrop(this.tally, reason, this.#take());
  }

  /** Everything that is left goes to quarantine, or is dropped where there is none. */
  async quarantine(put: () => Promise<boolean>): Promise<void> {
    const kept = await put();
    for (let items = this.#take(); items > 0; items = this.#take()) {
      if (kept) this.tally.quarantined += items;
      else addDrop(this.tally, "retries_exhausted", items);
    }
  }

  /** Halves the next part; one that cannot be halved is dropped as oversize. */
  async split(): Promise<void> {
    const [part] = this.#parts;
    if (part === undefined) return;
    if (part.items < 2 || part.depth >= DEPTH_MAX) return this.drop("oversize");
    const { signal, encoding } = this.entry.batch.header;
    try {
      const plain = await plainBytes(part.body);
      const halves = splitRequest(plain, { signal, encoding, items: part.items });
      const parts: Part[] = [];
      for (const half of halves) parts.push(await toPart(half, part));
      if (part.body.gzipped) release(plain);
      this.#parts.splice(0, 1, ...parts);
      done(part);
    } catch {
      // Not readable as a request: it can never be made smaller.
      this.drop("oversize");
    }
  }

  #take(): number {
    const part = this.#parts.shift();
    if (part !== undefined) done(part);
    return part?.items ?? 0;
  }
}

/** Frees what was made for this part alone; the batch's own body stays. */
function done({ body, depth }: Part): void {
  if (depth > 0) release(body.bytes);
}

/** One request and the batch it belongs to. */
export interface Attempted {
  readonly sending: Sending;
  readonly part: Part;
}

async function toPart({ join, items }: Cut, { body, depth }: Part): Promise<Part> {
  const bytes = join();
  const plainBytes = bytes.length;
  const packed = body.gzipped ? await compress(bytes) : { bytes, gzipped: false };
  if (packed.bytes !== bytes) release(bytes);
  return { body: packed, items, plainBytes, depth: depth + 1 };
}
