/**
 * What the rows of the generated table mean on the wire: wire types, tags, what proto3 leaves out, and scalars written.
 * Shared by all that writes OTLP by that table.
 * @module
 */
import { OTLP_FIELDS, type OtlpField, type OtlpMessage, type OtlpScalar } from "../proto_gen/otlp_fields.ts";
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

/** Number of a field. */
export function numberOf(message: OtlpMessage, name: string): number {
  return fieldOf(message, name)[0];
}

/** Number and wire type of a field that holds one value, as they stand before it. */
export function tagOf(message: OtlpMessage, name: string): number {
  const [number, type] = fieldOf(message, name);
  return number * 8 + (isScalar(type) ? WIRE_TYPES[type] : LENGTH);
}

function fieldOf(message: OtlpMessage, name: string): OtlpField {
  const field = OTLP_FIELDS[message][name];
  if (field === undefined) throw new RangeError(`BUG: ${message} has no field "${name}"`);
  return field;
}

/** True for a type that is no message. */
export function isScalar(type: OtlpField[1]): type is OtlpScalar {
  return type in WIRE_TYPES;
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

/** A row of the table with what is worked out once. */
export interface Field {
  readonly name: string;
  readonly type: OtlpField[1];
  readonly rule: OtlpField[2];
  /** Number and wire type of one value. */
  readonly tag: number;
}

/** The fields of a message, for what reads it. */
export interface MessageFields {
  readonly byNumber: ReadonlyMap<number, Field>;
  /** By their names in JSON and in the definitions. */
  readonly byName: ReadonlyMap<string, Field>;
}

const READ = new Map<OtlpMessage, MessageFields>();

/** The fields of a message; the same object each time. */
export function fieldsOf(message: OtlpMessage): MessageFields {
  const known = READ.get(message);
  if (known !== undefined) return known;
  const [byNumber, byName] = [new Map<number, Field>(), new Map<string, Field>()];
  for (const [name, [number, type, rule]] of Object.entries(OTLP_FIELDS[message])) {
    const field = { name, type, rule, tag: tagOf(message, name) };
    byNumber.set(number, field);
    byName.set(name, field);
    byName.set(name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), field);
  }
  const fields = { byNumber, byName };
  READ.set(message, fields);
  return fields;
}
