/**
 * Metrics requests made whole with the generated types, point by point: slow, plain, and what the encoder's bytes must
 * equal once their fields are in order.
 * @module
 */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Snapshot } from "../collectors/metric.ts";
import type { MetricsEncoderOptions, MetricsInput } from "../exporters/encoder.ts";
import {
  aggregationTemporality,
  byMetric,
  Layout,
  type MetricSlots,
  pointAt,
  type Slot,
} from "../exporters/metrics_layout.ts";
import { projector, SCHEMA_URL } from "../exporters/naming.ts";
import { protoAttributes, wellFormed } from "../exporters/otlp_values.ts";
import type {
  HistogramDataPointSchema,
  MetricSchema,
  NumberDataPointSchema,
} from "../proto_gen/metrics_pb.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";

/** DataPointFlags.NO_RECORDED_VALUE: the series has ended (otlp M17). */
const NO_RECORDED_VALUE = 1;

type PointInit = MessageInitShape<typeof NumberDataPointSchema>;
type MetricInit = MessageInitShape<typeof MetricSchema>;

/** A request with its fields in the order of their numbers, which the encoder does not keep. */
export function inOrder(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return toBinary(ExportMetricsServiceRequestSchema, fromBinary(ExportMetricsServiceRequestSchema, body));
}

/** The bytes of one request with all of a snapshot; undefined when it has no points. */
export function referenceBytes(
  input: MetricsInput,
  options: MetricsEncoderOptions,
): Uint8Array<ArrayBuffer> | undefined {
  const { snapshot, scope } = input;
  const { slots } = new Layout(snapshot, projector(options.naming));
  if (slots.length === 0) return undefined;
  const metrics = byMetric(slots).map((metric) => metricInit(metric, snapshot, options));
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: protoAttributes(input.resource) },
      scopeMetrics: [{
        scope: { name: wellFormed(scope.name), version: wellFormed(scope.version) },
        metrics,
        // The Collector's names follow no published schema.
        schemaUrl: options.naming === "collector" ? "" : SCHEMA_URL,
      }],
      schemaUrl: SCHEMA_URL,
    }],
  });
  return toBinary(ExportMetricsServiceRequestSchema, request);
}

function metricInit(metric: MetricSlots, snapshot: Snapshot, options: MetricsEncoderOptions): MetricInit {
  const { form, slots } = metric;
  const head = {
    name: wellFormed(form.name),
    unit: wellFormed(form.unit),
  };
  const aggregation = aggregationTemporality(form, options.temporality ?? "cumulative");
  if (form.kind === "histogram") {
    const dataPoints = slots.map((slot) => bucketsInit(slot, snapshot));
    return {
      ...head,
      data: { case: "histogram", value: { dataPoints, aggregationTemporality: aggregation } },
    };
  }
  const dataPoints = slots.map((slot) => pointInit(slot, snapshot));
  if (form.kind === "gauge") return { ...head, data: { case: "gauge", value: { dataPoints } } };
  const sum = { dataPoints, aggregationTemporality: aggregation, isMonotonic: form.monotonic };
  return { ...head, data: { case: "sum", value: sum } };
}

function bucketsInit(
  slot: Slot,
  { points, timeNs }: Snapshot,
): MessageInitShape<typeof HistogramDataPointSchema> {
  const { value, distribution, startNs } = pointAt(points, slot.point);
  const head = { attributes: protoAttributes(slot.form.attributes), timeUnixNano: timeNs };
  if (distribution === undefined) return { ...head, flags: NO_RECORDED_VALUE };
  return {
    ...head,
    startTimeUnixNano: slot.hasStart ? startNs : 0n,
    count: BigInt(value),
    sum: distribution.sum,
    bucketCounts: distribution.counts.map(BigInt),
    explicitBounds: [...slot.form.bounds ?? []],
  };
}

function pointInit(slot: Slot, snapshot: Snapshot): PointInit {
  const point = pointAt(snapshot.points, slot.point);
  const attributes = protoAttributes(slot.form.attributes);
  const head = { attributes, timeUnixNano: snapshot.timeNs };
  if (slot.value === "none") return { ...head, flags: NO_RECORDED_VALUE };
  return {
    ...head,
    startTimeUnixNano: slot.hasStart ? point.startNs : 0n,
    value: slot.value === "int"
      ? { case: "asInt", value: BigInt(point.value) }
      : { case: "asDouble", value: Number(point.value) },
  };
}
