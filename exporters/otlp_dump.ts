/**
 * A request's bytes as OTLP/JSON text, for people: `spool cat`, `tap`. Goes through the generated types, with what
 * protobuf-es writes otherwise put right: integer enums, ids in hex (otlp E2, E4).
 * @module
 */
import { fromBinary, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ExportLogsServiceRequestSchema } from "../proto_gen/logs_service_pb.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";
import { ExportTraceServiceRequestSchema } from "../proto_gen/trace_service_pb.ts";
import type { Encoding, Signal } from "./batch.ts";

const SCHEMAS = {
  metrics: ExportMetricsServiceRequestSchema,
  logs: ExportLogsServiceRequestSchema,
  traces: ExportTraceServiceRequestSchema,
};

/** Bytes fields that OTLP/JSON writes in hex; no other message field has these names. */
const IDS: ReadonlySet<string> = new Set(["traceId", "spanId", "parentSpanId"]);

/** One line of OTLP/JSON, with a line feed. Throws `SyntaxError` when the body is no such request. */
export function dumpRequest(body: Uint8Array, signal: Signal, encoding: Encoding): string {
  try {
    if (encoding !== "protobuf") return JSON.stringify(JSON.parse(new TextDecoder().decode(body))) + "\n";
    const schema = SCHEMAS[signal];
    return JSON.stringify(hexIds(toJson(schema, fromBinary(schema, body), { enumAsInteger: true }))) + "\n";
  } catch (cause) {
    const found = `${body.length} bytes that are none`;
    throw new SyntaxError(`Cannot read batch: ${found}, expected a ${signal} request in ${encoding}`, {
      cause,
    });
  }
}

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
