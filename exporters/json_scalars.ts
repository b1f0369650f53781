/**
 * Values of OTLP/JSON as protobuf has them: ids are hex, other bytes base64, integers and doubles numbers or text,
 * enums numbers or names (otlp E2 to E7).
 * @module
 */
import { OTLP_ENUMS, type OtlpScalar } from "../proto_gen/otlp_fields.ts";
import { IDS, type Scalar } from "./otlp_fields.ts";

/** A member that is not what OTLP has there. */
export function wrong(name: string, found: unknown, rule: string): SyntaxError {
  const isNull = found === null || typeof found !== "object";
  const text = isNull ? String(found) : Array.isArray(found) ? "an array" : "an object";
  return new SyntaxError(`"${name}" is ${text.slice(0, 60)}, expected ${rule}`);
}

/** A member's value. Throws `SyntaxError` when it is none of its type. */
export function scalarOf(name: string, type: OtlpScalar, json: unknown): Scalar {
  switch (type) {
    case "string":
      if (typeof json === "string") return json;
      throw wrong(name, json, "text");
    case "bool":
      if (typeof json === "boolean") return json;
      throw wrong(name, json, "true or false");
    case "bytes":
      return bytesOf(name, json);
    case "double":
      return doubleOf(name, json);
    case "enum":
      return typeof json === "string" && OTLP_ENUMS[name]?.[json] || wholeOf(name, json, INT32);
    case "fixed32":
    case "uint32":
      return wholeOf(name, json, UINT32);
    case "int32":
    case "sint32":
      return wholeOf(name, json, INT32);
    case "int64":
    case "sfixed64":
      return longOf(name, json, INT64);
    case "fixed64":
    case "uint64":
      return longOf(name, json, UINT64);
  }
}

/** Ids are hex (otlp E2), other bytes base64 in either alphabet, padded or not. */
function bytesOf(name: string, json: unknown): Uint8Array {
  if (typeof json !== "string") throw wrong(name, json, "text");
  try {
    if (IDS.has(name)) return Uint8Array.fromHex(json);
    return Uint8Array.fromBase64(json, { alphabet: /[-_]/.test(json) ? "base64url" : "base64" });
  } catch (cause) {
    throw new SyntaxError(wrong(name, json, IDS.has(name) ? "hex" : "base64").message, { cause });
  }
}

const NOT_FINITE: ReadonlyMap<unknown, number> = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function doubleOf(name: string, json: unknown): number {
  const value = typeof json === "string" && DECIMAL.test(json) ? Number(json) : json;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const named = NOT_FINITE.get(json);
  if (named === undefined) throw wrong(name, json, "a number of 64 bits");
  return named;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

const INT32: Range = { min: -(2 ** 31), max: 2 ** 31 - 1 };
const UINT32: Range = { min: 0, max: 2 ** 32 - 1 };

function wholeOf(name: string, json: unknown, { min, max }: Range): number {
  const value = typeof json === "string" && DECIMAL.test(json) ? Number(json) : json;
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw wrong(name, json, `a whole number from ${min} to ${max}`);
}

interface LongRange {
  readonly min: bigint;
  readonly max: bigint;
}

const INT64: LongRange = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const UINT64: LongRange = { min: 0n, max: 2n ** 64n - 1n };
const WHOLE = /^-?\d{1,20}$/;

function longOf(name: string, json: unknown, { min, max }: LongRange): bigint {
  if (typeof json === "string" ? WHOLE.test(json) : Number.isInteger(json)) {
    const value = BigInt(String(json));
    if (value >= min && value <= max) return value;
  }
  throw wrong(name, json, `a whole number from ${min} to ${max}`);
}
