/**
 * gzip once per batch, through the runtime's CompressionStream: no level to choose, but a quarter of the memory
 * that node:zlib takes (deno.md 4).
 * @module
 */

/** Below this a gzip body is hardly smaller, and its cost is not worth it (otlp 6.3). */
const FLOOR_BYTES = 1_024;

/** A request body and how it is written. */
export interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly gzipped: boolean;
}

/** The body compressed, or as it was when it is small or would not shrink. */
export async function compress(bytes: Uint8Array<ArrayBuffer>): Promise<Body> {
  if (bytes.length < FLOOR_BYTES) return { bytes, gzipped: false };
  const packed = await pump(bytes, new CompressionStream("gzip"), Infinity);
  return packed.length < bytes.length ? { bytes: packed, gzipped: true } : { bytes, gzipped: false };
}

/** The plain bytes of a gzip body. Throws a RangeError past `bytesMax`, a TypeError when it is not gzip. */
export function decompress(
  bytes: Uint8Array<ArrayBuffer>,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return pump(bytes, new DecompressionStream("gzip"), bytesMax);
}

async function pump(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let total = 0;
  for await (const chunk of new Blob([bytes]).stream().pipeThrough(stream)) {
    total += chunk.length;
    if (total > bytesMax) {
      throw new RangeError(
        `Cannot decompress batch: more than ${bytesMax} bytes, expected at most that many`,
      );
    }
    chunks.push(chunk);
  }
  return concat(chunks, total);
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
