/**
 * What the rows of the generated table mean on the wire: wire types, tags, what proto3 leaves out, and scalars written.
 * Shared by all that writes OTLP by that table.
 * @module
 */
import {
  OTLP_FIELDS,
  type OtlpField,
  type OtlpMessage,
  type OtlpRule,
  type OtlpScalar,
} from "../proto_gen/otlp_fields.ts";
import { FIXED32, FIXED64, LENGTH, VARINT } from "./wire.ts";
import type { WireWriter } from "./wire_writer.ts";

/** Wire types of scalars that are not packed. */
export const WIRE_TYPES: Readonly<Record<OtlpScalar, number>> = {
  bool: VARINT,
  bytes: LENGTH,
  double: FIXED64,
  enum: VARINT,
  fixed32: FIXED32,
  fixed64: FIXED64,
  int32: VARINT,
  int64: VARINT,
  sfixed64: FIXED64,
  sint32: VARINT,
  string: LENGTH,
  uint32: VARINT,
  uint64: VARINT,
};

/** Bytes fields that OTLP/JSON writes in hex (otlp E2); no other field has these names. */
export const IDS: ReadonlySet<string> = new Set(["traceId", "spanId", "parentSpanId"]);

/** Number and wire type of a field that holds one value, as they stand before it. */
export function tagOf(message: OtlpMessage, name: string): number {
  const field = OTLP_FIELDS[message][name];
  if (field === undefined) throw new RangeError(`BUG: ${message} has no field "${name}"`);
  const [number, type] = field;
  return number * 8 + (isScalar(type) ? WIRE_TYPES[type] : LENGTH);
}

/** True for a type that is no message. */
export function isScalar(type: OtlpField[1]): type is OtlpScalar {
  return type in WIRE_TYPES;
}

/** True for fields that are written when they have their zero value too. */
export function isKept(rule: OtlpRule | undefined): boolean {
  return rule === "optional" || rule === "oneof";
}

/** True for what proto3 leaves out. */
export function isZero(value: unknown): boolean {
  if (typeof value === "object") {
    return Array.isArray(value) || value instanceof Uint8Array ? value.length === 0 : false;
  }
  return value === 0 || value === "" || value === 0n || value === false;
}

/** A scalar as messages are made of it: 64-bit integers as bigint, or as number where that is exact. */
export type Scalar = string | number | bigint | boolean | Uint8Array;

/** Writes a value without its tag. */
export function writeScalar(writer: WireWriter, type: OtlpScalar, value: unknown): void {
  if (typeof value === "string") writer.text(value);
  else if (value instanceof Uint8Array) writer.bytes(value);
  else if (typeof value === "boolean") writer.varint(value ? 1 : 0);
  else if (typeof value === "bigint") {
    if (WIRE_TYPES[type] === FIXED64) writer.fixed64(value);
    else writer.varint(value);
  } else if (typeof value !== "number") throw new TypeError(`BUG: ${type} is ${typeof value}`);
  else if (type === "double") writer.double(value);
  else if (type === "fixed32") writer.fixed32(value);
  // Zigzag, so that small negative numbers stay short.
  else if (type === "sint32") writer.varint(value < 0 ? -2 * value - 1 : 2 * value);
  else writer.varint(value);
}
