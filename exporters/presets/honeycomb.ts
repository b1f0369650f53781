/**
 * Honeycomb (vendors.md section 7): points of one second with equal attributes become one event, in a named
 * dataset.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

export const honeycomb: Preset = {
  ...PLAIN_OTLP,
  name: "honeycomb",
  summary: "Honeycomb",
  docs: "https://docs.honeycomb.io/send-data/metrics/application",
  regions: { us: "https://api.honeycomb.io", eu: "https://api.eu1.honeycomb.io" },
  region: "us",
  headers: { "x-honeycomb-team": ["{key}"], "x-honeycomb-dataset": ["{dataset}"] },
  requires: ["API_KEY", "DATASET"],
  answers: {
    401: "the key is wrong, or belongs to another region",
    404: "the address lacks /v1/metrics",
  },
  sample: { REGION: "eu", API_KEY: "sample-key", DATASET: "hosts" },
};
