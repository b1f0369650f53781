/**
 * New Relic's OTLP endpoint (vendors.md section 3): delta, under 1 MB, points up to 48 hours old, an empty 200 is
 * success. Heka's variable holds the whole URL.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

export const newrelicOtlp: Preset = {
  ...PLAIN_OTLP,
  name: "newrelic_otlp",
  summary: "New Relic",
  docs: "https://docs.newrelic.com/docs/opentelemetry/best-practices/opentelemetry-otlp",
  regions: {
    us: "https://otlp.nr-data.net",
    eu: "https://otlp.eu01.nr-data.net",
    gov: "https://gov-otlp.nr-data.net",
  },
  region: "us",
  headers: { "api-key": ["{key}"] },
  requires: ["API_KEY"],
  naming: "collector",
  temporalities: ["delta", "cumulative"],
  batchBytesMax: 900_000,
  maxAgeMs: 48 * 3_600_000,
  sendsAgentId: true,
  olderRequires: ["NEWRELIC_OTLP_ENDPOINT", "NEWRELIC_SERVICE_NAME"],
  aliases: [
    { variable: "NEWRELIC_OTLP_ENDPOINT", key: "SONDE_ENDPOINT", kind: "verbatim" },
    { variable: "NEWRELIC_API_KEY", key: "SONDE_API_KEY", kind: "text" },
    {
      variable: "NEWRELIC_SERVICE_NAME",
      key: "SONDE_RESOURCE_ATTRIBUTES",
      kind: "attribute",
      attributes: ["service.name"],
    },
    {
      variable: "NEWRELIC_ENVIRONMENT",
      key: "SONDE_RESOURCE_ATTRIBUTES",
      kind: "attribute",
      attributes: ["deployment.environment"],
    },
    {
      variable: "NEWRELIC_HOST_NAME",
      key: "SONDE_RESOURCE_ATTRIBUTES",
      kind: "attribute",
      attributes: ["host.name"],
    },
    { variable: "OTLP_HTTP_HEADERS", key: "SONDE_HEADERS", kind: "headers" },
  ],
  answers: {
    401: "the key is missing",
    403: "the key is wrong, or belongs to another region",
    404: "the address lacks /v1/metrics",
    413: "more than 1 MB",
    429: "more points a minute than the account has",
  },
  sample: { REGION: "eu", API_KEY: "sample-licence-key" },
};
