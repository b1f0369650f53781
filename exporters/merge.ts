/**
 * Two delta requests made into one that says the same in sum: what a delta lane does before it drops anything, because a
 * lost delta is lost for good (otlp M12). Increments of one series are added and their intervals joined; of anything
 * else the newer value stands. Works on protobuf requests.
 * @module
 */
import { clone, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type KeyValue, KeyValueSchema } from "../proto_gen/common_pb.ts";
import {
  AggregationTemporality,
  type ExponentialHistogramDataPoint,
  type ExponentialHistogramDataPoint_Buckets as Buckets,
  type HistogramDataPoint,
  type Metric,
  type NumberDataPoint,
  ResourceMetricsSchema,
  type SummaryDataPoint,
} from "../proto_gen/metrics_pb.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../proto_gen/metrics_service_pb.ts";

/** A merged request. */
export interface Merged {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly items: number;
}

type AnyPoint = NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint | SummaryDataPoint;

/** Both requests as one. Throws when either cannot be decoded. */
export function mergeRequests(older: Uint8Array, newer: Uint8Array): Merged {
  const merged = fromBinary(ExportMetricsServiceRequestSchema, older);
  const metrics = indexOf(merged);
  for (const resource of fromBinary(ExportMetricsServiceRequestSchema, newer).resourceMetrics) {
    const strangers = clone(ResourceMetricsSchema, resource);
    resource.scopeMetrics.forEach((scope, at) => {
      const unknown = scope.metrics.filter((metric) => {
        const known = metrics.get(metricKey(resource, scope, metric));
        if (known !== undefined) mergeMetric(known, metric);
        return known === undefined;
      });
      const stranger = strangers.scopeMetrics[at];
      if (stranger !== undefined) stranger.metrics = unknown;
    });
    strangers.scopeMetrics = strangers.scopeMetrics.filter((scope) => scope.metrics.length > 0);
    if (strangers.scopeMetrics.length > 0) merged.resourceMetrics.push(strangers);
  }
  return { bytes: toBinary(ExportMetricsServiceRequestSchema, merged), items: countPoints(merged) };
}

type ResourceOf = ExportMetricsServiceRequest["resourceMetrics"][number];
type ScopeOf = ResourceOf["scopeMetrics"][number];

function indexOf({ resourceMetrics }: ExportMetricsServiceRequest): Map<string, Metric> {
  const metrics = new Map<string, Metric>();
  for (const resource of resourceMetrics) {
    for (const scope of resource.scopeMetrics) {
      for (const metric of scope.metrics) metrics.set(metricKey(resource, scope, metric), metric);
    }
  }
  return metrics;
}

function countPoints({ resourceMetrics }: ExportMetricsServiceRequest): number {
  return resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics)
    .reduce((sum, { data }) => sum + (data.value?.dataPoints.length ?? 0), 0);
}

/** What makes a metric of two requests the same one: all that is identity in OTLP's data model (otlp M8). */
function metricKey({ resource }: ResourceOf, { scope }: ScopeOf, { name, unit, data }: Metric): string {
  const kind = data.case === "sum" ? [data.value.isMonotonic, data.value.aggregationTemporality] : [];
  const temporality = data.case === "histogram" || data.case === "exponentialHistogram"
    ? data.value.aggregationTemporality
    : 0;
  return JSON.stringify([
    ...[attributesKey(resource?.attributes ?? []), scope?.name, scope?.version, name, unit],
    ...[data.case, temporality, ...kind],
  ]);
}

function attributesKey(attributes: readonly KeyValue[]): string {
  return attributes.map((attribute) => toBinary(KeyValueSchema, attribute).toBase64()).sort().join();
}

/** Points of one list that may be one: same attributes, same shape. */
function pointKey(point: AnyPoint): string {
  const shape = "explicitBounds" in point
    ? point.explicitBounds
    : "scale" in point
    ? [point.scale, point.zeroThreshold]
    : [];
  return JSON.stringify([attributesKey(point.attributes), point.flags, shape]);
}

function mergeMetric(older: Metric, newer: Metric): void {
  const [into, from] = [older.data, newer.data];
  if (into.case === "sum" && from.case === "sum") {
    mergePoints(into.value.dataPoints, from.value.dataPoints, isDelta(into.value) ? addNumber : replace);
  } else if (into.case === "histogram" && from.case === "histogram") {
    mergePoints(into.value.dataPoints, from.value.dataPoints, isDelta(into.value) ? addHistogram : replace);
  } else if (into.case === "exponentialHistogram" && from.case === "exponentialHistogram") {
    mergePoints(into.value.dataPoints, from.value.dataPoints, isDelta(into.value) ? addExponential : replace);
  } else if (into.case === "gauge" && from.case === "gauge") {
    mergePoints(into.value.dataPoints, from.value.dataPoints, replace);
  } else if (into.case === "summary" && from.case === "summary") {
    mergePoints(into.value.dataPoints, from.value.dataPoints, replace);
  }
}

