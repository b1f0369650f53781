/**
 * Metrics of one-shot verbs for destinations that speak an interface of their own: as a snapshot, which is what their
 * encoders know. Histograms have no form there and become their aggregates.
 * @module
 */
import type { Attributes, Point, Snapshot } from "../collectors/metric.ts";
import { Double } from "./double.ts";
import type { Encoded, Scope } from "./encoder.ts";
import { aggregatesOf } from "./histogram_aggregates.ts";
import type { LaneConfig } from "./lane_config.ts";
import { createMetricsEncoder } from "./metrics_encoder.ts";
import type { MetricData, NumberPointData } from "./otlp_data.ts";
import type { AnyAttributes } from "./otlp_values.ts";

/** What of a lane its own encoder has to know. */
export type NativeLane = Pick<
  LaneConfig,
  "naming" | "encoding" | "temporality" | "native" | "batchBytesMax" | "batchItemsMax"
>;

export interface NativeContents {
  readonly resource: AnyAttributes;
  readonly scope: Scope;
  readonly metrics: readonly MetricData[];
}

/** The attributes that these interfaces know. */
function plain(attributes: AnyAttributes = {}): Attributes {
  const known: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(attributes)) {
    if (value instanceof Double) known[key] = value.value;
    else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      known[key] = value;
    }
  }
  return known;
}

function pointsOf(metric: MetricData): Point[] {
  if (metric.kind === "histogram" || metric.kind === "exponentialHistogram") {
    return aggregatesOf(metric).flatMap(pointsOf);
  }
  if (metric.kind !== "sum" && metric.kind !== "gauge") return [];
  const { name, unit = "", description = "", valueType } = metric;
  const head = { name, unit, description, valueType, source: "" };
  const descriptor = metric.kind === "gauge"
    ? { ...head, kind: "gauge" as const }
    : { ...head, kind: "sum" as const, monotonic: metric.monotonic };
  return metric.points.map(({ attributes, value, startNs = 0n }: NumberPointData) => ({
    series: { descriptor, attributes: plain(attributes) },
    value,
    startNs: metric.kind === "gauge" ? 0n : startNs,
  }));
}

/** The lane's requests; none when nothing has a form there. */
export function encodeNative(
  { resource, scope, metrics }: NativeContents,
  lane: NativeLane,
): readonly Encoded[] {
  const points = metrics.flatMap(pointsOf);
  const times = metrics.flatMap((metric) => metric.points.map(({ timeNs }) => timeNs));
  const [first] = times;
  if (points.length === 0 || first === undefined) return [];
  const snapshot: Snapshot = { timeNs: times.reduce((a, b) => b > a ? b : a, first), points, omitted: [] };
  const { naming, encoding, temporality, native } = lane;
  const encoder = createMetricsEncoder({
    naming,
    encoding,
    temporality,
    ...(native !== undefined && { native }),
  });
  return encoder.encode({ resource: plain(resource), scope, snapshot }, lane);
}
