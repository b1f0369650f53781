/**
 * Histograms with fewer buckets, for destinations that drop those with more than they take (vendors.md section 7):
 * neighbours become one. Every count stays true, the shape is told in less detail.
 * @module
 */
import type { HistogramPointData, MetricData } from "./otlp_data.ts";

function coarserPoint(point: HistogramPointData, bucketsMax: number): HistogramPointData {
  const { bounds, bucketCounts } = point;
  if (bucketCounts.length <= bucketsMax) return point;
  const width = Math.ceil(bucketCounts.length / bucketsMax);
  const starts = bucketCounts.map((_, at) => at).filter((at) => at % width === 0);
  return {
    ...point,
    // A bucket ends where its last one did; the last of all has no end.
    bounds: starts.slice(1).map((at) => bounds[at - 1] ?? NaN),
    bucketCounts: starts.map((at) =>
      bucketCounts.slice(at, at + width).reduce<bigint>((sum, count) => sum + BigInt(count), 0n)
    ),
  };
}

/** The metrics with explicit buckets of at most that many; the same where there is no limit. */
export function coarser(
  metrics: readonly MetricData[],
  bucketsMax: number | undefined,
): readonly MetricData[] {
  if (bucketsMax === undefined) return metrics;
  return metrics.map((metric) =>
    metric.kind === "histogram"
      ? { ...metric, points: metric.points.map((point) => coarserPoint(point, bucketsMax)) }
      : metric
  );
}