function isDelta({ aggregationTemporality }: { aggregationTemporality: AggregationTemporality }): boolean {
  return aggregationTemporality === AggregationTemporality.DELTA;
}

/** The point that stands for both; undefined: they stay two. */
type Join<P> = (older: P, newer: P) => P | undefined;

function mergePoints<P extends AnyPoint>(into: P[], from: readonly P[], join: Join<P>): void {
  // The last of a series: what was merged before is older than it.
  const places = new Map(into.map((point, at) => [pointKey(point), at]));
  for (const point of from) {
    const at = places.get(pointKey(point));
    const known = at === undefined ? undefined : into[at];
    const joined = known === undefined ? undefined : join(known, point);
    if (joined !== undefined && at !== undefined) into[at] = joined;
    else into.push(point);
  }
}

function replace<P>(_older: P, newer: P): P {
  return newer;
}

/** Start of the joined interval; 0 is "unknown" and stays it. */
function earlier(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** A series that has ended has no value to add (flag NO_RECORDED_VALUE). */
const isValueless = ({ flags }: { flags: number }): boolean => (flags & 1) === 1;

function addNumber(older: NumberDataPoint, newer: NumberDataPoint): NumberDataPoint | undefined {
  if (isValueless(older) || isValueless(newer)) return undefined;
  const [a, b] = [older.value, newer.value];
  if (a.case === undefined || b.case === undefined) return undefined;
  const value: NumberDataPoint["value"] = a.case === "asInt" && b.case === "asInt"
    ? { case: "asInt", value: a.value + b.value }
    : { case: "asDouble", value: Number(a.value) + Number(b.value) };
  return { ...newer, value, startTimeUnixNano: earlier(older.startTimeUnixNano, newer.startTimeUnixNano) };
}

/** What both kinds of histogram have in common. */
interface Distribution {
  readonly count: bigint;
  readonly sum?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly startTimeUnixNano: bigint;
}

/** The sum of both, with nothing in it that one of them does not know. */
interface JoinedDistribution {
  readonly count: bigint;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly startTimeUnixNano: bigint;
}

function addDistribution(a: Distribution, b: Distribution): JoinedDistribution {
  const bounds = (least: number | undefined, other: number | undefined, choose: typeof Math.min) =>
    least === undefined || other === undefined ? undefined : choose(least, other);
  const min = a.count === 0n ? b.min : b.count === 0n ? a.min : bounds(a.min, b.min, Math.min);
  const max = a.count === 0n ? b.max : b.count === 0n ? a.max : bounds(a.max, b.max, Math.max);
  return {
    count: a.count + b.count,
    ...(a.sum !== undefined && b.sum !== undefined && { sum: a.sum + b.sum }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    startTimeUnixNano: earlier(a.startTimeUnixNano, b.startTimeUnixNano),
  };
}

function addHistogram(older: HistogramDataPoint, newer: HistogramDataPoint): HistogramDataPoint | undefined {
  if (isValueless(older) || older.bucketCounts.length !== newer.bucketCounts.length) return undefined;
  const { sum: _sum, min: _min, max: _max, ...rest } = newer;
  const bucketCounts = older.bucketCounts.map((count, at) => count + (newer.bucketCounts[at] ?? 0n));
  return { ...rest, ...addDistribution(older, newer), bucketCounts };
}

function addExponential(
  older: ExponentialHistogramDataPoint,
  newer: ExponentialHistogramDataPoint,
): ExponentialHistogramDataPoint | undefined {
  if (isValueless(older)) return undefined;
  const { sum: _sum, min: _min, max: _max, positive: _positive, negative: _negative, ...rest } = newer;
  const positive = addBuckets(older.positive, newer.positive);
  const negative = addBuckets(older.negative, newer.negative);
  return {
    ...rest,
    ...addDistribution(older, newer),
    zeroCount: older.zeroCount + newer.zeroCount,
    ...(positive !== undefined && { positive }),
    ...(negative !== undefined && { negative }),
  };
}

function addBuckets(a: Buckets | undefined, b: Buckets | undefined): Buckets | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const offset = Math.min(a.offset, b.offset);
  const end = Math.max(a.offset + a.bucketCounts.length, b.offset + b.bucketCounts.length);
  const at = (buckets: Buckets, index: number) => buckets.bucketCounts[index - buckets.offset] ?? 0n;
  const bucketCounts = Array.from({ length: end - offset }, (_, i) => at(a, offset + i) + at(b, offset + i));
  return { ...b, offset, bucketCounts };
}
