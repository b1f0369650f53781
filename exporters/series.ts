/**
 * Series that accumulate over many short lives: what `emit` and `exec` measure goes out as a sum or a histogram since
 * the series began, or as the increment of this measurement, as the lane wants it (design 8; otlp M10, M15, M16).
 * Pure: a row goes in and comes out, whoever keeps it.
 * @module
 */
import type { Temporality } from "./batch.ts";
import { isRecord } from "./json_value.ts";
import { type MeasuredSeries, type Measurement, numbersFromJson, seriesFromJson } from "./measurement.ts";
import type { ExponentialPointData, HistogramPointData, MetricData } from "./otlp_data.ts";
import { ExponentialHistogram, Histogram, type Untimed } from "./otlp_histogram.ts";

/** A series as it stands. Times are nanoseconds since 1970. */
export interface SeriesRow {
  readonly series: MeasuredSeries;
  readonly startNs: bigint;
  /** End of the interval before the last one: where the last increment begins. */
  readonly previousNs: bigint;
  readonly timeNs: bigint;
  readonly state: SeriesValue;
}

type SeriesValue =
  | { readonly kind: "sum"; readonly value: number }
  | { readonly kind: "explicit"; readonly point: Untimed<HistogramPointData> }
  | { readonly kind: "exponential"; readonly point: Untimed<ExponentialPointData> };

/** When something was measured, and since when its process has watched. */
export interface Moment {
  readonly timeNs: bigint;
  readonly sinceNs: bigint;
}

/** A clock that was set back further than this has lost its past: the series begins anew. */
const STEP_NS = 60_000_000_000n;

/** Equal for two series exactly when a backend could not tell them apart. */
export function seriesName({ kind, name, unit, attributes, bounds, isExponential }: MeasuredSeries): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([kind, name, unit, sorted, bounds ?? null, isExponential ?? false]);
}

function nothing({ kind, bounds, isExponential }: MeasuredSeries): SeriesValue {
  if (kind === "counter") return { kind: "sum", value: 0 };
  return isExponential
    ? { kind: "exponential", point: new ExponentialHistogram().point() }
    : { kind: "explicit", point: new Histogram(bounds).point() };
}

function added(before: SeriesValue, { values, count }: Measurement): SeriesValue {
  switch (before.kind) {
    case "sum":
      return { kind: "sum", value: values.reduce((sum, value) => sum + value * count, before.value) };
    case "explicit": {
      const histogram = Histogram.resume(before.point);
      for (const value of values) histogram.record(value, count);
      return { kind: "explicit", point: histogram.point() };
    }
    case "exponential": {
      const histogram = ExponentialHistogram.resume(before.point);
      for (const value of values) histogram.record(value, count);
      return { kind: "exponential", point: histogram.point() };
    }
  }
}

/** The series after a measurement. Throws `RangeError` for bounds that do not rise. */
export function accumulate(
  row: SeriesRow | undefined,
  measurement: Measurement,
  { timeNs, sinceNs }: Moment,
): SeriesRow {
  const { values: _, count: __, ...series } = measurement;
  const isKept = row !== undefined && timeNs > row.timeNs - STEP_NS;
  const startNs = isKept ? row.startNs : earlier(sinceNs, timeNs);
  const previousNs = isKept ? row.timeNs : startNs;
  const state = added(isKept ? row.state : nothing(series), measurement);
  // Two measurements within one reading of the clock still have an interval each.
  return { series, startNs, previousNs, timeNs: timeNs > previousNs ? timeNs : previousNs + 1n, state };
}

/** An interval without length belongs to no time. */
function earlier(sinceNs: bigint, timeNs: bigint): bigint {
  return sinceNs < timeNs ? sinceNs : timeNs - 1_000_000n;
}

/** A value of a series over an interval. */
interface Valued {
  readonly row: SeriesRow;
  readonly value: SeriesValue;
  readonly startNs: bigint;
}

/** One metric of values that differ in their attributes only. */
function metricOf(first: Valued, all: readonly Valued[], temporality: Temporality): MetricData {
  const { name, unit, description } = first.row.series;
  const head = { name, unit, description, temporality };
  const points = <K extends SeriesValue["kind"], P>(
    kind: K,
    make: (value: Extract<SeriesValue, { kind: K }>) => P,
  ) =>
    all.flatMap(({ row, value, startNs }) => {
      const { attributes } = row.series;
      return isOf(value, kind) ? [{ attributes, startNs, timeNs: row.timeNs, ...make(value) }] : [];
    });
  switch (first.value.kind) {
    case "sum":
      // Doubles always: a counter that turned out not to be whole would change its type (otlp M8).
      return {
        ...head,
        ...{ kind: "sum", valueType: "double", monotonic: true },
        points: points("sum", ({ value }) => ({ value })),
      };
    case "explicit":
      return { ...head, kind: "histogram", points: points("explicit", ({ point }) => point) };
    case "exponential":
      return { ...head, kind: "exponentialHistogram", points: points("exponential", ({ point }) => point) };
  }
}

