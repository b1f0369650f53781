/**
 * Received metrics for rows that take one temporality only (design 8): cumulative becomes delta with remembered
 * last values, delta is left out for cumulative-only rows. Loaded when such a row meets such data, since it brings
 * the protobuf runtime. Rules: otlp M6, M7, M10, M11, M14. State is lost with the process: the first point after a
 * start is the new baseline, unless its series is younger than this process.
 * @module
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AggregationTemporality,
  type Metric,
  type ResourceMetrics,
  type ScopeMetrics,
} from "../proto_gen/metrics_pb.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";
import { addDrops, type Drops, type ReceivedDropReason } from "./receiver_account.ts";
import {
  type AnyPoint,
  type Difference,
  difference,
  identity,
  type Remembered,
} from "./received_difference.ts";

/** A request in another temporality. */
export interface Converted {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Data points left. */
  readonly items: number;
  readonly drops: Drops;
}

/** A series not seen for so long makes room for a new one. */
const FORGET_NS = 600n * 1_000_000_000n;
/** Characters of all series' identities together. */
const IDENTITIES_MAX = 4_194_304;

/** Last values of cumulative series, as many as `seriesMax`. */
export class DeltaState {
  readonly #seriesMax: number;
  readonly #startNs: bigint;
  /** In the order of their last use, oldest first. */
  readonly #series = new Map<string, Remembered>();
  #identities = 0;

  /** `startNs`: wall time of the process's start; a series that began later needs no baseline (otlp M11). */
  constructor(seriesMax: number, startNs: bigint) {
    this.#seriesMax = seriesMax;
    this.#startNs = startNs;
  }

  get size(): number {
    return this.#series.size;
  }

  /** Cumulative monotonic sums and histograms as delta; all else stays. The request must have passed the scan. */
  convert(request: Uint8Array): Converted {
    return rewrite(request, (metric, where) => this.#metric(metric, where));
  }

  /** Points left out, by reason. */
  #metric(metric: Metric, where: string): Drops {
    const drops: Drops = {};
    const { data } = metric;
    if (data.case !== "sum" && data.case !== "histogram" && data.case !== "exponentialHistogram") {
      return drops;
    }
    const isCumulative = data.value.aggregationTemporality === AggregationTemporality.CUMULATIVE;
    if (!isCumulative || data.case === "sum" && !data.value.isMonotonic) return drops;
    data.value.aggregationTemporality = AggregationTemporality.DELTA;
    const prefix = `${where}\n${metric.name}\n${metric.unit}\n${data.case}`;
    const keep = (point: AnyPoint): boolean => {
      const dropped = this.#point(point, `${prefix}\n${identity(point.attributes)}`);
      if (dropped !== undefined) addDrops(drops, { [dropped]: 1 });
      return dropped === undefined;
    };
    switch (data.case) {
      case "sum":
        data.value.dataPoints = data.value.dataPoints.filter(keep);
        break;
      case "histogram":
        data.value.dataPoints = data.value.dataPoints.filter(keep);
        break;
      case "exponentialHistogram":
        data.value.dataPoints = data.value.dataPoints.filter(keep);
        break;
    }
    return drops;
  }

  /** Turns a point into its difference to the last; the reason when there is none. */
  #point(point: AnyPoint, series: string): ReceivedDropReason | undefined {
    const last = this.#series.get(series);
    if (last === undefined && !this.#makeRoom(series, point.timeUnixNano)) return "series_limit";
    const result: Difference = difference(point, last, this.#startNs);
    if (result.kind === "out_of_order") return "out_of_order";
    if (last !== undefined) this.#forget(series);
    if (result.kind === "ended") return undefined;
    this.#series.set(series, result.now);
    this.#identities += series.length;
    return result.kind === "delta" ? undefined : result.kind;
  }

  #forget(series: string): void {
    this.#series.delete(series);
    this.#identities -= series.length;
  }

  /** True when there is room for a new series, made by forgetting those that are long unseen. */
  #makeRoom(series: string, nowNs: bigint): boolean {
    for (const [oldest, { timeNs }] of this.#series) {
      const hasRoom = this.#series.size < this.#seriesMax &&
        this.#identities + series.length <= IDENTITIES_MAX;
      if (hasRoom || nowNs - timeNs < FORGET_NS) return hasRoom;
      this.#forget(oldest);
    }
    return true;
  }
}

/** The request without its delta sums and histograms. The request must have passed the scan. */
export function withoutDelta(request: Uint8Array): Converted {
  return rewrite(request, ({ data }) => {
    if (data.case !== "sum" && data.case !== "histogram" && data.case !== "exponentialHistogram") return {};
    if (data.value.aggregationTemporality !== AggregationTemporality.DELTA) return {};
    const items = data.value.dataPoints.length;
    data.value.dataPoints = [];
    return { unsupported_temporality: items };
  });
}

type Rewrite = (metric: Metric, where: string) => Drops;

/** Applies a change to each metric and leaves out what has no points any more. */
function rewrite(request: Uint8Array, change: Rewrite): Converted {
  const message = fromBinary(ExportMetricsServiceRequestSchema, request);
  const drops: Drops = {};
  let items = 0;
  for (const entry of message.resourceMetrics) {
    for (const scope of entry.scopeMetrics) {
      const where = place(entry, scope);
      scope.metrics = scope.metrics.filter((metric) => {
        addDrops(drops, change(metric, where));
        const left = points(metric);
        items += left;
        return left > 0;
      });
    }
    entry.scopeMetrics = entry.scopeMetrics.filter((scope) => scope.metrics.length > 0);
  }
  message.resourceMetrics = message.resourceMetrics.filter((entry) => entry.scopeMetrics.length > 0);
  return { bytes: toBinary(ExportMetricsServiceRequestSchema, message), items, drops };
}

function place(entry: ResourceMetrics, scope: ScopeMetrics): string {
  const { name, version, attributes } = scope.scope ?? { name: "", version: "", attributes: [] };
  return `${identity(entry.resource?.attributes ?? [])}\n${name}\n${version}\n${identity(attributes)}`;
}

function points(metric: Metric): number {
  return metric.data.value?.dataPoints.length ?? 0;
}
