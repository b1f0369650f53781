/**
 * OTLP/JSON made of proto3 JSON: ids in hex rather than base64 (otlp E2).
 * @module
 */
import type { JsonValue } from "@bufbuild/protobuf";

const IDS: ReadonlySet<string> = new Set(["traceId", "spanId", "parentSpanId"]);

/** Protobuf's JSON with its ids in hex. */
export function hexIds(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(hexIds);
  if (typeof json !== "object" || json === null) return json;
  const entries = Object.entries(json).map(([key, value]): [string, JsonValue] => {
    const isId = IDS.has(key) && typeof value === "string";
    return [key, isId ? Uint8Array.fromBase64(value).toHex() : hexIds(value)];
  });
  return Object.fromEntries(entries);
}
