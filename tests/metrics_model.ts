/**
 * Snapshots for the encoder's tests, and the model they are checked against: every data point as one readable line,
 * computed from the snapshot alone on one side and from decoded bytes on the other.
 * @module
 */
import { fromBinary } from "@bufbuild/protobuf";
import type { Attributes, Descriptor, Naming, Point, Series, Snapshot } from "../collectors/metric.ts";
import type { Temporality } from "../exporters/batch.ts";
import type { MetricsInput } from "../exporters/encoder.ts";
import { project } from "../exporters/naming.ts";
import type { KeyValue } from "../proto_gen/common_pb.ts";
import type { HistogramDataPoint, Metric, NumberDataPoint } from "../proto_gen/metrics_pb.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";

export const TIME_NS = 1_763_712_000_123_456_789n;
export const BOOT_NS = 1_763_000_000_000_000_001n;

export const resource: Attributes = { "host.name": "edge-1", "service.name": "sonde", "host.cpus": 4 };
export const scope = { name: "sonde", version: "0.1.0" };
export const roomy = { batchBytesMax: 1e9, batchItemsMax: 1e6 };

export function input(snapshot: Snapshot): MetricsInput {
  return { resource, scope, snapshot };
}

export function snapshot(points: readonly Point[], timeNs: bigint = TIME_NS): Snapshot {
  return { timeNs, points, omitted: [] };
}

type Kind = "counter" | "updowncounter" | "gauge" | "histogram";

/** Bounds of every histogram here. */
export const BOUNDS: readonly number[] = [0.5, 1, 2.5];

export function descriptor(name: string, kind: Kind, valueType: "int" | "double"): Descriptor {
  const about = { name, unit: "By", description: `About ${name}`, valueType, source: "test" };
  if (kind === "gauge") return { ...about, kind };
  if (kind === "histogram") return { ...about, kind, bounds: BOUNDS };
  return { ...about, kind: "sum", monotonic: kind === "counter" };
}

/** A histogram's point with these counts; its sum is made up. */
export function distributed(series: Series, counts: readonly number[], startNs: bigint = BOOT_NS): Point {
  const count = counts.reduce((sum, each) => sum + each, 0);
  return { series, value: count, distribution: { counts, sum: count * 1.25 }, startNs };
}

export function point(series: Series, value: number | bigint, startNs?: bigint): Point {
  return { series, value, startNs: startNs ?? (series.descriptor.kind === "gauge" ? 0n : BOOT_NS) };
}

/** About 200 points in 14 metrics, like a small host. */
export function hostPoints(): Point[] {
  const points: Point[] = [];
  for (let metric = 0; metric < 14; metric++) {
    const kind = metric % 3 === 0 ? "counter" : metric % 3 === 1 ? "updowncounter" : "gauge";
    const about = descriptor(`system.area${metric}.io`, kind, metric % 2 === 0 ? "int" : "double");
    for (let device = 0; device < 15; device++) {
      const attributes = { "system.device": `disk${device}`, "disk.io.direction": "read" };
      points.push(point({ descriptor: about, attributes }, metric * 1e6 + device));
    }
  }
  return points;
}

/** Lines that a snapshot must become, sorted. */
export function expectedLines(
  { points, timeNs }: Snapshot,
  naming: Naming,
  temporality: Temporality,
): string[] {
  const lines: string[] = [];
  for (const { series, value, startNs, ended, distribution } of points) {
    if (ended !== true && typeof value === "number" && !Number.isFinite(value)) continue;
    for (const form of project(series, naming)) {
      const isSum = form.kind !== "gauge";
      const start = isSum && ended !== true && startNs > 0n ? startNs : 0n;
      const shown = ended === true
        ? "ended"
        : distribution === undefined
        ? shownValue(value, form.valueType)
        : `buckets ${value} ${distribution.sum} ${distribution.counts} ${BOUNDS}`;
      const aggregation = isSum ? (form.monotonic && temporality === "delta" ? 1 : 2) : 0;
      const attributes = Object.entries(form.attributes).map(([key, of]) => `${key}=${of}`);
      const isMonotonic = form.kind === "sum" && form.monotonic;
      const head = [form.name, form.unit, form.kind, isMonotonic, aggregation];
      lines.push([...head, ...attributes.sort(), start, timeNs, shown].join(" "));
    }
  }
  return lines.sort();
}

function shownValue(value: number | bigint, valueType: "int" | "double"): string {
  const isInt = valueType === "int" && (typeof value === "bigint" || Number.isInteger(value)) &&
    value < 2n ** 63n && value >= -(2n ** 63n);
  return isInt ? `int ${BigInt(value)}` : `double ${Number(value)}`;
}

/** Lines of a decoded request, sorted; throws when it is not one resource with one scope. */
export function decodedLines(body: Uint8Array): string[] {
  const request = fromBinary(ExportMetricsServiceRequestSchema, body);
  const scopes = request.resourceMetrics.flatMap((one) => one.scopeMetrics);
  if (request.resourceMetrics.length !== 1 || scopes.length !== 1) {
    throw new Error("Not one resource and scope");
  }
  return scopes.flatMap((one) => one.metrics).flatMap(metricLines).sort();
}

function metricLines(metric: Metric): string[] {
  const { data } = metric;
  if (data.case === "histogram") {
    const head = [metric.name, metric.unit, data.case, false, data.value.aggregationTemporality];
    return data.value.dataPoints.map((point) => [...head, ...bucketParts(point)].join(" "));
  }
  if (data.case !== "gauge" && data.case !== "sum") throw new Error(`Unexpected ${data.case}`);
  const [monotonic, aggregation] = data.case === "sum"
    ? [data.value.isMonotonic, data.value.aggregationTemporality]
    : [false, 0];
  const head = [metric.name, metric.unit, data.case, monotonic, aggregation];
  return data.value.dataPoints.map((point) => [...head, ...pointParts(point)].join(" "));
}

function shownAttributes(attributes: readonly KeyValue[]): string[] {
  return attributes.map((one) => `${one.key}=${one.value?.value.value}`).sort();
}

function bucketParts(point: HistogramDataPoint): unknown[] {
  const { attributes, startTimeUnixNano, timeUnixNano, count, sum, bucketCounts, explicitBounds } = point;
  const shown = point.flags === 1 ? "ended" : `buckets ${count} ${sum} ${bucketCounts} ${explicitBounds}`;
  return [...shownAttributes(attributes), startTimeUnixNano, timeUnixNano, shown];
}

function pointParts(point: NumberDataPoint): unknown[] {
  const { value } = point;
  const shown = point.flags === 1 && value.case === undefined
    ? "ended"
    : value.case === "asInt"
    ? `int ${value.value}`
    : `double ${value.value}`;
  return [...shownAttributes(point.attributes), point.startTimeUnixNano, point.timeUnixNano, shown];
}
