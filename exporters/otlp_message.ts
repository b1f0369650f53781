/**
 * OTLP messages as protobuf and as OTLP/JSON, straight from plain objects in the shape of the generated types. Field
 * numbers come from the generated table, so that a program that only sends loads neither descriptors nor the runtime
 * that reads them, 20 ms and 8 MiB at each start. Fields are written in the order of the object, which no reader minds.
 * Rules: otlp E1 to E10.
 * @module
 */
import {
  OTLP_FIELDS,
  type OtlpField,
  type OtlpMessage,
  type OtlpMessages,
  type OtlpScalar,
} from "../proto_gen/otlp_fields.ts";
import { type Json, jsonDouble } from "./otlp_values.ts";
import { FIXED32, FIXED64, LENGTH, VARINT } from "./wire.ts";
import { WireWriter } from "./wire_writer.ts";

const WIRE_TYPES: Readonly<Record<OtlpScalar, number>> = {
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
const IDS: ReadonlySet<string> = new Set(["traceId", "spanId", "parentSpanId"]);

/** The bytes of a message. */
export function encodeMessage<M extends OtlpMessage>(
  message: M,
  init: OtlpMessages[M],
): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter();
  writeMessage(writer, message, init);
  return writer.finish();
}

/** A message as OTLP/JSON: enums as numbers, ids in hex, 64-bit integers as text. */
export function messageJson<M extends OtlpMessage>(message: M, init: OtlpMessages[M]): Json {
  return jsonOf(message, init);
}

/** Number and wire type of a field that holds one value, as they stand before it. */
export function tagOf(message: OtlpMessage, name: string): number {
  const field = OTLP_FIELDS[message][name];
  if (field === undefined) throw new RangeError(`BUG: ${message} has no field "${name}"`);
  const [number, type] = field;
  return number * 8 + (isScalar(type) ? WIRE_TYPES[type] : LENGTH);
}

function isScalar(type: OtlpField[1]): type is OtlpScalar {
  return type in WIRE_TYPES;
}

type Visit = (name: string, field: OtlpField, value: unknown) => void;

/** The fields of a message that are to be written: proto3 leaves out zero values unless they say something. */
function eachField(message: OtlpMessage, init: object, visit: Visit): void {
  const fields = OTLP_FIELDS[message];
  const entries: [string, unknown][] = Object.entries(init);
  for (const [name, value] of entries) {
    const field = fields[name];
    if (field === undefined) eachOfOneof(fields, value, visit);
    else if (value !== undefined && (field[2] === "optional" || !isZero(value))) visit(name, field, value);
  }
}

/** The one member that a oneof has, or none. */
function eachOfOneof(fields: Readonly<Record<string, OtlpField>>, value: unknown, visit: Visit): void {
  if (typeof value !== "object" || value === null || !("case" in value) || !("value" in value)) return;
  const field = typeof value.case === "string" ? fields[value.case] : undefined;
  if (field !== undefined) visit(String(value.case), field, value.value);
}

function isZero(value: unknown): boolean {
  if (typeof value === "object") {
    return isList(value) || value instanceof Uint8Array ? value.length === 0 : false;
  }
  return value === 0 || value === "" || value === 0n || value === false;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function writeMessage(writer: WireWriter, message: OtlpMessage, init: object): void {
  eachField(message, init, (_, field, value) => {
    if (field[2] === "repeated" && isList(value)) writeList(writer, field, value);
    else writeField(writer, field, value);
  });
}

/** Numbers are packed (otlp E10); OTLP has no list of booleans or enums. */
function writeList(writer: WireWriter, field: OtlpField, values: readonly unknown[]): void {
  const [number, type] = field;
  if (!isScalar(type) || WIRE_TYPES[type] === LENGTH) {
    for (const value of values) writeField(writer, field, value);
    return;
  }
  writer.varint(number * 8 + LENGTH);
  const start = writer.open();
  for (const value of values) writeScalar(writer, type, value);
  writer.close(start);
}

function writeField(writer: WireWriter, [number, type]: OtlpField, value: unknown): void {
  if (isScalar(type)) {
    writer.varint(number * 8 + WIRE_TYPES[type]);
    writeScalar(writer, type, value);
    return;
  }
  writer.varint(number * 8 + LENGTH);
  const start = writer.open();
  writeMessage(writer, type, inner(type, value));
  writer.close(start);
}

function inner(message: OtlpMessage, value: unknown): object {
  if (typeof value === "object" && value !== null) return value;
  throw new TypeError(`BUG: ${message} is ${typeof value}, expected an object`);
}

function writeScalar(writer: WireWriter, type: OtlpScalar, value: unknown): void {
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

function jsonOf(message: OtlpMessage, init: object): Json {
  const json: Record<string, Json> = {};
  eachField(message, init, (name, [, type], value) => {
    json[name] = isList(value)
      ? value.map((each) => valueJson(name, type, each))
      : valueJson(name, type, value);
  });
  return json;
}

function valueJson(name: string, type: OtlpField[1], value: unknown): Json {
  if (!isScalar(type)) return jsonOf(type, inner(type, value));
  if (value instanceof Uint8Array) return IDS.has(name) ? value.toHex() : value.toBase64();
  switch (typeof value) {
    case "bigint":
      return value.toString();
    case "number":
      return jsonDouble(value);
    case "string":
    case "boolean":
      return value;
    default:
      throw new TypeError(`BUG: ${type} is ${typeof value}`);
  }
}
