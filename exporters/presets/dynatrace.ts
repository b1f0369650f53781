/**
 * Dynatrace's OTLP API (vendors.md section 2): protobuf only, delta, 4 MB and 15,000 points. `DT_ENDPOINT` may be
 * any of the bases, with or without the metrics path.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

const HOUR_MS = 3_600_000;

export const dynatrace: Preset = {
  ...PLAIN_OTLP,
  name: "dynatrace",
  summary: "Dynatrace: SaaS, Managed or ActiveGate",
  docs: "https://docs.dynatrace.com/docs/ingest-from/opentelemetry/otlp-api",
  mergesPath: true,
  signals: {
    metrics: { path: "/v1/metrics" },
    // Log records may be a day old, spans an hour, like points.
    logs: { path: "/v1/logs", maxAgeMs: 24 * HOUR_MS },
    traces: { path: "/v1/traces" },
  },
  headers: { authorization: ["Api-Token {key}"] },
  requires: ["ENDPOINT", "API_KEY"],
  shapes: {
    ENDPOINT: {
      pattern: /\/api\/v2\/otlp(?:\/v1\/metrics)?\/?$/,
      rule: "an address that ends in /api/v2/otlp",
      isHint: true,
    },
    API_KEY: { pattern: /^dt0c01\./, rule: "a token that begins with dt0c01.", isHint: true },
  },
  temporalities: ["delta"],
  encodings: ["protobuf"],
  batchBytesMax: 3_500_000,
  batchItemsMax: 15_000,
  maxAgeMs: HOUR_MS,
  impliedBy: "DT_ENDPOINT",
  standIn: ["emit", "histogram", "--demo", "http", "--loop"],
  aliases: [
    { variable: "DT_ENDPOINT", key: "SONDE_ENDPOINT", kind: "base" },
    { variable: "DT_API_TOKEN", key: "SONDE_API_KEY", kind: "text" },
    { variable: "INSECURE_SSL", key: "SONDE_INSECURE_SSL", kind: "words" },
    { variable: "INTERVAL", key: "SONDE_INTERVAL", kind: "seconds" },
  ],
  answers: {
    401: "the token is wrong, or lacks the scope metrics.ingest",
    403: "the token lacks the scope metrics.ingest",
    404: "the address lacks /api/v2/otlp",
    413: "more than 4 MB or 15,000 points: all of the request is dropped",
    415: "binary protobuf only",
  },
  sample: { ENDPOINT: "https://abc12345.live.dynatrace.com/api/v2/otlp", API_KEY: "dt0c01.SAMPLE.SAMPLE" },
};
