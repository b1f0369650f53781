/**
 * Protobuf's wire format, read without decoding into objects: a scanner that walks the fields of a byte range.
 * It finds the places the encoder patches, and reads the two small answers the courier needs (otlp R16, E14), so
 * that the courier does without the protobuf runtime. Source: protobuf's "Encoding" page; groups are refused.
 * @module
 */

/** Wire types of protobuf; 3 and 4 (groups) do not occur in OTLP. */
export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH = 2;
export const FIXED32 = 5;

/** Messages inside messages; protobuf's own parsers stop here too. */
export const DEPTH_MAX = 100;

/**
 * A cursor over the fields of one message. `next` moves to a field and sets `number`, `type` and the bounds of its
 * value; no object is made per field. Throws `SyntaxError` on anything that is not a whole message.
 */
export class FieldScanner {
  readonly #bytes: Uint8Array;
  #position: number;
  readonly #limit: number;
  /** Field number, from 1. */
  number = 0;
  /** Wire type. */
  type = 0;
  /** First byte of the field, its tag included. */
  tag = 0;
  /** First byte of the value; for a length-delimited field, of its content. */
  start = 0;
  /** One past the last byte of the value. */
  end = 0;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#position = start;
    this.#limit = end;
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#position >= this.#limit) return false;
    this.tag = this.#position;
    const key = this.#varint();
    this.number = Math.floor(key / 8);
    this.type = key % 8;
    if (this.number === 0) throw this.#error("field number 0", "a field number from 1");
    const size = this.#size();
    this.start = this.#position;
    if (this.type === VARINT) this.#varint();
    else this.#position += size;
    this.end = this.#position;
    if (this.end > this.#limit) throw this.#error("a field past the end", "a whole message");
    return true;
  }

  /** A cursor over the message that is the current field's value. */
  inside(): FieldScanner {
    return new FieldScanner(this.#bytes, this.start, this.end);
  }

  /** The current varint, low 64 bits as a signed number (int64). Inexact beyond 2^53. */
  int64(): number {
    let value = 0n;
    for (let at = this.start, shift = 0n; at < this.end; at++, shift += 7n) {
      value |= BigInt((this.#bytes[at] ?? 0) & 0x7f) << shift;
    }
    return Number(BigInt.asIntN(64, value));
  }

  /** The current length-delimited value as text; bad UTF-8 becomes U+FFFD. */
  text(): string {
    return new TextDecoder().decode(this.#bytes.subarray(this.start, this.end));
  }

  /** Bytes the value takes, after its own length prefix; 0 for a varint, which is walked. */
  #size(): number {
    switch (this.type) {
      case VARINT:
        return 0;
      case FIXED64:
        return 8;
      case LENGTH:
        return this.#varint();
      case FIXED32:
        return 4;
      default:
        throw this.#error(`wire type ${this.type}`, "0, 1, 2 or 5");
    }
  }

  #varint(): number {
    let value = 0;
    for (let i = 0, unit = 1; i < 10; i++, unit *= 128) {
      const byte = this.#position < this.#limit ? this.#bytes[this.#position] : undefined;
      if (byte === undefined) throw this.#error("a cut varint", "a whole message");
      this.#position++;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
    throw this.#error("a varint of more than 10 bytes", "at most 10");
  }

  #error(found: string, rule: string): SyntaxError {
    return new SyntaxError(`Cannot read protobuf at byte ${this.tag}: ${found}, expected ${rule}`);
  }
}

/** What a backend said about a request that it took only in part. */
export interface PartialSuccess {
  /** Items refused for good; 0 with a message is a warning. */
  readonly rejected: number;
  /** The backend's own words, unbounded; "" when it gave none. */
  readonly message: string;
}

/**
 * Reads `partial_success` of an `Export{Metrics,Logs,Trace}ServiceResponse`, which has the same numbers in all three.
 * Undefined when it is absent or says nothing. Throws `SyntaxError` when the bytes are no such message.
 */
export function decodePartialSuccess(bytes: Uint8Array): PartialSuccess | undefined {
  let rejected = 0;
  let message = "";
  const response = new FieldScanner(bytes);
  while (response.next()) {
    if (response.number !== 1 || response.type !== LENGTH) continue;
    const partial = response.inside();
    while (partial.next()) {
      if (partial.number === 1 && partial.type === VARINT) rejected = Math.max(0, partial.int64());
      else if (partial.number === 2 && partial.type === LENGTH) message = partial.text();
    }
  }
  return rejected === 0 && message === "" ? undefined : { rejected, message };
}

/**
 * Reads the message of a `google.rpc.Status`, the body of an OTLP error answer. Undefined when it is absent or empty.
 * Throws `SyntaxError` when the bytes are no such message, which servers often send (plain text, HTML).
 */
export function decodeStatusMessage(bytes: Uint8Array): string | undefined {
  let message = "";
  const status = new FieldScanner(bytes);
  while (status.next()) {
    if (status.number === 2 && status.type === LENGTH) message = status.text();
  }
  return message === "" ? undefined : message;
}
