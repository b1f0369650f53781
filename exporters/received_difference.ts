/**
 * The difference of two cumulative points of one series (otlp M7, M10, M11, M14): exact for integers, buckets by
 * buckets, exponential histograms over a change of scale.
 * @module
 */
import type { PointKind } from "./received_rewrite.ts";
import { type Fields, type FieldValue, readMessage } from "./wire_message.ts";

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

/** A cumulative point. */
export interface Point extends Remembered {
  readonly flags: number;
  readonly kind: PointKind;
  /** Buckets of an exponential histogram, as they were sent. */
  readonly members: Fields;
}

/** Members of a point that are others now; undefined: not there any more. */
export type Changes = Readonly<Record<string, FieldValue | undefined>>;

/** What became of a point. */
export type Difference =
  /** With these changes it is the difference. */
  | { readonly kind: "delta"; readonly changes: Changes }
  /** Only remembered: there is nothing to take the difference to. */
  | { readonly kind: "first_value" | "incomparable" }
  | { readonly kind: "out_of_order" }
  /** "No recorded value": passed on as it is, the series is over. */
  | { readonly kind: "ended" };

const NO_RECORDED_VALUE = 1;

/** Members that a difference needs nothing of. */
const UNREAD: ReadonlySet<string> = new Set(["attributes", "exemplars"]);

/** A point that has passed the scan. */
export function readPoint(bytes: Uint8Array, kind: PointKind): Point {
  const members = readMessage(kind, bytes, UNREAD);
  return {
    kind,
    members,
    startNs: long(members["startTimeUnixNano"]),
    timeNs: long(members["timeUnixNano"]),
    flags: number(members["flags"]) ?? 0,
    value: valueOf(members, kind),
  };
}

function long(member: FieldValue | undefined): bigint {
  return typeof member === "bigint" ? member : 0n;
}

function number(member: FieldValue | undefined): number | undefined {
  return typeof member === "number" ? member : undefined;
}

function list(member: FieldValue | undefined): readonly FieldValue[] {
  return Array.isArray(member) ? member : [];
}

/** What makes `point` its difference to `last`. `processStartNs`: series that began later need no baseline. */
export function difference(
  point: Point,
  last: Remembered | undefined,
  processStartNs: bigint,
): Difference {
  if ((point.flags & NO_RECORDED_VALUE) !== 0) return { kind: "ended" };
  if (last === undefined) {
    const isYoung = point.startNs > processStartNs && point.startNs < point.timeNs;
    return isYoung ? { kind: "delta", changes: withoutExtremes(point) } : { kind: "first_value" };
  }
  if (point.timeNs <= last.timeNs) return { kind: "out_of_order" };
  // Counted anew from a start of its own: all of it is new.
  if (point.startNs > last.startNs && point.startNs >= last.timeNs) {
    return { kind: "delta", changes: withoutExtremes(point) };
  }
  const delta = subtract(point.value, last.value);
  if (delta === "incomparable") return { kind: "incomparable" };
  // A value that fell was reset at an unknown time after the last.
  const value = delta === undefined ? {} : valueChanges(point, delta);
  return { kind: "delta", changes: { ...withoutExtremes(point), startTimeUnixNano: last.timeNs, ...value } };
}

function valueOf(members: Fields, kind: PointKind): Value {
  const { asInt, asDouble, count, sum, zeroCount, zeroThreshold, scale } = members;
  switch (kind) {
    case "NumberDataPoint":
      return typeof asInt === "bigint"
        ? { kind: "int", int: asInt }
        : { kind: "double", double: number(asDouble) ?? 0 };
    case "HistogramDataPoint":
      return {
        kind: "histogram",
        count: long(count),
        sum: number(sum),
        buckets: list(members["bucketCounts"]).map(long),
        bounds: list(members["explicitBounds"]).map((bound) => number(bound) ?? 0),
      };
    case "ExponentialHistogramDataPoint":
      return {
        kind: "exponential",
        count: long(count),
        sum: number(sum),
        zeroCount: long(zeroCount),
        zeroThreshold: number(zeroThreshold) ?? 0,
        scale: number(scale) ?? 0,
        positive: countsOf(members["positive"]),
        negative: countsOf(members["negative"]),
      };
  }
}

function countsOf(member: FieldValue | undefined): Counts {
  const { offset, counts } = bucketsOf(member);
  return new Map(counts.map((count, i) => [offset + i, count] as const).filter(([, count]) => count > 0n));
}

function bucketsOf(
  member: FieldValue | undefined,
): { readonly offset: number; readonly counts: readonly bigint[] } {
  const buckets: Fields = isFields(member) ? member : {};
  return { offset: number(buckets["offset"]) ?? 0, counts: list(buckets["bucketCounts"]).map(long) };
}

function isFields(member: FieldValue | undefined): member is Fields {
  return typeof member === "object" && !Array.isArray(member) && !(member instanceof Uint8Array);
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
function withoutExtremes({ kind }: Point): Changes {
  return kind === "NumberDataPoint" ? {} : { min: undefined, max: undefined };
}

function valueChanges({ members }: Point, delta: Value): Changes {
  switch (delta.kind) {
    case "int":
      return { asInt: delta.int };
    case "double":
      return { asDouble: delta.double };
    case "histogram":
      return { count: delta.count, sum: delta.sum, bucketCounts: delta.buckets };
    case "exponential": {
      const { count, sum, zeroCount } = delta;
      const positive = refilled(members["positive"], delta.positive);
      const negative = refilled(members["negative"], delta.negative);
      return { count, sum, zeroCount, ...positive && { positive }, ...negative && { negative } };
    }
  }
}

/** Same offset and length as before, so that nothing has to be allocated for gaps. */
function refilled(member: FieldValue | undefined, left: Counts): Fields | undefined {
  if (member === undefined) return undefined;
  const { offset, counts } = bucketsOf(member);
  return { offset, bucketCounts: counts.map((_, i) => left.get(offset + i) ?? 0n) };
}
