/**
 * Bytes joined as they come, and memory given back when it is done with: buffers that wait for the garbage collector
 * were most of what a burst made a process grow (deno.md 4).
 * @module
 */

/** The first of many gets room for an eighth of them, the next all of it: no byte is moved more than twice. */
const FIRST_PART = 8;

/** An eighth of a buffer may be empty when it is handed on. */
const WASTE = 8;

/** Frees the memory of an array that nobody reads any more, all views of its buffer with it. */
export function release({ buffer }: Uint8Array<ArrayBuffer>): void {
  if (!buffer.detached) buffer.transfer(0);
}

/** V8 clears young memory when so little of it was used; buffers do not count there, however large they are. */
const YOUNG_ITEMS = 3_000;
/** Buffers of so many bytes ask for one such piece, which takes 15 us of CPU. */
const PRESSURE_BYTES = 65_536;

/**
 * Says that buffers of so many bytes wait for the collector which are not ours to free: without it 32 MB of them gather
 * in each isolate, with it 3.
 */
export function wasted(bytes: number): void {
  for (let left = bytes; left >= PRESSURE_BYTES / 2; left -= PRESSURE_BYTES) {
    new Array<number>(YOUNG_ITEMS).fill(0);
  }
}

export class GrowingBytes {
  readonly #usual: number;
  #bytes = new Uint8Array(0);
  length = 0;

  /** `usual`: the length it will have as a rule, once there is more than one piece. */
  constructor(usual: number) {
    this.#usual = usual;
  }

  /** Copies a piece to the end. */
  append(piece: Uint8Array): void {
    const end = this.length + piece.length;
    if (end > this.#bytes.length) this.reserve(piece.length);
    this.#bytes.set(piece, this.length);
    this.length = end;
  }

  /** Makes room for so much more at once. */
  reserve(more: number): void {
    const end = this.length + more;
    const had = this.#bytes.length;
    if (end <= had) return;
    const step = had < this.#usual / FIRST_PART ? Math.ceil(this.#usual / FIRST_PART) : this.#usual;
    const grown = new Uint8Array(this.length === 0 ? end : Math.max(end, step, had * 2));
    grown.set(this.#bytes.subarray(0, this.length));
    release(this.#bytes);
    this.#bytes = grown;
  }

  /** All of it; what is appended from now on begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const { length } = this;
    const bytes = this.#bytes;
    this.#bytes = new Uint8Array(0);
    this.length = 0;
    if (length * WASTE >= bytes.length * (WASTE - 1)) return bytes.subarray(0, length);
    const exact = bytes.slice(0, length);
    release(bytes);
    return exact;
  }
}
