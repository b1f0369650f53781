/**
 * The body of a request, by length or in chunks, under two caps: its own, and that of all bodies being worked on.
 * Memory is taken from the budget before it is filled. Source: RFC 9112 sections 6 and 7.
 * @module
 */
import { release } from "./growing_bytes.ts";
import { concat } from "./gzip.ts";
import type { Head } from "./receiver_head.ts";
import { malformed, RefusedRequest } from "./receiver_refusal.ts";
import type { ByteStream } from "./receiver_stream.ts";

/** Trailer fields are read and forgotten; more than this is not. */
const TRAILERS_MAX = 32;
const CHUNK_SIZE = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/;

/** Bytes of all bodies being read or worked on, and of what was made of them and is not at the courier yet. */
export class FlightBudget {
  readonly #bytesMax: number;
  readonly #underWay: () => number;
  #used = 0;

  constructor(bytesMax: number, underWay: () => number) {
    this.#bytesMax = bytesMax;
    this.#underWay = underWay;
  }

  get used(): number {
    return this.#used;
  }

  /** Takes bytes, or throws `RefusedRequest` with 429. */
  take(bytes: number): void {
    const used = this.#used + this.#underWay();
    if (used + bytes > this.#bytesMax) {
      throw new RefusedRequest(`Cannot take ${bytes} bytes now: other requests hold ${used}`, {
        status: 429,
        reason: "bytes_in_flight",
        retryAfter: 1,
      });
    }
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

/** What one request holds of the budget; given back as a whole by `using`. */
export class Share {
  readonly #budget: FlightBudget;
  #bytes = 0;

  constructor(budget: FlightBudget) {
    this.#budget = budget;
  }

  take(bytes: number): void {
    this.#budget.take(bytes);
    this.#bytes += bytes;
  }

  [Symbol.dispose](): void {
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
  }
}

/** 413. */
export function tooLarge(found: string, bytesMax: number): RefusedRequest {
  return new RefusedRequest(`Cannot take body: it has ${found}, expected at most ${bytesMax}`, {
    status: 413,
    reason: "too_large",
  });
}

/** Refuses what is announced as too large, before a byte of it is read. */
export function checkLength(head: Head, bytesMax: number): void {
  if (head.length !== undefined && head.length > bytesMax) throw tooLarge(`${head.length} bytes`, bytesMax);
}

/**
 * The whole body; undefined when the stream ends within it. Throws `RefusedRequest`. A body of known length must be
 * in the share already.
 */
export async function readBody(
  stream: ByteStream,
  head: Head,
  options: { readonly bytesMax: number; readonly share: Share },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (head.length === undefined) return await readChunks(stream, options);
  const body = new Uint8Array(head.length);
  if (await stream.take(body)) return body;
  release(body);
  return undefined;
}

async function readChunks(
  stream: ByteStream,
  options: { readonly bytesMax: number; readonly share: Share },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks = new GrowingBody(options.share);
  for (;;) {
    const line = await stream.line();
    if (line === undefined) return undefined;
    const match = CHUNK_SIZE.exec(line);
    if (match === null) throw malformed("a chunk without size", "a size in hex");
    const size = parseInt(match[1] ?? "", 16);
    if (size === 0) return await readTrailers(stream) ? chunks.joined() : undefined;
    if (chunks.length + size > options.bytesMax) throw tooLarge("more bytes", options.bytesMax);
    if (!await stream.take(chunks.grow(size))) return undefined;
    if (await stream.line() !== "") throw malformed("a chunk longer than its size", "a line end after it");
  }
}

async function readTrailers(stream: ByteStream): Promise<boolean> {
  for (let i = 0; i < TRAILERS_MAX; i++) {
    const line = await stream.line();
    if (line === undefined) return false;
    if (line === "") return true;
  }
  throw malformed(`more than ${TRAILERS_MAX} trailers`, "fewer");
}

/** Chunks joined as they come, so that many small ones do not cost an object each. */
class GrowingBody {
  readonly #share: Share;
  #bytes = new Uint8Array(0);
  length = 0;

  constructor(share: Share) {
    this.#share = share;
  }

  /** Room for `size` more bytes, to be filled at once. */
  grow(size: number): Uint8Array {
    const needed = this.length + size;
    if (needed > this.#bytes.length) {
      const capacity = Math.max(needed, this.#bytes.length * 2, 4_096);
      this.#share.take(capacity - this.#bytes.length);
      const small = this.#bytes;
      this.#bytes = concat([small.subarray(0, this.length)], capacity);
      release(small);
    }
    const room = this.#bytes.subarray(this.length, needed);
    this.length = needed;
    return room;
  }

  joined(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }
}
