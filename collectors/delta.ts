/**
 * Cumulative sums to increments, for destinations that want nothing else (otlp M10 to M13). Intervals run from one
 * collection to the next, never from one successful delivery to the next, so they neither overlap nor leave a gap.
 * Pure: the baseline goes in and comes out; who keeps it decides when it becomes true.
 * @module
 */
import { nanoseconds } from "./ledger_state.ts";
import { type Distribution, isMonotonic, type Point, type Snapshot } from "./metric.ts";
import { seriesKey, valueFromJson, valueToJson } from "./series_key.ts";

/** A sum or histogram as it stood when its last interval ended. */
export interface BaselineSum {
  readonly value: number | bigint;
  readonly distribution?: Distribution;
  readonly startNs: bigint;
  readonly timeNs: bigint;
}

/** Where every sum stood, by series key. True for one boot only. */
export interface Baseline {
  readonly bootId: string;
  readonly sums: ReadonlyMap<string, BaselineSum>;
}

/** A baseline that knows nothing yet. */
export function emptyBaseline(bootId: string): Baseline {
  return { bootId, sums: new Map() };
}

/** Sums remembered at most; further ones have no first interval and are left out. */
const SUMS_MAX = 20_000;
/** A sum not seen for this long is forgotten: its device was gone before this process could see it end. */
const FORGET_NS = 86_400_000_000_000n;
/** Digits behind the point that a difference of seconds keeps; the finest source has microseconds. */
const PRECISION = 1e9;

/** Point by point, what becomes of it and of its baseline. */
interface Step {
  readonly point?: Point;
  readonly sum: BaselineSum;
}

/**
 * Turns monotonic sums and histograms into increments since `baseline`; gauges and UpDownCounters stay as they are. A
 * series seen for the first time gives nothing, unless it began after `sinceNs`, when sonde started watching.
 */
export function toDelta(
  snapshot: Snapshot,
  baseline: Baseline,
  options: { readonly sinceNs: bigint },
): { snapshot: Snapshot; baseline: Baseline } {
  const { timeNs } = snapshot;
  const sums = new Map(baseline.sums);
  const points: Point[] = [];
  for (const point of snapshot.points) {
    if (!isMonotonic(point.series.descriptor)) {
      points.push(point);
      continue;
    }
    const key = seriesKey(point.series);
    if (point.ended) {
      // The end of a delta stream is its silence.
      sums.delete(key);
      continue;
    }
    const before = sums.get(key);
    if (before === undefined && sums.size >= SUMS_MAX) continue;
    const step = before === undefined ? first(point, timeNs, options.sinceNs) : next(point, timeNs, before);
    sums.set(key, step.sum);
    if (step.point !== undefined) points.push(step.point);
  }
  forgetOld(sums, timeNs);
  return { snapshot: { ...snapshot, points }, baseline: { bootId: baseline.bootId, sums } };
}

function first(point: Point, timeNs: bigint, sinceNs: bigint): Step {
  const sum = standing(point, timeNs);
  const { startNs } = point;
  const isWholeSeen = startNs >= sinceNs && startNs < timeNs;
  return isWholeSeen ? { point, sum } : { sum };
}

function standing({ value, distribution, startNs }: Point, timeNs: bigint): BaselineSum {
  return { value, ...(distribution === undefined ? {} : { distribution }), startNs, timeNs };
}

function next(point: Point, timeNs: bigint, before: BaselineSum): Step {
  const { series, value, startNs, distribution } = point;
  // The clock was set back: no interval can be told. What was counted meanwhile goes into the next one.
  if (timeNs <= before.timeNs) return { sum: { ...before, startNs, timeNs } };
  const sum = standing(point, timeNs);
  const isReset = startNs !== before.startNs && startNs >= before.timeNs;
  if (isReset) {
    // A start equal to the time says that nobody knows since when it has counted (otlp M6).
    return startNs === timeNs ? { sum } : { point, sum };
  }
  const delta = subtract(value, before.value);
  // Only a ledger that lost its state lets a sum fall: this interval cannot be told.
  if (delta < 0) return { sum };
  const increment = { series, value: delta, startNs: before.timeNs };
  if (distribution === undefined) return { point: increment, sum };
  const added = increase(distribution, before.distribution);
  return added === undefined ? { sum } : { point: { ...increment, distribution: added }, sum };
}

/** What a distribution has gained; undefined when it did not come from the one before. */
function increase(now: Distribution, before: Distribution | undefined): Distribution | undefined {
  if (before?.counts.length !== now.counts.length) return undefined;
  const counts = now.counts.map((count, bucket) => count - (before.counts[bucket] ?? 0));
  if (counts.some((count) => count < 0)) return undefined;
  return { counts, sum: Number(subtract(now.sum, before.sum)) };
}

function subtract(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === "bigint" || typeof b === "bigint") {
    return Number.isInteger(Number(a)) ? BigInt(a) - BigInt(b) : Number(a) - Number(b);
  }
  const delta = a - b;
  return Number.isInteger(delta) ? delta : Math.round(delta * PRECISION) / PRECISION;
}

function forgetOld(sums: Map<string, BaselineSum>, timeNs: bigint): void {
  for (const [key, sum] of sums) if (timeNs - sum.timeNs > FORGET_NS) sums.delete(key);
}

/** The baseline as JSON text: [key, value, start, time] per sum, exact; for a histogram also its sum and buckets. */
export function baselineToJson(baseline: Baseline): string {
  const sums = [...baseline.sums].map((
    [key, { value, startNs, timeNs, distribution }],
  ) => [
    ...[key, valueToJson(value), startNs.toString(), timeNs.toString()],
    ...(distribution === undefined ? [] : [[distribution.sum, ...distribution.counts]]),
  ]);
  return JSON.stringify({ bootId: baseline.bootId, sums });
}

/** Reads a baseline of this boot. An empty one comes from another boot's or from text that is no baseline. */
export function baselineFromJson(text: string | undefined, bootId: string): Baseline {
  const sums = new Map<string, BaselineSum>();
  let json: unknown;
  try {
    json = JSON.parse(text ?? "null");
  } catch {
    json = null;
  }
  if (typeof json !== "object" || json === null || !("bootId" in json) || !("sums" in json)) {
    return emptyBaseline(bootId);
  }
  if (json.bootId !== bootId || !Array.isArray(json.sums)) return emptyBaseline(bootId);
  for (const row of json.sums) {
    if (!Array.isArray(row)) continue;
    const [key, value, startNs, timeNs] = [
      row[0],
      valueFromJson(row[1]),
      nanoseconds(row[2]),
      nanoseconds(row[3]),
    ];
    if (typeof key !== "string" || value === undefined || startNs === undefined || timeNs === undefined) {
      continue;
    }
    const distribution = distributionFromJson(row[4]);
    sums.set(key, { value, ...(distribution === undefined ? {} : { distribution }), startNs, timeNs });
  }
  return { bootId, sums };
}

function distributionFromJson(json: unknown): Distribution | undefined {
  if (!Array.isArray(json) || !json.every((each) => typeof each === "number")) return undefined;
  const [sum, ...counts] = json;
  return sum === undefined ? undefined : { sum, counts };
}
