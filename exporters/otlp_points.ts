/**
 * Data points of every kind in their protobuf form, checked against OTLP's data model (otlp M15, M16, E8): undefined
 * for what breaks a rule of it.
 * @module
 */
import type { OtlpMessages } from "../proto_gen/otlp_fields.ts";
import type {
  ExemplarData,
  ExponentialBuckets,
  ExponentialPointData,
  HistogramPointData,
  NumberPointData,
  SummaryPointData,
} from "./otlp_data.ts";
import { contextInit, isTime, type LeftOut } from "./otlp_request.ts";
import { fitsInt64, protoAttributes } from "./otlp_values.ts";

/** The forms of the five kinds. */
export type NumberInit = OtlpMessages["NumberDataPoint"];
export type HistogramInit = OtlpMessages["HistogramDataPoint"];
export type ExponentialInit = OtlpMessages["ExponentialHistogramDataPoint"];
export type SummaryInit = OtlpMessages["SummaryDataPoint"];

type BucketsInit = OtlpMessages["ExponentialHistogramDataPoint_Buckets"];

interface Head {
  readonly attributes?: NumberPointData["attributes"];
  readonly startNs?: bigint;
  readonly timeNs: bigint;
  readonly exemplars?: readonly ExemplarData[];
}

function headOf(point: Head, leftOut: LeftOut) {
  return {
    attributes: protoAttributes(point.attributes ?? {}),
    startTimeUnixNano: startOf(point),
    timeUnixNano: point.timeNs,
    exemplars: (point.exemplars ?? []).flatMap((exemplar) => exemplarInit(exemplar, leftOut)),
  };
}

function startOf({ startNs }: Head): bigint {
  return startNs !== undefined && isTime(startNs) ? startNs : 0n;
}

function exemplarInit(exemplar: ExemplarData, leftOut: LeftOut): OtlpMessages["Exemplar"][] {
  if (!isTime(exemplar.timeNs) || !isNumber(exemplar.value)) return [];
  const valueType = typeof exemplar.value === "bigint" ? "int" : "double";
  return [{
    timeUnixNano: exemplar.timeNs,
    filteredAttributes: protoAttributes(exemplar.attributes ?? {}),
    value: numberValue(exemplar.value, valueType),
    ...contextInit(exemplar, leftOut),
  }];
}

function isNumber(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isFinite(value);
}

/** An int where the metric has ints and the value is one of 64 bits (otlp M9). */
function numberValue(value: number | bigint, valueType: "int" | "double") {
  const isWhole = typeof value === "bigint" || Number.isInteger(value);
  if (valueType === "int" && isWhole && fitsInt64(BigInt(value))) {
    return { case: "asInt" as const, value: BigInt(value) };
  }
  return { case: "asDouble" as const, value: Number(value) };
}

/** A point of a gauge, which has no start (otlp M2), or of a sum. */
export function numberInit(
  point: NumberPointData,
  { kind, valueType }: { readonly kind: "gauge" | "sum"; readonly valueType: "int" | "double" },
  leftOut: LeftOut,
): NumberInit | undefined {
  if (!isNumber(point.value)) {
    leftOut.nonFinite++;
    return undefined;
  }
  const head = headOf(point, leftOut);
  return {
    ...head,
    startTimeUnixNano: kind === "gauge" ? 0n : head.startTimeUnixNano,
    value: numberValue(point.value, valueType),
  };
}

/** Counts as 64-bit integers, with their sum; undefined when one is negative or not whole. */
function counts(values: readonly (number | bigint)[]): { each: bigint[]; total: bigint } | undefined {
  if (!values.every((value) => typeof value === "bigint" || Number.isInteger(value))) return undefined;
  const each = values.map(BigInt);
  if (each.some((value) => value < 0n)) return undefined;
  return { each, total: each.reduce((sum, value) => sum + value, 0n) };
}

interface Measured {
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
}

