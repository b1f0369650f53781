/**
 * Reads one record of a segment file.
 * @module
 */
import type { Signal } from "./batch.ts";
import type { Entry } from "./queue.ts";
import { readAt } from "./spool_files.ts";
import {
  decodePayload,
  decodeRecordHeader,
  RECORD_HEADER_BYTES,
  recordBytes,
  type RecordHeader,
  type RecordPayload,
  SEGMENT_HEADER_BYTES,
} from "./spool_record.ts";

/** A record read from disk. */
export interface StoredRecord {
  readonly kind: "record";
  readonly header: RecordHeader;
  readonly payload: RecordPayload;
  readonly path: string;
  /** One past its last byte. */
  readonly end: number;
}

/** What stands at an offset: a record, one with a damaged payload, or nothing that can be read. */
export type RecordAt =
  | StoredRecord
  | { readonly kind: "damaged"; readonly header: RecordHeader; readonly end: number }
  | { readonly kind: "end" };

/** Reads what stands at `offset`. Throws what the disk throws, but a file that is gone has come to its end. */
export async function readRecord(path: string, offset: number): Promise<RecordAt> {
  try {
    using file = await Deno.open(path, { read: true });
    const header = decodeRecordHeader(await readAt(file, offset, RECORD_HEADER_BYTES));
    if (header === undefined) return { kind: "end" };
    const end = offset + recordBytes(header);
    const rest = await readAt(file, offset + RECORD_HEADER_BYTES, header.payloadBytes + 4);
    const payload = decodePayload(header, rest);
    return payload === undefined
      ? { kind: "damaged", header, end }
      : { kind: "record", header, payload, path, end };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "end" };
    throw error;
  }
}

/** The record behind `record`, in its segment or the next one with any; steps over damage. */
export async function readNext(
  { path, end }: StoredRecord,
  segments: readonly { readonly path: string }[],
): Promise<StoredRecord | undefined> {
  let offset = end;
  for (const segment of segments.slice(segments.findIndex((each) => each.path === path))) {
    let found = await readRecord(segment.path, offset);
    while (found.kind === "damaged") found = await readRecord(segment.path, found.end);
    if (found.kind === "record") return found;
    offset = SEGMENT_HEADER_BYTES;
  }
  return undefined;
}

/** The record as a batch of its lane. */
export function entryOf(
  record: StoredRecord | undefined,
  { destination, signal }: { destination: string; signal: Signal },
): Entry | undefined {
  if (record === undefined) return undefined;
  const { encoding, items, firstTimeMs, lastTimeMs, sequence, plainBytes, gzipped } = record.header;
  const header = {
    destination,
    signal,
    encoding,
    items,
    firstTimeMs,
    lastTimeMs,
    sequence,
    uncompressedBytes: plainBytes,
  };
  return { sequence, batch: { header, body: { bytes: record.payload.body, gzipped } } };
}