function isOf<K extends SeriesValue["kind"]>(
  value: SeriesValue,
  kind: K,
): value is Extract<SeriesValue, { kind: K }> {
  return value.kind === kind;
}

/** Series that differ in their attributes only are one metric. */
function metricsOf(values: readonly Valued[], temporality: Temporality): MetricData[] {
  const groups = Map.groupBy(
    values,
    ({ row, value }) => JSON.stringify([value.kind, row.series.name, row.series.unit]),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [metricOf(first, group, temporality)];
  });
}

/** A measurement and its series after it. */
export interface Recorded {
  readonly row: SeriesRow;
  readonly measurement: Measurement;
}

/** Measurements with the rows that came of them, both in the same order. */
export function recordedAs(measurements: readonly Measurement[], rows: readonly SeriesRow[]): Recorded[] {
  return measurements.flatMap((measurement, at) => {
    const row = rows[at];
    return row === undefined ? [] : [{ row, measurement }];
  });
}

/** All since the series began, or what these measurements have added. */
export function recordedMetrics(recorded: readonly Recorded[], temporality: Temporality): MetricData[] {
  const values = recorded.map(({ row, measurement }): Valued =>
    temporality === "cumulative"
      ? { row, value: row.state, startNs: row.startNs }
      : { row, value: added(nothing(measurement), measurement), startNs: row.previousNs }
  );
  return metricsOf(values, temporality);
}

/** A row as JSON: times as text, since they do not fit a number. */
export function rowToJson({ series, startNs, previousNs, timeNs, state }: SeriesRow): unknown {
  return { series, startNs: `${startNs}`, previousNs: `${previousNs}`, timeNs: `${timeNs}`, state };
}

/** The row behind `rowToJson`; undefined for what is none. */
export function rowFromJson(json: unknown): SeriesRow | undefined {
  if (!isRecord(json)) return undefined;
  const series = seriesFromJson(json["series"]);
  const [startNs, previousNs, timeNs] = [json["startNs"], json["previousNs"], json["timeNs"]].map(
    nanoseconds,
  );
  if (series === undefined || startNs === undefined || previousNs === undefined || timeNs === undefined) {
    return undefined;
  }
  const state = valueFromJson(json["state"], series);
  return state === undefined ? undefined : { series, startNs, previousNs, timeNs, state };
}

function nanoseconds(json: unknown): bigint | undefined {
  return typeof json === "string" && /^\d{1,19}$/.test(json) ? BigInt(json) : undefined;
}

const BUCKETS_MAX = 512;

/** Sum, least and greatest, as far as they are there. */
function knownOf(json: Readonly<Record<string, unknown>>): { sum?: number; min?: number; max?: number } {
  const of = (name: "sum" | "min" | "max") => {
    const value = json[name];
    return typeof value === "number" ? { [name]: value } : {};
  };
  return { ...of("sum"), ...of("min"), ...of("max") };
}

function valueFromJson(json: unknown, series: MeasuredSeries): SeriesValue | undefined {
  if (!isRecord(json)) return undefined;
  const { kind, value } = json;
  const expected = nothing(series);
  if (kind !== expected.kind) return undefined;
  if (expected.kind === "sum") {
    return typeof value === "number" && Number.isFinite(value) ? { kind: "sum", value } : undefined;
  }
  const point = isRecord(json["point"]) ? json["point"] : {};
  if (expected.kind === "explicit") {
    const bucketCounts = numbersFromJson(point["bucketCounts"], BUCKETS_MAX);
    const { bounds } = expected.point;
    if (bucketCounts?.length !== bounds.length + 1) return undefined;
    return { kind: "explicit", point: { bounds, bucketCounts, ...knownOf(point) } };
  }
  const { scale, zeroCount } = point;
  if (typeof scale !== "number" || typeof zeroCount !== "number") return undefined;
  const [positive, negative] = [sideFromJson(point["positive"]), sideFromJson(point["negative"])];
  return {
    kind: "exponential",
    point: {
      scale,
      zeroCount,
      ...knownOf(point),
      ...(positive && { positive }),
      ...(negative && { negative }),
    },
  };
}

function sideFromJson(json: unknown): { offset: number; bucketCounts: number[] } | undefined {
  if (!isRecord(json)) return undefined;
  const bucketCounts = numbersFromJson(json["bucketCounts"], BUCKETS_MAX);
  const { offset } = json;
  return typeof offset === "number" && bucketCounts !== undefined ? { offset, bucketCounts } : undefined;
}
