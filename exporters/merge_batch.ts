/**
 * Merging as lanes see it: whole batches. The code that knows messages is loaded when there is something to merge.
 * @module
 */
import { compress, plainBytes } from "./gzip.ts";
import type { LaneBatch } from "./queue.ts";

/** True for batches whose increments can be added: of a delta lane, in a form that this code reads. */
export function isMergeable({ temporality, signal, encoding }: {
  readonly temporality: string;
  readonly signal: string;
  readonly encoding: string;
}): boolean {
  return temporality === "delta" && signal === "metrics" && encoding === "protobuf";
}

/** Two batches, the older first, as one in the newer's place; undefined when they cannot be merged. */
export async function mergeBatches(older: LaneBatch, newer: LaneBatch): Promise<LaneBatch | undefined> {
  try {
    const { mergeRequests } = await import("./merge.ts");
    const [a, b] = await Promise.all([plainBytes(older.body), plainBytes(newer.body)]);
    const { bytes, items } = mergeRequests(a, b);
    const body = newer.body.gzipped ? await compress(bytes) : { bytes, gzipped: false };
    const header = {
      ...newer.header,
      items,
      firstTimeMs: Math.min(older.header.firstTimeMs, newer.header.firstTimeMs),
      uncompressedBytes: bytes.length,
    };
    return { header, body };
  } catch {
    // Not readable as a request: it stays as it is, and is dropped when its turn comes.
    return undefined;
  }
}