/** Sum, min and max as far as they may be said: finite, and no sum of negative measurements. */
function measured({ sum, min, max }: Measured, total: bigint, hasNegative: boolean): Measured {
  const isKnown = (value: number | undefined): value is number =>
    value !== undefined && Number.isFinite(value);
  const mayHaveSum = !hasNegative && !(isKnown(min) && min < 0);
  return {
    ...(total === 0n ? { sum: 0 } : mayHaveSum && isKnown(sum) ? { sum } : {}),
    ...(total > 0n && isKnown(min) ? { min } : {}),
    ...(total > 0n && isKnown(max) ? { max } : {}),
  };
}

/** A point of an explicit-bucket histogram. */
export function histogramInit(point: HistogramPointData, leftOut: LeftOut): HistogramInit | undefined {
  const { bounds, bucketCounts } = point;
  const buckets = counts(bucketCounts);
  const given = counts(point.count === undefined ? [] : [point.count]);
  const isEmpty = bounds.length === 0 && bucketCounts.length === 0;
  const isShaped = isEmpty ? point.count !== undefined : bucketCounts.length === bounds.length + 1;
  const isRising = bounds.every((bound, i) =>
    Number.isFinite(bound) && (i === 0 || bound > (bounds[i - 1] ?? bound))
  );
  if (buckets === undefined || given === undefined || !isShaped || !isRising) return undefined;
  const count = isEmpty ? given.total : buckets.total;
  if (point.count !== undefined && given.total !== count) return undefined;
  return {
    ...headOf(point, leftOut),
    count,
    ...measured(point, count, false),
    bucketCounts: buckets.each,
    explicitBounds: [...bounds],
  };
}

const SCALE_MIN = -10;
const SCALE_MAX = 20;
const INT32_MAX = 2 ** 31 - 1;

/** A point of an exponential histogram. */
export function exponentialInit(point: ExponentialPointData, leftOut: LeftOut): ExponentialInit | undefined {
  const positive = bucketsInit(point.positive);
  const negative = bucketsInit(point.negative);
  const zero = counts([point.zeroCount]);
  const { scale, zeroThreshold = 0 } = point;
  const isScaled = Number.isInteger(scale) && scale >= SCALE_MIN && scale <= SCALE_MAX;
  if (positive === undefined || negative === undefined || zero === undefined || !isScaled) return undefined;
  if (!(zeroThreshold >= 0 && Number.isFinite(zeroThreshold))) return undefined;
  const count = positive.total + negative.total + zero.total;
  return {
    ...headOf(point, leftOut),
    count,
    ...measured(point, count, negative.total > 0n),
    scale,
    zeroCount: zero.total,
    zeroThreshold,
    ...(positive.total > 0n ? { positive: positive.init } : {}),
    ...(negative.total > 0n ? { negative: negative.init } : {}),
  };
}

/** Buckets whose every index fits 32 bits. */
function bucketsInit(
  buckets: ExponentialBuckets | undefined,
): { init: BucketsInit; total: bigint } | undefined {
  const { offset, bucketCounts } = buckets ?? { offset: 0, bucketCounts: [] };
  const found = counts(bucketCounts);
  const last = offset + bucketCounts.length;
  if (found === undefined || !Number.isInteger(offset) || offset < -INT32_MAX || last > INT32_MAX) {
    return undefined;
  }
  return { init: { offset, bucketCounts: found.each }, total: found.total };
}

/** A point of a summary. */
export function summaryInit(point: SummaryPointData, leftOut: LeftOut): SummaryInit | undefined {
  const count = counts([point.count]);
  const isFinite = Number.isFinite(point.sum) && point.quantiles.every(({ value }) => Number.isFinite(value));
  const isShare = point.quantiles.every(({ quantile }) => quantile >= 0 && quantile <= 1);
  if (count === undefined || !isFinite || !isShare) return undefined;
  const { exemplars: _, ...head } = headOf(point, leftOut);
  const quantileValues = point.quantiles.map(({ quantile, value }) => ({ quantile, value }));
  return { ...head, count: count.total, sum: point.sum, quantileValues };
}
