/**
 * Splunk Observability (vendors.md section 7): metrics and traces on paths of their own, protobuf, logs not taken.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

export const splunk: Preset = {
  ...PLAIN_OTLP,
  name: "splunk",
  summary: "Splunk Observability Cloud",
  docs: "https://help.splunk.com/en/splunk-observability-cloud/manage-data/other-data-ingestion-methods",
  endpoint: "https://ingest.{region}.signalfx.com",
  signals: { metrics: { path: "/v2/datapoint/otlp" }, traces: { path: "/v2/trace/otlp" } },
  headers: { "x-sf-token": ["{key}"] },
  requires: ["REGION", "API_KEY"],
  shapes: { REGION: { pattern: /^[a-z]{2}\d+$/, rule: "a realm such as us1" } },
  temporalities: ["delta", "cumulative"],
  encodings: ["protobuf"],
  batchBytesMax: 2_000_000,
  bucketsMax: 30,
  maxAgeMs: 3_600_000,
  answers: {
    401: "the token is wrong, or belongs to another realm",
    404: "metrics go to /v2/datapoint/otlp",
    429: "more requests a minute than the organisation has",
  },
  sample: { REGION: "eu0", API_KEY: "sample-token" },
};
