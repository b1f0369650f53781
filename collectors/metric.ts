/**
 * The data model: what a collector measures, before any naming, temporality or encoding is chosen.
 *
 * A `Descriptor` is a constant that names an instrument; a `Series` is one descriptor with one set of
 * attributes; a `Point` is a series' value in one cycle. Times are nanoseconds since 1970 as bigint.
 * @module
 */

/** An attribute's value. Whole numbers become OTLP ints, other numbers doubles. */
export type AttributeValue = string | number | boolean;

/** Attributes of a point or a resource, by key. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** The name sets a point can be projected to (host-metrics 1.4). */
export type Naming = "semconv" | "collector" | "dup";

/** What every instrument has. */
interface Instrument {
  /** Semantic-conventions name, or the name the Collector uses where no convention exists. */
  readonly name: string;
  /** UCUM unit. */
  readonly unit: string;
  readonly description: string;
  /** How values are encoded; fixed for the life of the name (otlp M8). */
  readonly valueType: "int" | "double";
  /** Kernel file and fields, with the conversion: the text of `sonde explain`. */
  readonly source: string;
  /** False for an opt-in metric, switched on by `SONDE_METRICS`. Absent: on. */
  readonly on?: false;
}

/** An instantaneous value. */
export interface Gauge extends Instrument {
  readonly kind: "gauge";
}

/** A cumulative sum: a counter when `monotonic`, else an UpDownCounter. */
export interface Sum extends Instrument {
  readonly kind: "sum";
  readonly monotonic: boolean;
  /** How the kernel's counter misbehaves when it falls (host-metrics P2, P3, P15, P16). Absent: a fall is a reset. */
  readonly fall?: FallRule;
}

/** Measurements counted by size, such as durations, since the series began. Its values are doubles. */
export interface Histogram extends Instrument {
  readonly kind: "histogram";
  /** Strictly rising; each bound belongs to the bucket below it (otlp M15). */
  readonly bounds: readonly number[];
}

/**
 * What a falling counter means. `u32`: it wrapped at 2^32 raw units, if it stood in the upper half; `ulong`:
 * the same on 32-bit kernels only; `dip`: steps back of less than `tolerance` are clamped. A value is raw units
 * times `scale`. Anything else is a reset. A device that was replaced is told by `Series.identity`.
 */
export type FallRule =
  | { readonly rule: "u32"; readonly scale: number }
  | { readonly rule: "ulong"; readonly scale?: number }
  | { readonly rule: "dip"; readonly tolerance: number };

/** A metric's identity and meaning; one constant per metric, at the top of its collector's file. */
export type Descriptor = Gauge | Sum | Histogram;

/** One descriptor with one set of attributes: made once, then reused every cycle. */
export interface Series {
  readonly descriptor: Descriptor;
  readonly attributes: Attributes;
  /** Name sets this series belongs to; absent: all of them. */
  readonly namings?: readonly Naming[];
  /** The collector naming's own attributes, where renaming keys cannot derive them. */
  readonly collectorAttributes?: Attributes;
  /** Which device stands behind the name (diskseq, ifindex); another one starts the sums anew (host-metrics P5). */
  readonly identity?: string;
  /** When the sums began, in seconds since boot, where that is known: a process's start. */
  readonly beganSeconds?: number;
}

/** What a histogram has counted: no least and greatest, which have no meaning for an increment (otlp M14). */
export interface Distribution {
  /** Measurements by bucket, one more than the descriptor's bounds. */
  readonly counts: readonly number[];
  /** Of all measurements, in the descriptor's unit. */
  readonly sum: number;
}

/** A series' value in one cycle. */
export interface Point {
  readonly series: Series;
  /** Of a histogram: how many measurements its distribution holds. */
  readonly value: number | bigint;
  /** Present for a histogram, unless it has ended. */
  readonly distribution?: Distribution;
  /** Start of the sum's or histogram's interval; 0n for gauges, which have none (otlp M2). */
  readonly startNs: bigint;
  /** The series has ended: attributes and time only, flag NO_RECORDED_VALUE (otlp M17). */
  readonly ended?: true;
}

/** Something this host hides or gets wrong, said instead of a wrong number. */
export interface Omission {
  readonly what: string;
  readonly why: string;
}

/** All that one cycle measured. Every point shares `timeNs` (otlp M1). */
export interface Snapshot {
  readonly timeNs: bigint;
  readonly points: readonly Point[];
  readonly omitted: readonly Omission[];
}

/** True for what only grows while its series lives: counters and histograms. Destinations may want its increments. */
export function isMonotonic(descriptor: Descriptor): boolean {
  return descriptor.kind === "histogram" || descriptor.kind === "sum" && descriptor.monotonic;
}

/** Makes a series; call it when a device appears, not every cycle. */
export function series(
  descriptor: Descriptor,
  attributes: Attributes = {},
  only: Pick<Series, "namings" | "collectorAttributes" | "identity" | "beganSeconds"> = {},
): Series {
  return { descriptor, attributes, ...only };
}
