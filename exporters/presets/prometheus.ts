/**
 * Time-series databases with an OTLP receiver: Prometheus (vendors.md section 4), which answers delta with a 500,
 * and VictoriaMetrics (section 6), which silently drops it. Neither takes logs or traces on this path.
 * @module
 */
import { OPTIONAL_AUTHORIZATION, PLAIN_OTLP, type Preset } from "./preset.ts";

export const prometheus: Preset = {
  ...PLAIN_OTLP,
  name: "prometheus",
  summary: "Prometheus 3 with its OTLP receiver",
  docs: "https://prometheus.io/docs/guides/opentelemetry/",
  mergesPath: true,
  signals: { metrics: { path: "/api/v1/otlp/v1/metrics" } },
  headers: OPTIONAL_AUTHORIZATION,
  requires: ["ENDPOINT"],
  temporalities: ["cumulative"],
  // The out-of-order window its documentation suggests: older points are refused.
  maxAgeMs: 1_800_000,
  answers: {
    400: "out of order, too old or twice the same time",
    404: "the OTLP receiver is off: --web.enable-otlp-receiver",
    500: "delta is refused unless a feature flag allows it",
  },
  sample: { ENDPOINT: "http://prometheus.example:9090" },
};

export const victoriametrics: Preset = {
  ...PLAIN_OTLP,
  name: "victoriametrics",
  summary: "VictoriaMetrics, single or cluster",
  docs: "https://docs.victoriametrics.com/victoriametrics/integrations/opentelemetry/",
  mergesPath: true,
  signals: { metrics: { path: "/opentelemetry/v1/metrics" } },
  headers: OPTIONAL_AUTHORIZATION,
  requires: ["ENDPOINT"],
  temporalities: ["cumulative"],
  encodings: ["protobuf"],
  // Its default retention, one month.
  maxAgeMs: 30 * 24 * 3_600_000,
  answers: {
    400: "protobuf only",
  },
  sample: { ENDPOINT: "http://victoria.example:8428" },
};
