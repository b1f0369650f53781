/**
 * A WebSocket message of OpAMP: a Base-128 varint header, which must be 0, and the protobuf bytes (opamp 1.3).
 * @module
 */

const HEADER_BYTES_MAX = 10;

/** The message with its header. */
export function frame(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const framed = new Uint8Array(bytes.length + 1);
  framed.set(bytes, 1);
  return framed;
}

/** The message behind its header. Throws SyntaxError when the header is not a zero. */
export function unframe(data: Uint8Array): Uint8Array {
  for (let index = 0; index < Math.min(data.length, HEADER_BYTES_MAX); index++) {
    const byte = data[index] ?? 0;
    if ((byte & 0x7f) !== 0) break;
    if (byte === 0) return data.subarray(index + 1);
  }
  throw new SyntaxError("Cannot read OpAMP frame: header is not 0, expected 0");
}
