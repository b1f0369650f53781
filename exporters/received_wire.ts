/**
 * The few protobuf messages the receiver writes: attributes of the host and its answers. By hand, so that a receiver
 * of protobuf never loads the protobuf runtime. Source: protobuf's "Encoding" page.
 * @module
 */
import type { AttributeValue } from "../collectors/metric.ts";
import { concat } from "./gzip.ts";
import { FIXED64, LENGTH, VARINT } from "./wire.ts";

const encoder = new TextEncoder();

/** The varint form of a length or another whole number from 0 to 2^53. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push(rest % 128 + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

/** The varint form of an int64; negative numbers take ten bytes. */
function int64(value: number): number[] {
  if (value >= 0) return varint(value);
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128);
  return [...bytes, Number(rest)];
}

/** A length-delimited field: a message, text or bytes. */
export function lengthField(number: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = [...varint(number * 8 + LENGTH), ...varint(content.length)];
  return concat([new Uint8Array(head), content], head.length + content.length);
}

/** A string field. */
export function textField(number: number, text: string): Uint8Array<ArrayBuffer> {
  return lengthField(number, encoder.encode(text));
}

/** An int32, int64, bool or enum field. */
export function intField(number: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...varint(number * 8 + VARINT), ...int64(value)]);
}

/** The bytes of all pieces. */
export function size(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((total, piece) => total + piece.length, 0);
}

/** The pieces as one array; of fields, a message. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concat(pieces, size(pieces));
}

/** `AnyValue` (otlp E8: the value is written even when it is zero). */
function anyValue(value: AttributeValue): Uint8Array<ArrayBuffer> {
  if (typeof value === "string") return textField(1, value);
  if (typeof value === "boolean") return intField(2, value ? 1 : 0);
  if (Number.isSafeInteger(value)) return intField(3, value);
  const field = new DataView(new ArrayBuffer(9));
  field.setUint8(0, 4 * 8 + FIXED64);
  field.setFloat64(1, value, true);
  return new Uint8Array(field.buffer);
}

/** `KeyValue`. */
export function keyValue(key: string, value: AttributeValue): Uint8Array<ArrayBuffer> {
  return joined([textField(1, key), lengthField(2, anyValue(value))]);
}
