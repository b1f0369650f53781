/**
 * The difference of two cumulative points of one series (otlp M7, M10, M11, M14): exact for integers, buckets by
 * buckets, exponential histograms over a change of scale.
 * @module
 */
import { toBinary } from "@bufbuild/protobuf";
import { type KeyValue, KeyValueSchema } from "../proto_gen/common_pb.ts";
import type {
  ExponentialHistogramDataPoint,
  ExponentialHistogramDataPoint_Buckets,
  HistogramDataPoint,
  NumberDataPoint,
} from "../proto_gen/metrics_pb.ts";

/** A point that can be cumulative. */
export type AnyPoint = NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint;

/** A series' last cumulative value; a copy where the point itself is changed. */
export interface Remembered {
  readonly startNs: bigint;
  readonly timeNs: bigint;
  readonly value: Value;
}

type Counts = ReadonlyMap<number, bigint>;

type Value =
  | { readonly kind: "int"; readonly int: bigint }
  | { readonly kind: "double"; readonly double: number }
  | {
    readonly kind: "histogram";
    readonly count: bigint;
    readonly sum: number | undefined;
    readonly buckets: readonly bigint[];
    readonly bounds: readonly number[];
  }
  | {
    readonly kind: "exponential";
    readonly count: bigint;
    readonly sum: number | undefined;
    readonly zeroCount: bigint;
    readonly zeroThreshold: number;
    readonly scale: number;
    readonly positive: Counts;
    readonly negative: Counts;
  };

/** What became of a point. */
export type Difference =
  /** It is the difference now. */
  | { readonly kind: "delta"; readonly now: Remembered }
  /** Only remembered: there is nothing to take the difference to. */
  | { readonly kind: "first_value" | "incomparable"; readonly now: Remembered }
  | { readonly kind: "out_of_order" }
  /** "No recorded value": passed on as it is, the series is over. */
  | { readonly kind: "ended" };

const NO_RECORDED_VALUE = 1;

const latin1 = new TextDecoder("latin1");

/** One text for the same attributes in any order. */
export function identity(attributes: readonly KeyValue[]): string {
  return attributes.map((it) => latin1.decode(toBinary(KeyValueSchema, it))).sort().join("\n");
}

/** Changes `point` into its difference to `last`. `processStartNs`: series that began later need no baseline. */
export function difference(
  point: AnyPoint,
  last: Remembered | undefined,
  processStartNs: bigint,
): Difference {
  if ((point.flags & NO_RECORDED_VALUE) !== 0) return { kind: "ended" };
  const now = { startNs: point.startTimeUnixNano, timeNs: point.timeUnixNano, value: valueOf(point) };
  if (last === undefined) {
    const isYoung = now.startNs > processStartNs && now.startNs < now.timeNs;
    if (isYoung) dropExtremes(point);
    return { kind: isYoung ? "delta" : "first_value", now };
  }
  if (now.timeNs <= last.timeNs) return { kind: "out_of_order" };
  // Counted anew from a start of its own: all of it is new.
  if (now.startNs > last.startNs && now.startNs >= last.timeNs) {
    dropExtremes(point);
    return { kind: "delta", now };
  }
  const delta = subtract(now.value, last.value);
  if (delta === "incomparable") return { kind: "incomparable", now };
  // A value that fell was reset at an unknown time after the last.
  if (delta !== undefined) apply(point, delta);
  else dropExtremes(point);
  point.startTimeUnixNano = last.timeNs;
  return { kind: "delta", now };
}

function valueOf(point: AnyPoint): Value {
  if (point.$typeName === "opentelemetry.proto.metrics.v1.NumberDataPoint") {
    return point.value.case === "asInt"
      ? { kind: "int", int: point.value.value }
      : { kind: "double", double: point.value.value ?? 0 };
  }
  if (point.$typeName === "opentelemetry.proto.metrics.v1.HistogramDataPoint") {
    const { count, sum, bucketCounts: buckets, explicitBounds: bounds } = point;
    return { kind: "histogram", count, sum, buckets, bounds };
  }
  const { count, sum, zeroCount, zeroThreshold, scale } = point;
  const positive = countsOf(point.positive);
  return {
    kind: "exponential",
    count,
    sum,
    zeroCount,
    zeroThreshold,
    scale,
    positive,
    negative: countsOf(point.negative),
  };
}

function countsOf(buckets: ExponentialHistogramDataPoint_Buckets | undefined): Counts {
  const { offset, bucketCounts } = buckets ?? { offset: 0, bucketCounts: [] };
  return new Map(
    bucketCounts.map((count, i) => [offset + i, count] as const).filter(([, count]) => count > 0n),
  );
}

