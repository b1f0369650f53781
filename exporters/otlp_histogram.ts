/**
 * Measurements gathered into histograms, explicit and exponential, with a bound on their size (otlp M15, M16). What
 * they give is a point without its times, for `encodeMetrics`.
 * @module
 */
import type { ExponentialBuckets, ExponentialPointData, HistogramPointData } from "./otlp_data.ts";

/** Bounds of a histogram whose owner names none, as the OpenTelemetry SDKs have them; made for milliseconds. */
export const DEFAULT_BOUNDS: readonly number[] = [
  ...[0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000],
];

interface Known {
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
}

/** A point as its histogram gives it: without its times. */
export type Untimed<P> = Omit<P, "timeNs">;

/** Sum, least and greatest of what was measured. */
class Extent {
  count: number;
  sum: number;
  min: number;
  max: number;

  constructor(count: number = 0, { sum = 0, min = Infinity, max = -Infinity }: Known = {}) {
    this.count = count;
    this.sum = sum;
    this.min = min;
    this.max = max;
  }

  add(value: number, times: number): void {
    this.count += times;
    this.sum += value * times;
    this.min = Math.min(this.min, value);
    this.max = Math.max(this.max, value);
  }

  /** Nothing when nothing was measured. */
  get known(): { sum?: number; min?: number; max?: number } {
    return this.count === 0 ? {} : { sum: this.sum, min: this.min, max: this.max };
  }
}

/** A histogram with fixed bounds; each bound belongs to the bucket below it. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #extent = new Extent();

  /** Throws `RangeError` when the bounds do not strictly rise. */
  constructor(bounds: readonly number[] = DEFAULT_BOUNDS) {
    const isRising = bounds.every((bound, i) =>
      Number.isFinite(bound) && (i === 0 || bound > (bounds[i - 1] ?? 0))
    );
    if (!isRising) {
      throw new RangeError(
        `Cannot make a histogram: bounds are ${bounds.join(", ")}, expected rising numbers`,
      );
    }
    this.#bounds = [...bounds];
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Goes on from a point, of this process or of an earlier one. Throws `RangeError` for bounds and counts that do not fit. */
  static resume({ bounds, bucketCounts, ...known }: Untimed<HistogramPointData>): Histogram {
    const histogram = new Histogram(bounds);
    const counts = bucketCounts.map(Number);
    if (counts.length !== bounds.length + 1) {
      throw new RangeError(`Cannot resume a histogram: ${counts.length} counts for ${bounds.length} bounds`);
    }
    histogram.#counts.splice(0, counts.length, ...counts);
    histogram.#extent = new Extent(counts.reduce((sum, count) => sum + count, 0), known);
    return histogram;
  }

  /** Counts a measurement, so many times; false when it is no finite number. */
  record(value: number, times: number = 1): boolean {
    if (!Number.isFinite(value)) return false;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    const bucket = at < 0 ? this.#bounds.length : at;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times;
    this.#extent.add(value, times);
    return true;
  }

  /** The point so far. */
  point(): Untimed<HistogramPointData> {
    return { bounds: this.#bounds, bucketCounts: [...this.#counts], ...this.#extent.known };
  }
}

/** Buckets a side may have before the scale is lowered. */
const BUCKETS_MAX = 160;
const SCALE_MAX = 20;
const MANTISSA_BITS = 52;
const EXPONENT_BIAS = 1023;

/** Exponent and mantissa, from 1 to below 2, of a positive finite number. */
function split(value: number): { exponent: number; mantissa: number } {
  // A subnormal number has no leading 1 of its own: lift it first.
  const lift = value < 2 ** -1022 ? MANTISSA_BITS : 0;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value * 2 ** lift);
  const high = view.getUint32(0);
  const exponent = (high >>> 20) - EXPONENT_BIAS;
  view.setUint32(0, (high & 0xfffff) | (EXPONENT_BIAS << 20));
  return { exponent: exponent - lift, mantissa: view.getFloat64(0) };
}

