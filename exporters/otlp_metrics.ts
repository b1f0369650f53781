/**
 * Metrics of every kind -> metrics requests, protobuf and JSON (otlp M1, M8, M10, M15, M16, M24). For programs and for
 * `emit`; host metrics, which are many and alike, have an encoder of their own.
 * @module
 */
import type { OtlpMessages } from "../proto_gen/otlp_fields.ts";
import type { Temporality } from "./batch.ts";
import type { MetricData } from "./otlp_data.ts";
import { exponentialInit, histogramInit, numberInit, summaryInit } from "./otlp_points.ts";
import {
  bodyOf,
  headInit,
  isTime,
  type Item,
  type LeftOut,
  nothingLeftOut,
  type RequestHead,
  type RequestOptions,
  type Requests,
  requestsOf,
} from "./otlp_request.ts";
import { wellFormed } from "./otlp_values.ts";

type MetricInit = OtlpMessages["Metric"];
type DataInit = NonNullable<MetricInit["data"]>;

/** A metric whose points have been made: times, and the metric with some of them. */
interface Prepared {
  readonly times: readonly bigint[];
  readonly take: (points: readonly number[]) => MetricInit;
}

/** One point of a prepared metric: what requests are cut by. */
interface PointOf {
  readonly metric: Prepared;
  readonly index: number;
}

const TEMPORALITIES = { delta: 1, cumulative: 2 } as const;

/** The requests of some metrics, none when they have no points. Points that break a rule are left out. */
export function encodeMetrics(
  metrics: readonly MetricData[],
  head: RequestHead,
  options: RequestOptions,
): Requests {
  const leftOut = nothingLeftOut();
  const items = metrics.map((metric) => prepare(metric, leftOut)).flatMap(itemsOf);
  const { resource, scope, schemaUrl } = headInit(head);
  const render = (points: readonly PointOf[]) => {
    const metrics = Array.from(
      Map.groupBy(points, ({ metric }) => metric),
      ([metric, points]) => metric.take(points.map(({ index }) => index)),
    );
    const scopeMetrics = [{ scope, metrics, schemaUrl }];
    const request = { resourceMetrics: [{ resource, scopeMetrics, schemaUrl }] };
    return bodyOf("ExportMetricsServiceRequest", request, options.encoding);
  };
  return requestsOf(items, options, { leftOut, render });
}

function itemsOf(metric: Prepared): Item<PointOf>[] {
  return metric.times.map((timeNs, index) => ({ init: { metric, index }, firstNs: timeNs, lastNs: timeNs }));
}

/** Makes a metric's points by its kind. */
function prepare(metric: MetricData, leftOut: LeftOut): Prepared {
  const of = <P extends TimedPoint, I>(points: readonly P[], making: Making<P, I>) =>
    preparePoints(metric, make(points, making.make, leftOut), making.data);
  switch (metric.kind) {
    case "gauge":
      return of(metric.points, {
        make: (point) => numberInit(point, metric, leftOut),
        data: (dataPoints) => ({ case: "gauge", value: { dataPoints } }),
      });
    case "sum":
      return of(metric.points, {
        make: (point) => numberInit(point, metric, leftOut),
        data: (dataPoints) => ({
          case: "sum",
          value: { dataPoints, ...aggregation(metric), isMonotonic: metric.monotonic },
        }),
      });
    case "histogram":
      return of(metric.points, {
        make: (point) => histogramInit(point, leftOut),
        data: (dataPoints) => ({ case: "histogram", value: { dataPoints, ...aggregation(metric) } }),
      });
    case "exponentialHistogram":
      return of(metric.points, {
        make: (point) => exponentialInit(point, leftOut),
        data: (dataPoints) => ({
          case: "exponentialHistogram",
          value: { dataPoints, ...aggregation(metric) },
        }),
      });
    case "summary":
      return of(metric.points, {
        make: (point) => summaryInit(point, leftOut),
        data: (dataPoints) => ({ case: "summary", value: { dataPoints } }),
      });
  }
}

interface TimedPoint {
  readonly timeNs: bigint;
}

/** How points of one kind are made, and how they stand in a Metric. */
interface Making<P, I> {
  readonly make: (point: P) => I | undefined;
  readonly data: (points: I[]) => DataInit;
}

interface Made<I> {
  readonly init: I;
  readonly timeNs: bigint;
}

/** The points that can be made; one that is missing for another reason than its value is invalid. */
function make<P extends TimedPoint, I>(
  points: readonly P[],
  init: (point: P) => I | undefined,
  leftOut: LeftOut,
): Made<I>[] {
  return points.flatMap((point) => {
    const before = leftOut.nonFinite;
    const made = isTime(point.timeNs) ? init(point) : undefined;
    if (made !== undefined) return [{ init: made, timeNs: point.timeNs }];
    if (leftOut.nonFinite === before) leftOut.invalid++;
    return [];
  });
}

function preparePoints<I>(
  metric: MetricData,
  made: readonly Made<I>[],
  data: (points: I[]) => DataInit,
): Prepared {
  const head = {
    name: wellFormed(metric.name),
    unit: wellFormed(metric.unit ?? ""),
    description: wellFormed(metric.description ?? ""),
  };
  return {
    times: made.map(({ timeNs }) => timeNs),
    take: (points) => {
      const taken = points.map((index) => made[index]?.init).filter((init) => init !== undefined);
      return { ...head, data: data(taken) };
    },
  };
}

function aggregation(
  { temporality }: { readonly temporality: Temporality },
): { aggregationTemporality: 1 | 2 } {
  return { aggregationTemporality: TEMPORALITIES[temporality] };
}
