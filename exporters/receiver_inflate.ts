/**
 * gzip bodies of requests made plain under the cap for one. Through node:zlib: half the CPU of the runtime's stream
 * without a JIT, for 3 MB. Large bodies go through the stream, whose pieces are freed one by one.
 * @module
 */
import { claimedSize, decompress } from "./gzip.ts";
import { tooLarge } from "./receiver_body.ts";
import { badBody } from "./receiver_refusal.ts";

type ZlibModule = typeof import("node:zlib");

/** Bodies of fewer plain bytes are inflated at once. */
const SMALL_BYTES_MAX = 262_144;
/** The least that node:zlib gives out at a time. */
const PIECE_BYTES_MIN = 64;

export class Inflater {
  readonly #bytesMax: number;
  /** Loaded with the receiver: it would be a fifth of what a flood may take. */
  readonly #zlib: Promise<ZlibModule> = import("node:zlib");

  /** `bytesMax`: plain bytes of one body. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The plain bytes. Throws `RefusedRequest`: 413 when they are too many, 400 when it is no gzip. */
  async inflate(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return this.#inflateSmall(body, await this.#zlib) ??
        await decompress(body, this.#bytesMax);
    } catch (error) {
      if (error instanceof RangeError) throw tooLarge("more bytes after decompression", this.#bytesMax);
      throw badBody("Cannot decompress body: it is no gzip, expected gzip as its header says", error);
    }
  }

  /** Undefined when the plain bytes are many. */
  #inflateSmall(
    body: Uint8Array<ArrayBuffer>,
    { gunzipSync }: ZlibModule,
  ): Uint8Array<ArrayBuffer> | undefined {
    const claimed = claimedSize(body);
    if (claimed >= SMALL_BYTES_MAX) return undefined;
    const chunkSize = Math.max(claimed + 1, PIECE_BYTES_MIN);
    const maxOutputLength = Math.min(SMALL_BYTES_MAX, this.#bytesMax);
    try {
      const plain = gunzipSync(body, { chunkSize, maxOutputLength });
      const { buffer, byteOffset, length } = plain;
      // The smallest lie in a pool of node's, which is not ours to free.
      const isOwn = buffer.byteLength === chunkSize || buffer.byteLength === length;
      return isOwn && buffer instanceof ArrayBuffer
        ? new Uint8Array(buffer, byteOffset, length)
        : new Uint8Array(plain);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
}