/** The difference; undefined after a reset. */
function subtract(now: Value, last: Value): Value | undefined | "incomparable" {
  if (now.kind === "int" && last.kind === "int") {
    return now.int < last.int ? undefined : { kind: "int", int: now.int - last.int };
  }
  if (now.kind === "double" && last.kind === "double") {
    return now.double < last.double ? undefined : { kind: "double", double: now.double - last.double };
  }
  if (now.kind === "histogram" && last.kind === "histogram") {
    if (now.count < last.count) return undefined;
    if (String(now.bounds) !== String(last.bounds) || now.buckets.length !== last.buckets.length) {
      return "incomparable";
    }
    const buckets = now.buckets.map((count, i) => count - (last.buckets[i] ?? 0n));
    if (buckets.some((count) => count < 0n)) return undefined;
    return { ...now, count: now.count - last.count, sum: minus(now.sum, last.sum), buckets };
  }
  if (now.kind === "exponential" && last.kind === "exponential") return subtractExponential(now, last);
  return "incomparable";
}

type Exponential = Extract<Value, { readonly kind: "exponential" }>;

function subtractExponential(now: Exponential, last: Exponential): Value | undefined | "incomparable" {
  if (now.count < last.count || now.zeroCount < last.zeroCount) return undefined;
  // Scale only falls while a histogram lives; a coarser last value cannot be made finer.
  if (now.scale > last.scale || now.zeroThreshold !== last.zeroThreshold) return "incomparable";
  const steps = last.scale - now.scale;
  const positive = subtractCounts(now.positive, coarser(last.positive, steps));
  const negative = subtractCounts(now.negative, coarser(last.negative, steps));
  if (positive === undefined || negative === undefined) return undefined;
  return {
    ...now,
    count: now.count - last.count,
    sum: minus(now.sum, last.sum),
    zeroCount: now.zeroCount - last.zeroCount,
    positive,
    negative,
  };
}

/** The same counts at a scale lower by `steps`: each step joins two neighbours. */
function coarser(counts: Counts, steps: number): Counts {
  if (steps === 0) return counts;
  const joined = new Map<number, bigint>();
  for (const [index, count] of counts) {
    const at = Math.floor(index / 2 ** steps);
    joined.set(at, (joined.get(at) ?? 0n) + count);
  }
  return joined;
}

function subtractCounts(now: Counts, last: Counts): Counts | undefined {
  const left = new Map(now);
  for (const [index, count] of last) {
    const rest = (left.get(index) ?? 0n) - count;
    if (rest < 0n) return undefined;
    left.set(index, rest);
  }
  return left;
}

/** Sums are optional; a difference needs both. */
function minus(now: number | undefined, last: number | undefined): number | undefined {
  return now === undefined || last === undefined ? undefined : now - last;
}

/** Extremes of the whole life say nothing about an interval (otlp M14). */
function dropExtremes(point: AnyPoint): void {
  if (point.$typeName === "opentelemetry.proto.metrics.v1.NumberDataPoint") return;
  delete point.min;
  delete point.max;
}

function apply(point: AnyPoint, delta: Value): void {
  dropExtremes(point);
  if (point.$typeName === "opentelemetry.proto.metrics.v1.NumberDataPoint") {
    if (delta.kind === "int") point.value = { case: "asInt", value: delta.int };
    if (delta.kind === "double") point.value = { case: "asDouble", value: delta.double };
    return;
  }
  if (delta.kind !== "histogram" && delta.kind !== "exponential") return;
  point.count = delta.count;
  if (delta.sum === undefined) delete point.sum;
  else point.sum = delta.sum;
  if (point.$typeName === "opentelemetry.proto.metrics.v1.HistogramDataPoint") {
    if (delta.kind === "histogram") point.bucketCounts = [...delta.buckets];
  } else if (delta.kind === "exponential") {
    point.zeroCount = delta.zeroCount;
    fill(point.positive, delta.positive);
    fill(point.negative, delta.negative);
  }
}

/** Same offset and length as before, so that nothing has to be allocated for gaps. */
function fill(buckets: ExponentialHistogramDataPoint_Buckets | undefined, counts: Counts): void {
  if (buckets === undefined) return;
  const { offset } = buckets;
  buckets.bucketCounts = buckets.bucketCounts.map((_, i) => counts.get(offset + i) ?? 0n);
}
