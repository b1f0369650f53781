/**
 * The bytes of the spool: segment header, record, and what can be told from them (otlp 4.5). Little-endian, every
 * header and every payload with its own CRC, so that damage is found and confined.
 *
 * segment: magic "SOND" | version u8 | 3 zero bytes | sequence u64 | created ms u64 | lane u32 | CRC of the 28
 * record: length u32 | kind u8 | flags u8 | 2 zero bytes | items u32 | plain bytes u32 | sequence u64 | first ms u64
 *         | last ms u64 | baseline bytes u32 | CRC of the 44 | baseline, body | CRC of them
 * @module
 */
import type { Encoding } from "./batch.ts";
import { crc32 } from "./crc32.ts";
import type { LaneBatch } from "./queue.ts";

export const SEGMENT_HEADER_BYTES = 32;
export const RECORD_HEADER_BYTES = 48;
/** Header and trailing CRC of a record: what it costs beside its payload. */
export const RECORD_OVERHEAD_BYTES: number = RECORD_HEADER_BYTES + 4;
/** A length beyond this is damage, not a batch. */
export const PAYLOAD_BYTES_MAX: number = 16 * 1024 * 1024;

const MAGIC = 0x444e4f53;
const VERSION = 1;
const KIND_BATCH = 1;
const FLAG_GZIP = 1;
const FLAG_JSON = 2;
const FLAG_NATIVE = 4;

const ENCODING_FLAGS: Readonly<Record<Encoding, number>> = {
  protobuf: 0,
  json: FLAG_JSON,
  native: FLAG_NATIVE,
};

export interface SegmentHeader {
  readonly sequence: number;
  readonly createdMs: number;
  /** CRC of the lane's key: a segment that was moved here from another endpoint does not match. */
  readonly lane: number;
}

export interface RecordHeader {
  readonly sequence: number;
  readonly items: number;
  readonly plainBytes: number;
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
  readonly gzipped: boolean;
  readonly encoding: Encoding;
  readonly baselineBytes: number;
  /** Baseline and body. */
  readonly payloadBytes: number;
}

/** Bytes a record takes in all. */
export function recordBytes(header: RecordHeader): number {
  return RECORD_OVERHEAD_BYTES + header.payloadBytes;
}

export function encodeSegmentHeader({ sequence, createdMs, lane }: SegmentHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, VERSION);
  view.setBigUint64(8, BigInt(sequence), true);
  view.setBigUint64(16, BigInt(Math.max(0, Math.trunc(createdMs))), true);
  view.setUint32(24, lane, true);
  view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
  return bytes;
}

/** Undefined when it is damaged or of another version. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== MAGIC || view.getUint8(4) !== VERSION) return undefined;
  if (view.getUint32(28, true) !== crc32(bytes.subarray(0, 28))) return undefined;
  return {
    sequence: Number(view.getBigUint64(8, true)),
    createdMs: Number(view.getBigUint64(16, true)),
    lane: view.getUint32(24, true),
  };
}

/** A whole record. Throws a RangeError when the batch is larger than a record may be. */
export function encodeRecord(sequence: number, { header, body }: LaneBatch): Uint8Array<ArrayBuffer> {
  const baseline = new TextEncoder().encode(header.deltaBaseline ?? "");
  const payloadBytes = baseline.length + body.bytes.length;
  if (payloadBytes > PAYLOAD_BYTES_MAX) {
    throw new RangeError(`Cannot spool batch of ${payloadBytes} bytes: limit is ${PAYLOAD_BYTES_MAX} bytes`);
  }
  const bytes = new Uint8Array(RECORD_OVERHEAD_BYTES + payloadBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payloadBytes, true);
  view.setUint8(4, KIND_BATCH);
  view.setUint8(5, (body.gzipped ? FLAG_GZIP : 0) | ENCODING_FLAGS[header.encoding]);
  view.setUint32(8, header.items, true);
  view.setUint32(12, header.uncompressedBytes, true);
  view.setBigUint64(16, BigInt(sequence), true);
  view.setBigUint64(24, BigInt(Math.max(0, Math.trunc(header.firstTimeMs))), true);
  view.setBigUint64(32, BigInt(Math.max(0, Math.trunc(header.lastTimeMs))), true);
  view.setUint32(40, baseline.length, true);
  view.setUint32(44, crc32(bytes.subarray(0, 44)), true);
  bytes.set(baseline, RECORD_HEADER_BYTES);
  bytes.set(body.bytes, RECORD_HEADER_BYTES + baseline.length);
  const payload = bytes.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + payloadBytes);
  view.setUint32(RECORD_HEADER_BYTES + payloadBytes, crc32(payload), true);
  return bytes;
}

/** The header at the start of `bytes`; undefined when it is damaged: then the record's end is unknown too. */
export function decodeRecordHeader(bytes: Uint8Array): RecordHeader | undefined {
  if (bytes.length < RECORD_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(44, true) !== crc32(bytes.subarray(0, 44))) return undefined;
  const payloadBytes = view.getUint32(0, true);
  const baselineBytes = view.getUint32(40, true);
  if (view.getUint8(4) !== KIND_BATCH) return undefined;
  if (payloadBytes > PAYLOAD_BYTES_MAX || baselineBytes > payloadBytes) return undefined;
  const flags = view.getUint8(5);
  return {
    sequence: Number(view.getBigUint64(16, true)),
    items: view.getUint32(8, true),
    plainBytes: view.getUint32(12, true),
    firstTimeMs: Number(view.getBigUint64(24, true)),
    lastTimeMs: Number(view.getBigUint64(32, true)),
    gzipped: (flags & FLAG_GZIP) !== 0,
    encoding: (flags & FLAG_NATIVE) !== 0 ? "native" : (flags & FLAG_JSON) !== 0 ? "json" : "protobuf",
    baselineBytes,
    payloadBytes,
  };
}

/** What a record holds beside its header. */
export interface RecordPayload {
  readonly baseline?: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The payload that follows a header, CRC included; undefined when it is damaged. `bytes` begins at the payload. */
export function decodePayload(header: RecordHeader, bytes: Uint8Array): RecordPayload | undefined {
  const { payloadBytes, baselineBytes } = header;
  if (bytes.length < payloadBytes + 4) return undefined;
  const payload = bytes.subarray(0, payloadBytes);
  if (viewOf(bytes).getUint32(payloadBytes, true) !== crc32(payload)) return undefined;
  const body = payload.slice(baselineBytes);
  if (baselineBytes === 0) return { body };
  return { baseline: new TextDecoder().decode(payload.subarray(0, baselineBytes)), body };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
