/**
 * A histogram for an interface that has none: what is known of its measurements together, as metrics of their own
 * behind a dot, `name.count`, `name.sum`, `name.min` and `name.max` (vendors.md 1.3). The buckets are lost, and with
 * them the quantiles; count and sum stay true.
 * @module
 */
import type {
  ExponentialHistogramData,
  ExponentialPointData,
  HistogramData,
  HistogramPointData,
  MetricData,
  NumberPointData,
} from "./otlp_data.ts";

type Distribution = HistogramPointData | ExponentialPointData;

function total(counts: readonly (number | bigint)[] = []): bigint {
  return counts.reduce<bigint>((sum, count) => sum + BigInt(count), 0n);
}

/** How many measurements a point stands for. */
function countOf(point: Distribution): bigint {
  if ("bounds" in point) return point.count === undefined ? total(point.bucketCounts) : BigInt(point.count);
  const { positive, negative, zeroCount } = point;
  return total(positive?.bucketCounts) + total(negative?.bucketCounts) + BigInt(zeroCount);
}

/** A sum that may have fallen is no counter (otlp: no sum of negative measurements). */
function sumOf({ sum, min = 0 }: Distribution): number | undefined {
  return min < 0 ? undefined : sum;
}

/** Up to four metrics; those nothing is known of are left out. */
export function aggregatesOf(metric: HistogramData | ExponentialHistogramData): MetricData[] {
  const { name, unit = "", description = "", temporality } = metric;
  const all: readonly Distribution[] = metric.points;
  const points = (valueOf: (point: Distribution) => number | bigint | undefined): NumberPointData[] =>
    all.flatMap((point) => {
      const { attributes = {}, startNs = 0n, timeNs } = point;
      const value = valueOf(point);
      return value === undefined ? [] : [{ attributes, startNs, timeNs, value }];
    });
  const sum = { kind: "sum", description, monotonic: true, temporality } as const;
  const gauge = { kind: "gauge", unit, description, valueType: "double" } as const;
  const aggregates: MetricData[] = [
    { ...sum, name: `${name}.count`, valueType: "int", points: points(countOf) },
    { ...sum, name: `${name}.sum`, unit, valueType: "double", points: points(sumOf) },
    { ...gauge, name: `${name}.min`, points: points(({ min }) => min) },
    { ...gauge, name: `${name}.max`, points: points(({ max }) => max) },
  ];
  return aggregates.filter((each) => each.points.length > 0);
}
