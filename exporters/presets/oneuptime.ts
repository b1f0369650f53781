/**
 * OneUptime (vendors.md section 7): its own example sends JSON, so that is what it gets unless asked otherwise.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

export const oneuptime: Preset = {
  ...PLAIN_OTLP,
  name: "oneuptime",
  summary: "OneUptime",
  docs: "https://oneuptime.com/docs/telemetry/open-telemetry",
  endpoint: "https://otlp.oneuptime.com",
  headers: { "x-oneuptime-token": ["{key}"] },
  requires: ["API_KEY"],
  temporalities: ["cumulative", "delta"],
  encodings: ["json", "protobuf"],
  answers: {
    401: "the token is wrong",
  },
  sample: { API_KEY: "sample-token" },
};
