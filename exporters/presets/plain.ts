/**
 * The rows without a vendor: the terminal, any OTLP/HTTP endpoint, and a Collector (or any agent that listens like
 * one) on this host.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

const HOUR_MS = 3_600_000;

export const terminal: Preset = {
  ...PLAIN_OTLP,
  name: "console",
  summary: "no destination: a table on a terminal, Prometheus text when piped",
  docs: "https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/stdout/",
  signals: {},
};

export const otlp: Preset = {
  ...PLAIN_OTLP,
  name: "otlp",
  summary: "any OTLP/HTTP endpoint",
  docs: "https://opentelemetry.io/docs/specs/otel/protocol/exporter/",
  endpoint: "http://localhost:4318",
  headers: { authorization: ["Bearer {key}"] },
  maxAgeMs: 48 * HOUR_MS,
  sample: { ENDPOINT: "https://otlp.example:4318" },
};

export const collector: Preset = {
  ...PLAIN_OTLP,
  name: "collector",
  summary: "an OpenTelemetry Collector, or an agent that receives OTLP, on this host",
  docs: "https://opentelemetry.io/docs/collector/",
  endpoint: "http://127.0.0.1:4318",
  headers: { authorization: ["Bearer {key}"] },
};

export const otlpHttp: Preset = {
  ...PLAIN_OTLP,
  name: "otlp_http",
  summary: "Heka's exporter of that name: the endpoint is the whole URL",
  docs: "https://opentelemetry.io/docs/specs/otlp/#otlphttp",
  requires: ["ENDPOINT"],
  retryProfile: "heka",
  sendsAgentId: true,
  sendsIntelligence: true,
  jsonForHeka: true,
  aliases: [
    { variable: "OTLP_HTTP_ENDPOINT", key: "SONDE_ENDPOINT", kind: "verbatim" },
    { variable: "OTLP_HTTP_PROTOCOL", key: "SONDE_PROTOCOL", kind: "lower" },
    { variable: "OTLP_HTTP_HEADERS", key: "SONDE_HEADERS", kind: "headers" },
  ],
  sample: { ENDPOINT: "https://otlp.example:4318" },
};
