/**
 * Walks the bytes of one segment. Every branch moves forward, so that no damage can hold it up: a bad header loses
 * the rest of the segment, a bad payload loses that record alone (otlp 4.5 "Recovery").
 * @module
 */
import {
  decodePayload,
  decodeRecordHeader,
  decodeSegmentHeader,
  RECORD_HEADER_BYTES,
  recordBytes,
  type RecordHeader,
  type RecordPayload,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "./spool_record.ts";

/** A record in its segment. */
export interface FoundRecord {
  readonly header: RecordHeader;
  readonly offset: number;
  /** One past its last byte. */
  readonly end: number;
}

/** What a segment holds. */
export interface Scan {
  /** Undefined: the segment's own header is damaged and nothing in it can be trusted. */
  readonly header: SegmentHeader | undefined;
  readonly records: readonly FoundRecord[];
  /** One past the last byte that belongs to a record. */
  readonly end: number;
  /** Bytes after `end`: a torn tail, or the rest behind a damaged header. */
  readonly lostBytes: number;
}

/** All records whose headers are good and whose ends are inside the segment. Payloads are not checked here. */
export function scanSegment(bytes: Uint8Array): Scan {
  const header = decodeSegmentHeader(bytes);
  if (header === undefined) return { header, records: [], end: 0, lostBytes: bytes.length };
  const records: FoundRecord[] = [];
  let offset = SEGMENT_HEADER_BYTES;
  while (offset < bytes.length) {
    const record = decodeRecordHeader(bytes.subarray(offset, offset + RECORD_HEADER_BYTES));
    if (record === undefined) break;
    const end = offset + recordBytes(record);
    if (end > bytes.length) break;
    records.push({ header: record, offset, end });
    offset = end;
  }
  return { header, records, end: offset, lostBytes: bytes.length - offset };
}

/** The payload of a record of a scanned segment; undefined when it is damaged. */
export function payloadOf(
  bytes: Uint8Array,
  { header, offset, end }: FoundRecord,
): RecordPayload | undefined {
  return decodePayload(header, bytes.subarray(offset + RECORD_HEADER_BYTES, end));
}
