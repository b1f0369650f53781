/**
 * Elastic's managed OTLP endpoint (vendors.md section 7): delta, and the scheme word before the key, which is added
 * when it is missing.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

export const elastic: Preset = {
  ...PLAIN_OTLP,
  name: "elastic",
  summary: "Elastic Cloud, managed OTLP endpoint",
  docs: "https://www.elastic.co/docs/reference/opentelemetry/motlp",
  headers: { authorization: ["ApiKey {key}"] },
  requires: ["ENDPOINT", "API_KEY"],
  attributeShapes: {
    "service.name": { pattern: /^[a-zA-Z0-9 _-]+$/, rule: "made of letters, digits, spaces, _ and -" },
  },
  temporalities: ["delta", "cumulative"],
  answers: {
    401: "the key is wrong",
    429: "more than the ingest rate of the project",
  },
  sample: { ENDPOINT: "https://abc123.ingest.eu-central-1.aws.elastic.cloud:443", API_KEY: "sample-key" },
};
