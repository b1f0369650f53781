/**
 * Request bodies back into messages, with the generated types: what a test compares.
 * @module
 */
import { equals, fromBinary, fromJsonString } from "@bufbuild/protobuf";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../../proto_gen/metrics_service_pb.ts";

/** The metrics request in a protobuf body. */
export function decodeExport(body: Uint8Array): ExportMetricsServiceRequest {
  return fromBinary(ExportMetricsServiceRequestSchema, body);
}

/** The metrics request in a JSON body; only where ids are absent, which OTLP/JSON writes in hex, not base64. */
export function decodeExportJson(body: Uint8Array): ExportMetricsServiceRequest {
  return fromJsonString(ExportMetricsServiceRequestSchema, new TextDecoder().decode(body));
}

/** True when two requests say the same, field by field. */
export function isSameExport(a: ExportMetricsServiceRequest, b: ExportMetricsServiceRequest): boolean {
  return equals(ExportMetricsServiceRequestSchema, a, b);
}
