/**
 * SigNoz Cloud (vendors.md section 7): a regional host and one key for all signals.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

export const signoz: Preset = {
  ...PLAIN_OTLP,
  name: "signoz",
  summary: "SigNoz Cloud",
  docs: "https://signoz.io/docs/ingestion/signoz-cloud/overview/",
  endpoint: "https://ingest.{region}.signoz.cloud",
  headers: { "signoz-ingestion-key": ["{key}"] },
  requires: ["REGION", "API_KEY"],
  shapes: { REGION: { pattern: /^[a-z][a-z0-9-]*$/, rule: "a region such as us, eu or in" } },
  naming: "collector",
  batchBytesMax: 8_000_000,
  answers: {
    401: "the key is wrong, or belongs to another region",
    413: "more than 16 MB",
  },
  sample: { REGION: "eu", API_KEY: "sample-key" },
};
