/**
 * A request's bytes as OTLP/JSON text, for people: `spool cat`, `tap`.
 * @module
 */
import type { OtlpMessage } from "../proto_gen/otlp_fields.ts";
import type { Encoding, Signal } from "./batch.ts";
import { fieldsJson } from "./otlp_message.ts";
import { readMessage } from "./wire_message.ts";

/** The request of each signal. */
export const REQUESTS: Readonly<Record<Signal, OtlpMessage>> = {
  metrics: "ExportMetricsServiceRequest",
  logs: "ExportLogsServiceRequest",
  traces: "ExportTraceServiceRequest",
};

/** One line of OTLP/JSON, with a line feed. Throws `SyntaxError` when the body is no such request. */
export function dumpRequest(body: Uint8Array, signal: Signal, encoding: Encoding): string {
  try {
    const json = encoding === "protobuf"
      ? fieldsJson(REQUESTS[signal], readMessage(REQUESTS[signal], body))
      : JSON.parse(new TextDecoder().decode(body));
    return JSON.stringify(json) + "\n";
  } catch (cause) {
    const found = `${body.length} bytes that are none`;
    throw new SyntaxError(`Cannot read batch: ${found}, expected a ${signal} request in ${encoding}`, {
      cause,
    });
  }
}
