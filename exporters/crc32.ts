/**
 * CRC-32 (IEEE 802.3, as in gzip) of the spool's records. In plain code: node:zlib has it faster, but costs 8 MB of
 * memory to load, and a batch is checked only when it goes to disk or comes from there. Where node:zlib is loaded for
 * something else it is used: 100 KB take 5 ms here without a JIT.
 * @module
 */

type Checksum = (bytes: Uint8Array) => number;

/** Below this a call costs more than it saves. */
const NATIVE_BYTES_MIN = 256;

let native: Checksum | undefined;

/** From now on long checksums are taken by `checksum`, which must be the same function: node:zlib's. */
export function takeNative(checksum: Checksum): void {
  native = checksum;
}

/** Eight tables, so that eight bytes are taken at a time. */
const TABLES: Uint32Array = makeTables();

function makeTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    tables[byte] = value;
  }
  for (let at = 256; at < tables.length; at++) {
    const previous = tables[at - 256] ?? 0;
    tables[at] = (previous >>> 8) ^ (tables[previous & 0xff] ?? 0);
  }
  return tables;
}

function entry(table: number, byte: number): number {
  return TABLES[table * 256 + (byte & 0xff)] ?? 0;
}

/** The checksum, as an unsigned number. */
export function crc32(bytes: Uint8Array): number {
  if (native !== undefined && bytes.length >= NATIVE_BYTES_MIN) return native(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let crc = -1;
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    const low = crc ^ view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    crc = entry(7, low) ^ entry(6, low >>> 8) ^ entry(5, low >>> 16) ^ entry(4, low >>> 24) ^
      entry(3, high) ^ entry(2, high >>> 8) ^ entry(1, high >>> 16) ^ entry(0, high >>> 24);
  }
  for (; at < bytes.length; at++) crc = entry(0, crc ^ view.getUint8(at)) ^ (crc >>> 8);
  return ~crc >>> 0;
}
