/**
 * Received OTLP/JSON, and the way between the two encodings. Loaded when a JSON request or a JSON lane makes it
 * necessary, since it brings the protobuf runtime. Ids are hex (otlp E2), unknown members pass (E6), 64-bit numbers
 * stay exact: long integers are read as text, which OTLP/JSON takes for them (E5).
 * @module
 */
import { fromJson, type JsonObject, type JsonValue, toBinary } from "@bufbuild/protobuf";
import type { Attributes } from "../collectors/metric.ts";
import { ExportLogsServiceRequestSchema } from "../proto_gen/logs_service_pb.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";
import { ExportTraceServiceRequestSchema } from "../proto_gen/trace_service_pb.ts";
import type { Signal } from "./batch.ts";
import { dumpRequest } from "./otlp_dump.ts";
import { jsonAttributes } from "./otlp_values.ts";

const SCHEMAS = {
  metrics: ExportMetricsServiceRequestSchema,
  logs: ExportLogsServiceRequestSchema,
  traces: ExportTraceServiceRequestSchema,
};

const MEMBERS: Readonly<Record<Signal, string>> = {
  logs: "resourceLogs",
  traces: "resourceSpans",
  metrics: "resourceMetrics",
};

const IDS: ReadonlySet<string> = new Set(["traceId", "spanId", "parentSpanId"]);

/** An integer that a JavaScript number may not hold; may find one inside a text, which costs time only. */
const LONG_INTEGER = /[:[,]\s*-?\d{16}/;
/** A string, or a number as a whole. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\[^])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const WHOLE_LONG = /^-?\d{16,}$/;

/** A JSON request that is a whole export request. */
export interface JsonRequest {
  /** The same as protobuf: what is counted, and what protobuf lanes get. */
  readonly protobuf: Uint8Array<ArrayBuffer>;
  /** The entries as they came. */
  readonly entries: readonly JsonObject[];
}

/** Reads a JSON request. Throws `SyntaxError` when the bytes are no such request. */
export function readJson(bytes: Uint8Array, signal: Signal): JsonRequest {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const document: JsonValue = JSON.parse(LONG_INTEGER.test(text) ? quoteLongIntegers(text) : text);
    const schema = SCHEMAS[signal];
    const undo: (() => void)[] = [];
    encodeIds(document, undo);
    const protobuf = toBinary(schema, fromJson(schema, document, { ignoreUnknownFields: true }));
    for (const step of undo) step();
    return { protobuf, entries: entriesOf(document, signal) };
  } catch (cause) {
    const found = cause instanceof Error ? cause.message.slice(0, 200) : "no JSON";
    throw new SyntaxError(`Cannot read request: ${found}, expected a ${signal} request in OTLP/JSON`, {
      cause,
    });
  }
}

function quoteLongIntegers(text: string): string {
  return text.replace(STRING_OR_NUMBER, (token) => WHOLE_LONG.test(token) ? `"${token}"` : token);
}

/**
 * Makes the document what proto3 JSON has, where ids are base64; in place, since a second document is the larger part of
 * what a request takes. `undo` gets what makes it what it was. Throws `SyntaxError` for ids that are no hex.
 */
function encodeIds(json: JsonValue, undo: (() => void)[]): void {
  if (Array.isArray(json)) return json.forEach((each) => encodeIds(each, undo));
  if (!isObject(json)) return;
  for (const key of Object.keys(json)) {
    const value = json[key];
    if (value === undefined) continue;
    if (!IDS.has(key) || typeof value !== "string") encodeIds(value, undo);
    else {
      json[key] = Uint8Array.fromHex(value).toBase64();
      undo.push(() => json[key] = value);
    }
  }
}

function isObject(json: JsonValue | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function entriesOf(document: JsonValue, signal: Signal): readonly JsonObject[] {
  const member = MEMBERS[signal];
  if (!isObject(document)) return [];
  const entries = document[member] ?? [];
  // proto3 JSON would also take the name with underscores, OTLP/JSON does not (E1): then nothing would be forwarded.
  const isOther = Object.keys(document).some((key) =>
    key !== member && key.replaceAll("_", "").toLowerCase() === member.toLowerCase()
  );
  if (isOther) throw new SyntaxError(`no member "${member}"`);
  return Array.isArray(entries) ? entries.filter(isObject) : [];
}

/** The entries with the host's attributes where absent, as text between the brackets of their array. */
export function completedEntries(entries: readonly JsonObject[], host: Attributes): string {
  return entries.map((entry) => JSON.stringify(completedEntry(entry, host))).join(",");
}

function completedEntry(entry: JsonObject, host: Attributes): JsonObject {
  const resource = isObject(entry["resource"]) ? entry["resource"] : {};
  const attributes = Array.isArray(resource["attributes"]) ? resource["attributes"] : [];
  const keys = new Set(attributes.map((attribute) => isObject(attribute) ? attribute["key"] : undefined));
  const missing = Object.fromEntries(Object.entries(host).filter(([key]) => !keys.has(key)));
  const added: JsonValue = JSON.parse(JSON.stringify(jsonAttributes(missing)));
  return {
    ...entry,
    resource: { ...resource, attributes: [...attributes, ...(Array.isArray(added) ? added : [])] },
  };
}

/** A protobuf request's entries as OTLP/JSON text, without the brackets of their array. */
export function entriesAsJson(protobuf: Uint8Array, signal: Signal): string {
  const text = dumpRequest(protobuf, signal, "protobuf");
  return text.slice(text.indexOf("[") + 1, text.lastIndexOf("]"));
}
