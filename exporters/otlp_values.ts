/**
 * Attribute values on the wire, in both encodings (otlp E5, E7, E12, P18). Shared by all three signals.
 * @module
 */
import type { AttributeValue } from "../collectors/metric.ts";
import { Double } from "./double.ts";
import type { OtlpMessages } from "../proto_gen/otlp_fields.ts";

/** An attribute's value as the library's users may give it; deeper than what collectors use. */
export type AnyAttribute =
  | AttributeValue
  | bigint
  | Double
  | Uint8Array
  | readonly AnyAttribute[]
  | { readonly [key: string]: AnyAttribute };

/** Attributes with any value OTLP knows, by key. */
export type AnyAttributes = Readonly<Record<string, AnyAttribute>>;

/** Text without lone surrogates, which are no UTF-8 (otlp E12). */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** Entries with clean keys, each key once; the last one wins (otlp P18). */
function entries(attributes: AnyAttributes): Iterable<readonly [string, AnyAttribute]> {
  const all = Object.entries(attributes);
  return all.every(([key]) => key.isWellFormed())
    ? all
    : new Map(all.map(([key, value]) => [wellFormed(key), value]));
}

const INT64_MIN = -(2n ** 63n);
const INT64_END = 2n ** 63n;

/** True when a bigint fits OTLP's signed 64-bit integers. */
export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value < INT64_END;
}

/** What an attribute value becomes: an int, a double, or what its type says. */
type Wire =
  | { readonly case: "intValue"; readonly value: bigint }
  | { readonly case: "doubleValue"; readonly value: number }
  | { readonly case: "stringValue"; readonly value: string }
  | { readonly case: "boolValue"; readonly value: boolean }
  | { readonly case: "bytesValue"; readonly value: Uint8Array }
  | { readonly case: "arrayValue"; readonly value: readonly AnyAttribute[] }
  | { readonly case: "kvlistValue"; readonly value: AnyAttributes };

function isList(value: AnyAttribute): value is readonly AnyAttribute[] {
  return Array.isArray(value);
}

function wire(value: AnyAttribute): Wire {
  switch (typeof value) {
    case "string":
      return { case: "stringValue", value: wellFormed(value) };
    case "boolean":
      return { case: "boolValue", value };
    case "number":
      return Number.isSafeInteger(value)
        ? { case: "intValue", value: BigInt(value) }
        : { case: "doubleValue", value };
    case "bigint":
      return fitsInt64(value) ? { case: "intValue", value } : { case: "doubleValue", value: Number(value) };
  }
  if (value instanceof Double) return { case: "doubleValue", value: value.value };
  if (value instanceof Uint8Array) return { case: "bytesValue", value };
  return isList(value) ? { case: "arrayValue", value } : { case: "kvlistValue", value };
}

/** Protobuf form of an attribute value. */
export function protoValue(value: AnyAttribute): OtlpMessages["AnyValue"] {
  const it = wire(value);
  switch (it.case) {
    case "bytesValue":
      return { value: { case: it.case, value: it.value.slice() } };
    case "arrayValue":
      return { value: { case: it.case, value: { values: it.value.map(protoValue) } } };
    case "kvlistValue":
      return { value: { case: it.case, value: { values: protoAttributes(it.value) } } };
    default:
      return { value: it };
  }
}

/** Protobuf form of attributes. */
export function protoAttributes(attributes: AnyAttributes): OtlpMessages["KeyValue"][] {
  return Array.from(entries(attributes), ([key, value]) => ({ key, value: protoValue(value) }));
}

/** A JSON value. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

/** A double in proto3 JSON, where JSON itself has no word for the last three (otlp E7). */
export function jsonDouble(value: number): Json {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

/** OTLP/JSON form of an attribute value: 64-bit ints as text, bytes as base64 (otlp E3, E5). */
export function jsonValue(value: AnyAttribute): Json {
  const it = wire(value);
  switch (it.case) {
    case "stringValue":
      return { stringValue: it.value };
    case "boolValue":
      return { boolValue: it.value };
    case "intValue":
      return { intValue: it.value.toString() };
    case "doubleValue":
      return { doubleValue: jsonDouble(it.value) };
    case "bytesValue":
      return { bytesValue: it.value.toBase64() };
    case "arrayValue":
      return { arrayValue: { values: it.value.map(jsonValue) } };
    case "kvlistValue":
      return { kvlistValue: { values: jsonAttributes(it.value) } };
  }
}

/** OTLP/JSON form of attributes. */
export function jsonAttributes(attributes: AnyAttributes): Json[] {
  return Array.from(entries(attributes), ([key, value]) => ({ key, value: jsonValue(value) }));
}
