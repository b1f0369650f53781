/**
 * Datadog's OTLP intake (vendors.md 1.2): delta only, 500 KB uncompressed, resource attributes become tags only
 * when the header asks for it. A host id would beat the host name there, hence `datadog.host.name`.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

const SITES = [
  "datadoghq.com",
  "datadoghq.eu",
  "us3.datadoghq.com",
  "us5.datadoghq.com",
  "ap1.datadoghq.com",
  "ap2.datadoghq.com",
];

const NATIVE_ONLY = "This site has no OTLP intake. Use the preset datadog_native";

export const datadogOtlp: Preset = {
  ...PLAIN_OTLP,
  name: "datadog_otlp",
  summary: "Datadog, OTLP intake",
  docs: "https://docs.datadoghq.com/opentelemetry/setup/otlp_ingest/metrics/",
  endpoint: "https://otlp.{region}",
  signals: { metrics: { path: "/v1/metrics" }, logs: { path: "/v1/logs" } },
  headers: {
    "dd-api-key": ["{key}"],
    "dd-otel-metric-config": [
      JSON.stringify({ resource_attributes_as_tags: true, histograms: { mode: "distributions" } }),
    ],
  },
  requires: ["API_KEY", "REGION"],
  shapes: {
    API_KEY: { pattern: /^[0-9a-f]{32}$/, rule: "a key of 32 hexadecimal digits", isHint: true },
    REGION: {
      pattern: new RegExp(`^(?:${SITES.join("|").replaceAll(".", "\\.")})$`),
      rule: `one of ${SITES.join(", ")}`,
      refused: {
        "ddog-gov.com": NATIVE_ONLY,
        "us2.ddog-gov.com": NATIVE_ONLY,
        "uk1.datadoghq.com": NATIVE_ONLY,
      },
    },
  },
  naming: "collector",
  temporalities: ["delta"],
  batchBytesMax: 450_000,
  maxAgeMs: 3_600_000,
  sendsAgentId: true,
  aliases: [
    { variable: "DATADOG_SITE", key: "SONDE_REGION", kind: "lower" },
    { variable: "DATADOG_API_KEY", key: "SONDE_API_KEY", kind: "text" },
    {
      variable: "DATADOG_HOSTNAME",
      key: "SONDE_RESOURCE_ATTRIBUTES",
      kind: "attribute",
      attributes: ["host.name", "datadog.host.name"],
    },
    { variable: "DATADOG_TAGS", key: "SONDE_RESOURCE_ATTRIBUTES", kind: "tags" },
    { variable: "OTLP_HTTP_HEADERS", key: "SONDE_HEADERS", kind: "pairs" },
  ],
  sample: { REGION: "datadoghq.eu", API_KEY: "0123456789abcdef0123456789abcdef" },
};
