/**
 * A bound on the series of one metric (otlp M21): those beyond it are added up in one point that says so, and those
 * within it stay within, so that no series hops in and out.
 * @module
 */
import {
  type Descriptor,
  type Distribution,
  isMonotonic,
  type Point,
  type Series,
  series,
} from "./metric.ts";

/** Series of one metric that keep a point of their own. */
export const SERIES_PER_METRIC_MAX = 2_000;

/** The attribute of the point that stands for all others. */
const OVERFLOW = { "otel.metric.overflow": true };

/** One metric that may come near the bound. */
interface Admitted {
  readonly own: Set<Series>;
  readonly overflow: Series;
  /** What the overflow point said last; undefined before there was one. */
  value: number | bigint | undefined;
  startNs: bigint;
}

/** Keeps each metric within its bound from cycle to cycle. */
export class CardinalityCap {
  readonly #max: number;
  readonly #metrics = new Map<Descriptor, Admitted>();
  #previousNs: bigint | undefined;
  #overflown = 0;

  constructor(max: number = SERIES_PER_METRIC_MAX) {
    this.#max = max;
  }

  /** Points that went into an overflow point in the last cycle. */
  get overflown(): number {
    return this.#overflown;
  }

  /** The points to send: as they are while there are few, else with surplus series added up. */
  apply(points: readonly Point[], timeNs: bigint): readonly Point[] {
    this.#overflown = 0;
    const surplus = new Map<Descriptor, Point[]>();
    const kept = points.length <= this.#max ? points : this.#keep(points, surplus);
    const added = [...surplus].map(([descriptor, list]) => this.#overflow(descriptor, list));
    const ended = this.#endOverflows(surplus);
    // Below the bound there is nobody to keep out: whoever comes first next time stays in.
    if (kept === points) this.#metrics.clear();
    this.#previousNs = timeNs;
    return added.length + ended.length === 0 ? kept : [...kept, ...added, ...ended];
  }

  #keep(points: readonly Point[], surplus: Map<Descriptor, Point[]>): Point[] {
    const kept: Point[] = [];
    for (const point of points) {
      const { descriptor } = point.series;
      const { own } = this.#admitted(descriptor);
      if (own.has(point.series) || own.size < this.#max) {
        kept.push(point);
        if (point.ended) own.delete(point.series);
        else own.add(point.series);
      } else if (!point.ended) {
        const list = surplus.get(descriptor) ?? [];
        list.push(point);
        surplus.set(descriptor, list);
      }
    }
    return kept;
  }

  #endOverflows(surplus: ReadonlyMap<Descriptor, unknown>): Point[] {
    const ended: Point[] = [];
    for (const [descriptor, admitted] of this.#metrics) {
      if (admitted.value === undefined || surplus.has(descriptor)) continue;
      ended.push({ series: admitted.overflow, value: 0, startNs: admitted.startNs, ended: true });
      admitted.value = undefined;
    }
    return ended;
  }

  #admitted(descriptor: Descriptor): Admitted {
    let admitted = this.#metrics.get(descriptor);
    if (admitted === undefined) {
      admitted = { own: new Set(), overflow: series(descriptor, OVERFLOW), value: undefined, startNs: 0n };
      this.#metrics.set(descriptor, admitted);
    }
    return admitted;
  }

  #overflow(descriptor: Descriptor, surplus: readonly Point[]): Point {
    const admitted = this.#admitted(descriptor);
    this.#overflown += surplus.length;
    const value = descriptor.kind === "gauge" ? surplus[surplus.length - 1]?.value ?? 0 : total(surplus);
    const starts = surplus.map((point) => point.startNs);
    const earliest = starts.reduce((least, startNs) => startNs < least ? startNs : least, starts[0] ?? 0n);
    if (admitted.value === undefined) admitted.startNs = earliest;
    // One of the many ended or was reset: for the sum of all that is a reset.
    else if (value < admitted.value && isMonotonic(descriptor)) {
      admitted.startNs = this.#previousNs ?? earliest;
    }
    admitted.value = value;
    const all = { series: admitted.overflow, value, startNs: admitted.startNs };
    return descriptor.kind === "histogram" ? { ...all, distribution: allDistributions(surplus) } : all;
  }
}

/** All distributions added up; those of one metric have the same buckets. */
function allDistributions(points: readonly Point[]): Distribution {
  const counts: number[] = [];
  let sum = 0;
  for (const { distribution } of points) {
    distribution?.counts.forEach((count, bucket) => counts[bucket] = (counts[bucket] ?? 0) + count);
    sum += distribution?.sum ?? 0;
  }
  return { counts, sum };
}

/** The sum of all values; exact as long as they are whole. */
function total(points: readonly Point[]): number | bigint {
  let whole = 0n;
  let fraction = 0;
  for (const { value } of points) {
    if (typeof value === "number" && !Number.isInteger(value)) fraction += value;
    else whole += BigInt(value);
  }
  if (fraction !== 0) return Number(whole) + fraction;
  return whole <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(whole) : whole;
}
