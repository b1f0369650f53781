/**
 * Axiom (vendors.md section 7): protobuf only, and a dataset header whose name differs for metrics.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

export const axiom: Preset = {
  ...PLAIN_OTLP,
  name: "axiom",
  summary: "Axiom",
  docs: "https://axiom.co/docs/send-data/opentelemetry",
  signals: {
    metrics: { path: "/v1/metrics", headers: { "x-axiom-metrics-dataset": ["{dataset}"] } },
    logs: { path: "/v1/logs", headers: { "x-axiom-dataset": ["{dataset}"] } },
    traces: { path: "/v1/traces", headers: { "x-axiom-dataset": ["{dataset}"] } },
  },
  headers: { authorization: ["Bearer {key}"] },
  requires: ["ENDPOINT", "API_KEY", "DATASET"],
  encodings: ["protobuf"],
  answers: {
    400: "the dataset is missing, or is none of metrics",
    403: "the token may not write to this dataset",
    415: "protobuf only",
  },
  sample: { ENDPOINT: "https://us-east-1.aws.edge.axiom.co", API_KEY: "sample-token", DATASET: "hosts" },
};
