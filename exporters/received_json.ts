/**
 * Received OTLP/JSON, and the way between the two encodings. Loaded when a JSON request or a JSON lane makes it
 * necessary.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import type { Signal } from "./batch.ts";
import { parseJson } from "./json_text.ts";
import { wireOfJson } from "./json_to_wire.ts";
import { isRecord } from "./json_value.ts";
import { dumpRequest, REQUESTS } from "./otlp_dump.ts";
import { jsonAttributes } from "./otlp_values.ts";

const MEMBERS: Readonly<Record<Signal, string>> = {
  logs: "resourceLogs",
  traces: "resourceSpans",
  metrics: "resourceMetrics",
};

/** Reads a JSON request as protobuf. Throws `SyntaxError` when the bytes are no such request. */
export function readJson(bytes: Uint8Array, signal: Signal): Uint8Array<ArrayBuffer> {
  try {
    return wireOfJson(REQUESTS[signal], bytes);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message.slice(0, 200) : "no JSON";
    throw new SyntaxError(`Cannot read request: ${found}, expected a ${signal} request in OTLP/JSON`, {
      cause,
    });
  }
}

/**
 * The entries of a request that `readJson` has read, members it does not know included, with the host's attributes
 * where absent; text between the brackets of their array.
 */
export function completedEntries(bytes: Uint8Array, signal: Signal, host: Attributes): string {
  const document = parseJson(new TextDecoder().decode(bytes));
  const entries = isRecord(document) ? document[MEMBERS[signal]] : undefined;
  const objects = Array.isArray(entries) ? entries.filter(isRecord) : [];
  return objects.map((entry) => JSON.stringify(completedEntry(entry, host))).join(",");
}

function completedEntry(entry: Readonly<Record<string, unknown>>, host: Attributes): unknown {
  const resource = isRecord(entry["resource"]) ? entry["resource"] : {};
  const attributes: readonly unknown[] = Array.isArray(resource["attributes"]) ? resource["attributes"] : [];
  const keys = new Set(attributes.map((attribute) => isRecord(attribute) ? attribute["key"] : undefined));
  const missing = Object.fromEntries(Object.entries(host).filter(([key]) => !keys.has(key)));
  return { ...entry, resource: { ...resource, attributes: [...attributes, ...jsonAttributes(missing)] } };
}

/** A protobuf request's entries as OTLP/JSON text, without the brackets of their array. */
export function entriesAsJson(protobuf: Uint8Array, signal: Signal): string {
  const text = dumpRequest(protobuf, signal, "protobuf");
  return text.slice(text.indexOf("[") + 1, text.lastIndexOf("]"));
}
