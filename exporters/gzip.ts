/**
 * gzip once per batch. Usual bodies go through the runtime's CompressionStream, which has no level to choose and takes
 * a quarter of the memory of node:zlib (deno.md 4); large ones, which only the receiver makes, through node:zlib,
 * which then is loaded and takes half the CPU.
 * @module
 */

import { takeNative } from "./crc32.ts";
import { GrowingBytes, release, wasted } from "./growing_bytes.ts";

/** Below this a gzip body is hardly smaller, and its cost is not worth it (otlp 6.3). */
const FLOOR_BYTES = 1_024;

/** From here on CPU counts for more than the 3 MB of node:zlib. */
const LARGE_BYTES = 131_072;
/** Half the CPU of the stream's level for 2 % more bytes (log records with values of their own, 557 KB). */
const LARGE_LEVEL = 5;
/** Telemetry becomes at least so much smaller: with room for that one piece comes out, which is freed at once. */
const RATIO_MIN = 2;

/** A request body and how it is written. */
export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly gzipped: boolean;
  /** True when only one lane has the bytes, which frees them when it is done. */
  readonly isOwn?: boolean;
}

/** The most a body may hold before compression: the wire rule's cap on a request (otlp P8). */
export const PLAIN_BYTES_MAX: number = 64 * 1024 * 1024;

/** What goes in at a time: 1,032 times as much comes out of a bomb before anybody can look. */
const PACKED_PIECE_BYTES = 8_192;

/** The body compressed, or as it was when it is small or would not shrink. */
export async function compress(bytes: Uint8Array<ArrayBuffer>): Promise<Body> {
  if (bytes.length < FLOOR_BYTES) return { bytes, gzipped: false };
  const packed = bytes.length < LARGE_BYTES
    ? await pump(bytes, new CompressionStream("gzip"), {
      pieceBytes: LARGE_BYTES,
      bytesMax: Infinity,
      usual: 0,
    })
    : await compressLarge(bytes);
  return packed.length < bytes.length ? { bytes: packed, gzipped: true } : { bytes, gzipped: false };
}

async function compressLarge(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const { gzipSync, crc32 } = await import("node:zlib");
  takeNative(crc32);
  const chunkSize = Math.ceil(bytes.length / RATIO_MIN);
  const packed = gzipSync(bytes, { level: LARGE_LEVEL, chunkSize });
  const exact = concat([packed], packed.length);
  if (packed.buffer instanceof ArrayBuffer) release(new Uint8Array(packed.buffer));
  if (packed.length > chunkSize) wasted(packed.length + chunkSize);
  return exact;
}

/** The plain bytes of a gzip body. Throws a RangeError past `bytesMax`, a TypeError when it is not gzip. */
export function decompress(
  bytes: Uint8Array<ArrayBuffer>,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const usual = Math.min(claimedSize(bytes), bytesMax);
  return pump(bytes, new DecompressionStream("gzip"), { pieceBytes: PACKED_PIECE_BYTES, bytesMax, usual });
}

/** What a body holds. Throws as `decompress` does when it is gzip that holds more than a request may. */
export async function plainBytes({ bytes, gzipped }: Body): Promise<Uint8Array<ArrayBuffer>> {
  return gzipped ? await decompress(bytes, PLAIN_BYTES_MAX) : bytes;
}

/** What the last four bytes of gzip say of the plain size; it need not be true (RFC 1952, 2.3.1). */
export function claimedSize(bytes: Uint8Array<ArrayBuffer>): number {
  if (bytes.length < 4) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(bytes.length - 4, true);
}

interface PumpOptions {
  /** Bytes that go in at a time. */
  readonly pieceBytes: number;
  readonly bytesMax: number;
  /** Bytes that will come out, as far as is known. */
  readonly usual: number;
}

/** Through a writer of its own: a Blob and a pipe before it cost as much again (no JIT). */
async function pump(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  { pieceBytes, bytesMax, usual }: PumpOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  // What fails there fails here as well.
  feed(stream.writable.getWriter(), bytes, pieceBytes).catch(() => {});
  const reader = stream.readable.getReader();
  const joined = new GrowingBytes(usual);
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (joined.length + next.value.length > bytesMax) {
      await reader.cancel();
      throw new RangeError(
        `Cannot decompress batch: more than ${bytesMax} bytes, expected at most that many`,
      );
    }
    joined.append(next.value);
    release(next.value);
  }
  return joined.take();
}

async function feed(
  writer: WritableStreamDefaultWriter<BufferSource>,
  bytes: Uint8Array<ArrayBuffer>,
  pieceBytes: number,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    await writer.write(at === 0 && bytes.length <= pieceBytes ? bytes : bytes.subarray(at, at + pieceBytes));
  }
  await writer.close();
}

/** Chunks joined into one array. */
export function concat(chunks: readonly Uint8Array[], total: number): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    joined.set(chunk, offset);
    offset += chunk.length;
  }
  return joined;
}
