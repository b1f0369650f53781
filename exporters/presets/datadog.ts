/**
 * Datadog's two doors. The OTLP intake (vendors.md 1.2): delta only, 500 KB uncompressed, resource attributes become
 * tags only when the header asks for it; a host id would beat the host name there, hence `datadog.host.name`. The
 * series API (vendors.md 1.3): its own JSON, taken at every site.
 * @module
 */
import { type Alias, type OptionRow, PLAIN_OTLP, type Preset, type Shape } from "./preset.ts";

const OTLP_SITES = [
  "datadoghq.com",
  "datadoghq.eu",
  "us3.datadoghq.com",
  "us5.datadoghq.com",
  "ap1.datadoghq.com",
  "ap2.datadoghq.com",
];

const SITES = [...OTLP_SITES, "uk1.datadoghq.com", "ddog-gov.com", "us2.ddog-gov.com"];

const NATIVE_ONLY = "This site has no OTLP intake. Use the preset datadog_native";

function oneOfSites(sites: readonly string[]): Shape {
  const pattern = new RegExp(`^(?:${sites.join("|").replaceAll(".", "\\.")})$`);
  return { pattern, rule: `one of ${sites.toSorted().join(", ")}` };
}

const KEY_SHAPE: Shape = { pattern: /^[0-9a-f]{32}$/, rule: "a key of 32 hexadecimal digits", isHint: true };

const ALIASES: readonly Alias[] = [
  { variable: "DATADOG_SITE", key: "SONDE_REGION", kind: "lower" },
  { variable: "DATADOG_API_KEY", key: "SONDE_API_KEY", kind: "text" },
  {
    variable: "DATADOG_HOSTNAME",
    key: "SONDE_RESOURCE_ATTRIBUTES",
    kind: "attribute",
    attributes: ["host.name", "datadog.host.name"],
  },
  { variable: "DATADOG_TAGS", key: "SONDE_RESOURCE_ATTRIBUTES", kind: "tags" },
];

const HOUR_MS = 3_600_000;
/** One value per series and second: the later one wins, and what the earlier one counted is lost. */
const SECOND_MS = 1_000;
const SAMPLE = { REGION: "datadoghq.eu", API_KEY: "0123456789abcdef0123456789abcdef" };

export const datadogOtlp: Preset = {
  ...PLAIN_OTLP,
  name: "datadog_otlp",
  summary: "Datadog, OTLP intake",
  docs: "https://docs.datadoghq.com/opentelemetry/setup/otlp_ingest/metrics/",
  endpoint: "https://otlp.{region}",
  // Log records may be 18 hours old, points one.
  signals: { metrics: { path: "/v1/metrics" }, logs: { path: "/v1/logs", maxAgeMs: 18 * HOUR_MS } },
  headers: {
    "dd-api-key": ["{key}"],
    "dd-otel-metric-config": [
      JSON.stringify({ resource_attributes_as_tags: true, histograms: { mode: "distributions" } }),
    ],
  },
  requires: ["API_KEY", "REGION"],
  shapes: {
    API_KEY: KEY_SHAPE,
    REGION: {
      ...oneOfSites(OTLP_SITES),
      refused: {
        "ddog-gov.com": NATIVE_ONLY,
        "us2.ddog-gov.com": NATIVE_ONLY,
        "uk1.datadoghq.com": NATIVE_ONLY,
      },
    },
  },
  naming: "collector",
  resourceCopies: { "datadog.host.name": "host.name" },
  temporalities: ["delta"],
  batchBytesMax: 450_000,
  intervalMinMs: SECOND_MS,
  maxAgeMs: HOUR_MS,
  sendsAgentId: true,
  aliases: [...ALIASES, { variable: "OTLP_HTTP_HEADERS", key: "SONDE_HEADERS", kind: "headers" }],
  answers: {
    403: "the key is wrong, or belongs to another site",
    413: "more than 500 KB before compression",
  },
  sample: SAMPLE,
};

const PREFIX: OptionRow = {
  name: "prefix",
  variable: "DATADOG_METRIC_PREFIX",
  help: "Goes in front of every metric name with a dot, unless it is there already.",
  parse(text) {
    const prefix = text.replace(/^\.+|\.+$/g, "");
    if (prefix === "") throw new RangeError(`"${text}" holds nothing but dots`);
    return prefix;
  },
};

export const datadogNative: Preset = {
  ...PLAIN_OTLP,
  name: "datadog_native",
  summary: "Datadog, its own series API, at every site",
  docs: "https://docs.datadoghq.com/api/latest/metrics/",
  endpoint: "https://api.{region}",
  signals: { metrics: { path: "/api/v2/series" } },
  headers: { "dd-api-key": ["{key}"] },
  requires: ["API_KEY", "REGION"],
  shapes: { API_KEY: KEY_SHAPE, REGION: oneOfSites(SITES) },
  naming: "collector",
  temporalities: ["delta"],
  encodings: ["native"],
  native: "datadog_series_v2",
  options: [PREFIX],
  variants: {
    variable: "DATADOG_API",
    help: "Version of the series API: v1 or v2.",
    rows: {
      v1: {
        signals: { metrics: { path: "/api/v1/series" } },
        native: "datadog_series_v1",
        batchBytesMax: 3_000_000,
      },
      v2: {},
    },
    older: "v1",
  },
  batchBytesMax: 450_000,
  intervalMinMs: SECOND_MS,
  maxAgeMs: HOUR_MS,
  retryProfile: "heka",
  sendsAgentId: true,
  aliases: ALIASES,
  answers: {
    403: "the key is wrong, or belongs to another site",
    413: "more than 500 KB, or 5 MB before compression",
  },
  sample: SAMPLE,
};
