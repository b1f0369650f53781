/**
 * `sonde emit histogram --demo http`: durations of pretended requests, for a look at how a backend shows histograms. The
 * same metric, attributes and ranges as the sender that it replaces.
 * @module
 */
import type { Measurement } from "../exporters/measurement.ts";

interface Pretended {
  readonly method: string;
  readonly status: number;
  /** Least and greatest duration of each request, milliseconds. */
  readonly ranges: readonly (readonly [number, number])[];
}

const REQUESTS: readonly Pretended[] = [
  { method: "GET", status: 200, ranges: [[10, 150], [15, 120], [25, 180]] },
  { method: "POST", status: 201, ranges: [[20, 100]] },
  { method: "PUT", status: 200, ranges: [[30, 90]] },
];

/** Who the pretended service is, unless the operator says otherwise. */
export const DEMO_RESOURCE: Readonly<Record<string, string>> = {
  "service.name": "my-service",
  "deployment.environment": "prod",
};

/** One round: five durations in three series. */
export function demoMeasurements(random: () => number): Measurement[] {
  return REQUESTS.map(({ method, status, ranges }) => ({
    kind: "histogram",
    name: "http.server.duration",
    unit: "ms",
    description: "Duration of pretended HTTP requests",
    attributes: { "http.method": method, "http.status_code": status },
    values: ranges.map(([least, greatest]) => least + random() * (greatest - least)),
    count: 1,
  }));
}