/** The bucket of a positive finite number: index i holds (base^i, base^(i+1)], base = 2^(2^-scale). */
export function bucketIndex(value: number, scale: number): number {
  const { exponent, mantissa } = split(value);
  // A power of two is the upper end of a bucket, and is exact only when told from the bits.
  if (scale <= 0) return (mantissa === 1 ? exponent - 1 : exponent) >> -scale;
  const perOctave = 2 ** scale;
  if (mantissa === 1) return exponent * perOctave - 1;
  const within = Math.ceil(Math.log2(mantissa) * perOctave) - 1;
  return exponent * perOctave + Math.min(Math.max(within, 0), perOctave - 1);
}

/** An exponential histogram that starts fine and grows coarser as its range grows. */
export class ExponentialHistogram {
  readonly #bucketsMax: number;
  #extent = new Extent();
  #scale = SCALE_MAX;
  #zeros = 0;
  #positive = new Map<number, number>();
  #negative = new Map<number, number>();

  /** `bucketsMax` holds for each side; at least 4, which keeps the scale at or above the -10 that OTLP has as its least. */
  constructor(bucketsMax: number = BUCKETS_MAX) {
    this.#bucketsMax = Math.max(4, bucketsMax);
  }

  /** Goes on from a point, of this process or of an earlier one. */
  static resume(point: Untimed<ExponentialPointData>): ExponentialHistogram {
    const { scale, zeroCount, positive, negative, ...known } = point;
    const histogram = new ExponentialHistogram();
    histogram.#scale = Math.min(scale, SCALE_MAX);
    histogram.#zeros = Number(zeroCount);
    histogram.#positive = indexed(positive);
    histogram.#negative = indexed(negative);
    const sides = [...histogram.#positive.values(), ...histogram.#negative.values()];
    histogram.#extent = new Extent(sides.reduce((sum, count) => sum + count, histogram.#zeros), known);
    return histogram;
  }

  /** Counts a measurement, so many times; false when it is no finite number. */
  record(value: number, times: number = 1): boolean {
    if (!Number.isFinite(value)) return false;
    this.#extent.add(value, times);
    if (value === 0) {
      this.#zeros += times;
      return true;
    }
    this.#coarsen(value > 0 ? this.#positive : this.#negative, bucketIndex(Math.abs(value), this.#scale));
    const side = value > 0 ? this.#positive : this.#negative;
    const index = bucketIndex(Math.abs(value), this.#scale);
    side.set(index, (side.get(index) ?? 0) + times);
    return true;
  }

  /** Lowers the scale of both sides until a side with this index too has not too many buckets. */
  #coarsen(side: ReadonlyMap<number, number>, index: number): void {
    let [low, high] = [index, index];
    for (const known of side.keys()) [low, high] = [Math.min(low, known), Math.max(high, known)];
    let steps = 0;
    while ((high >> steps) - (low >> steps) >= this.#bucketsMax) steps++;
    if (steps === 0) return;
    this.#scale -= steps;
    this.#positive = shifted(this.#positive, steps);
    this.#negative = shifted(this.#negative, steps);
  }

  /** The point so far. */
  point(): Untimed<ExponentialPointData> {
    return {
      scale: this.#scale,
      zeroCount: this.#zeros,
      ...(this.#positive.size > 0 ? { positive: buckets(this.#positive) } : {}),
      ...(this.#negative.size > 0 ? { negative: buckets(this.#negative) } : {}),
      ...this.#extent.known,
    };
  }
}

/** Two neighbours become one at every step. */
function shifted(side: ReadonlyMap<number, number>, steps: number): Map<number, number> {
  const coarse = new Map<number, number>();
  for (const [index, count] of side) coarse.set(index >> steps, (coarse.get(index >> steps) ?? 0) + count);
  return coarse;
}

function indexed(buckets: ExponentialBuckets | undefined): Map<number, number> {
  const counts = buckets?.bucketCounts.map(Number) ?? [];
  const indexes = counts.map((count, i): [number, number] => [(buckets?.offset ?? 0) + i, count]);
  return new Map(indexes.filter(([, count]) => count > 0));
}

function buckets(side: ReadonlyMap<number, number>): ExponentialBuckets {
  const indexes = [...side.keys()];
  const [low, high] = [Math.min(...indexes), Math.max(...indexes)];
  const bucketCounts = Array.from({ length: high - low + 1 }, (_, i) => side.get(low + i) ?? 0);
  return { offset: low, bucketCounts };
}
