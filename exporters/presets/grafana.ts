/**
 * Grafana Cloud's OTLP gateway and Mimir (vendors.md section 5): cumulative only, a 400 is final. The gateway wants
 * the instance id and a token as basic authentication.
 * @module
 */
import { OPTIONAL_AUTHORIZATION, PLAIN_OTLP, type Preset } from "./preset.ts";

const DAY_MS = 24 * 3_600_000;

export const grafanaCloud: Preset = {
  ...PLAIN_OTLP,
  name: "grafana_cloud",
  summary: "Grafana Cloud",
  docs: "https://grafana.com/docs/grafana-cloud/send-data/otlp/send-data-otlp/",
  endpoint: "https://otlp-gateway-{region}.grafana.net/otlp",
  // Only points have to come in order; what stores log records and spans takes a day with ease.
  signals: {
    metrics: { path: "/v1/metrics" },
    logs: { path: "/v1/logs", maxAgeMs: DAY_MS },
    traces: { path: "/v1/traces", maxAgeMs: DAY_MS },
  },
  headers: { authorization: ["Basic {basic}"] },
  requires: ["REGION", "USER", "API_KEY"],
  shapes: {
    REGION: { pattern: /^[a-z0-9]+(?:-[a-z0-9]+)+$/, rule: "a zone such as prod-us-east-2" },
    USER: { pattern: /^\d+$/, rule: "the numeric instance id" },
    ENDPOINT: { pattern: /\/otlp\/?$/, rule: "an address that ends in /otlp", isHint: true },
  },
  naming: "collector",
  temporalities: ["cumulative"],
  maxAgeMs: 3_600_000,
  answers: {
    400: "part of it may have been stored; delta is refused",
    401: "the instance id or the token is wrong",
    404: "the address lacks /otlp",
  },
  sample: { REGION: "prod-eu-west-2", USER: "123456", API_KEY: "sample-token" },
};

export const mimir: Preset = {
  ...PLAIN_OTLP,
  name: "mimir",
  summary: "Grafana Mimir",
  docs: "https://grafana.com/docs/mimir/latest/configure/configure-otel-collector/",
  mergesPath: true,
  signals: { metrics: { path: "/otlp/v1/metrics" } },
  headers: { ...OPTIONAL_AUTHORIZATION, "x-scope-orgid": ["{tenant}"] },
  requires: ["ENDPOINT"],
  temporalities: ["cumulative"],
  maxAgeMs: 3_600_000,
  answers: {
    400: "part of it may have been stored; delta is refused",
    401: "the tenant is missing or unknown",
    413: "more than the distributor takes",
  },
  sample: { ENDPOINT: "http://mimir.example:8080", TENANT: "team-a" },
};
