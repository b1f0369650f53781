/**
 * Protobuf's wire format, written into one growing buffer. The library's own writer brings its reflection, which is
 * 2 ms and 2 MiB at each start, and makes an array per string. Source: protobuf's "Encoding" page.
 * @module
 */
import { release } from "./growing_bytes.ts";
import { varintSize } from "./wire_frame.ts";

/** Enough for a data point; a whole request grows in a dozen steps. */
const START_BYTES = 256;

/** Bytes of the longest varint. */
const VARINT_MAX = 10;

/** Writes values one behind the other. Tags are the caller's. */
export class WireWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #at = 0;
  readonly #text = new TextEncoder();

  /** `startBytes`: what there is room for at first. */
  constructor(startBytes: number = START_BYTES) {
    this.#bytes = new Uint8Array(startBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The low 64 bits of a whole number; a negative one takes ten bytes, as protobuf has it. */
  varint(value: number | bigint): void {
    this.#reserve(VARINT_MAX);
    const isPlain = typeof value === "number" && value >= 0;
    let left = isPlain ? value : this.#highBits(BigInt.asUintN(64, BigInt(value)));
    while (left >= 0x80) {
      this.#bytes[this.#at++] = (left % 0x80) + 0x80;
      left = Math.floor(left / 0x80);
    }
    this.#bytes[this.#at++] = left;
  }

  /** Writes what a number cannot hold exactly; returns the rest. */
  #highBits(value: bigint): number {
    while (value > 0x1fffffffffffffn) {
      this.#bytes[this.#at++] = Number(value & 0x7fn) + 0x80;
      value >>= 7n;
    }
    return Number(value);
  }

  fixed32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  /** 64 bits of a whole number, signed or not. */
  fixed64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigUint64(this.#at, value, true);
    this.#at += 8;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** A length and UTF-8. */
  text(value: string): void {
    const start = this.open();
    // No UTF-16 unit takes more than three bytes.
    this.#reserve(value.length * 3);
    this.#at += this.#text.encodeInto(value, this.#bytes.subarray(this.#at)).written;
    this.close(start);
  }

  /** A length and bytes. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** Fields that are encoded already. */
  raw(fields: Uint8Array): void {
    this.#reserve(fields.length);
    this.#bytes.set(fields, this.#at);
    this.#at += fields.length;
  }

  /** Bytes written. */
  get length(): number {
    return this.#at;
  }

  /** Takes back what was written after `length` bytes. */
  cut(length: number): void {
    this.#at = length;
  }

  /** Begins something whose length is not known yet; what it returns is for `close`. */
  open(): number {
    this.#reserve(1);
    return ++this.#at;
  }

  /** Writes the length of all since `open` before it. Most lengths take the one byte that was left for them. */
  close(start: number): void {
    const length = this.#at - start;
    if (length < 0x80) {
      this.#bytes[start - 1] = length;
      return;
    }
    const extra = varintSize(length) - 1;
    // Room for the whole varint now: the buffer must not grow once the position is set back.
    this.#reserve(VARINT_MAX);
    this.#bytes.copyWithin(start + extra, start, this.#at);
    const end = this.#at + extra;
    this.#at = start - 1;
    this.varint(length);
    this.#at = end;
  }

  /** A copy of all that was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }

  /** All that was written, in the buffer it was written to; the writer is done for. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(count: number): void {
    const wanted = this.#at + count;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    release(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
