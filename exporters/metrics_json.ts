/**
 * OTLP/JSON metrics requests, written by hand: protobuf-es would name enums and write ids in base64 (otlp E1 to E8).
 * @module
 */
import type { Snapshot } from "../collectors/metric.ts";
import type { MetricsEncoderOptions, MetricsInput } from "./encoder.ts";
import {
  aggregationTemporality,
  byMetric,
  distributionAt,
  type MetricSlots,
  pointAt,
  type Slot,
} from "./metrics_layout.ts";
import { SCHEMA_URL } from "./naming.ts";
import { type Json, jsonAttributes, wellFormed } from "./otlp_values.ts";

/** The bytes of one request with the given slots of a snapshot. */
export function renderMetricsJson(
  input: MetricsInput,
  slots: readonly Slot[],
  options: MetricsEncoderOptions,
): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(metricsJson(input, slots, options)));
}

/** The request as a JSON value. */
export function metricsJson(
  input: MetricsInput,
  slots: readonly Slot[],
  options: MetricsEncoderOptions,
): Json {
  const { scope, snapshot } = input;
  const scopeMetrics: Record<string, Json> = {
    scope: { name: wellFormed(scope.name), version: wellFormed(scope.version) },
    metrics: byMetric(slots).map((metric) => metricJson(metric, snapshot, options)),
  };
  // The Collector's names follow no published schema.
  if (options.naming !== "collector") scopeMetrics["schemaUrl"] = SCHEMA_URL;
  return {
    resourceMetrics: [{
      resource: { attributes: jsonAttributes(input.resource) },
      scopeMetrics: [scopeMetrics],
      schemaUrl: SCHEMA_URL,
    }],
  };
}

function metricJson(metric: MetricSlots, snapshot: Snapshot, options: MetricsEncoderOptions): Json {
  const { form, slots } = metric;
  const dataPoints = slots.map((slot) => pointJson(slot, snapshot));
  const head = {
    name: wellFormed(form.name),
    unit: wellFormed(form.unit),
  };
  if (form.kind === "gauge") return { ...head, gauge: { dataPoints } };
  const aggregation = aggregationTemporality(form, options.temporality ?? "cumulative");
  if (form.kind === "histogram") {
    return { ...head, histogram: { dataPoints, aggregationTemporality: aggregation } };
  }
  return { ...head, sum: { dataPoints, aggregationTemporality: aggregation, isMonotonic: form.monotonic } };
}

function pointJson(slot: Slot, snapshot: Snapshot): Json {
  const point = pointAt(snapshot.points, slot.point);
  const json: Record<string, Json> = {
    attributes: jsonAttributes(slot.form.attributes),
    timeUnixNano: snapshot.timeNs.toString(),
  };
  if (slot.hasStart) json["startTimeUnixNano"] = point.startNs.toString();
  if (slot.value === "none") json["flags"] = 1;
  else if (slot.value === "histogram") Object.assign(json, distributionJson(slot, snapshot));
  else if (slot.value === "int") json["asInt"] = BigInt(point.value).toString();
  else json["asDouble"] = Number(point.value);
  return json;
}

function distributionJson(slot: Slot, { points }: Snapshot): Readonly<Record<string, Json>> {
  const { counts, sum } = distributionAt(points, slot);
  return {
    count: BigInt(pointAt(points, slot.point).value).toString(),
    sum,
    bucketCounts: counts.map(String),
    explicitBounds: slot.form.bounds ?? [],
  };
}
