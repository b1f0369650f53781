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
} from "../proto_gen/otlp_fields.ts";
import { IDS, isScalar, isZero, WIRE_TYPES, writeScalar } from "./otlp_fields.ts";
import { type Json, jsonDouble } from "./otlp_values.ts";
import { LENGTH } from "./wire.ts";
import type { Fields, FieldValue } from "./wire_message.ts";
import { WireWriter } from "./wire_writer.ts";

/** The bytes of a message. */
export function encodeMessage<M extends OtlpMessage>(
  message: M,
  init: OtlpMessages[M],
): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter();
  writeMessage(writer, message, init);
  return writer.finish();
}

/** The members of a message, in the shape `readMessage` gives, as OTLP/JSON. */
export function fieldsJson(message: OtlpMessage, fields: Fields): Json {
  return jsonOf(message, fields);
}

/** Writes members in the shape `readMessage` gives, without a length before them; what is undefined is left out. */
export function writeFields(
  writer: WireWriter,
  message: OtlpMessage,
  fields: Readonly<Record<string, FieldValue | undefined>>,
): void {
  writeMessage(writer, message, fields);
}

/** A message as OTLP/JSON: enums as numbers, ids in hex, 64-bit integers as text. */
export function messageJson<M extends OtlpMessage>(message: M, init: OtlpMessages[M]): Json {
  return jsonOf(message, init);
}

type Visit = (name: string, field: OtlpField, value: unknown) => void;

/** The fields of a message that are to be written: proto3 leaves out zero values unless they say something. */
function eachField(message: OtlpMessage, init: object, visit: Visit): void {
  const fields = OTLP_FIELDS[message];
  const entries: [string, unknown][] = Object.entries(init);
  for (const [name, value] of entries) {
    const field = fields[name];
    if (field === undefined) eachOfOneof(fields, value, visit);
    else if (value !== undefined && (isKept(field) || !isZero(value))) visit(name, field, value);
  }
}

/** True for a field that is written when it has its zero value too. */
function isKept([, , rule]: OtlpField): boolean {
  return rule === "optional" || rule === "oneof";
}

/** The one member that a oneof has, or none. */
function eachOfOneof(fields: Readonly<Record<string, OtlpField>>, value: unknown, visit: Visit): void {
  if (typeof value !== "object" || value === null || !("case" in value) || !("value" in value)) return;
  const field = typeof value.case === "string" ? fields[value.case] : undefined;
  if (field !== undefined) visit(String(value.case), field, value.value);
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
