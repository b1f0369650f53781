/**
 * What a snapshot looks like on the wire before any value is known: which points become which data points, in which
 * order, with which fields. Two snapshots of one layout differ only in fixed-width times and values, which is what
 * lets the encoder patch (otlp M8, M17, M24). Shared by both encodings.
 * @module
 */
import type { Distribution, Point, Series, Snapshot } from "../collectors/metric.ts";
import type { Temporality } from "./batch.ts";
import type { Form } from "./naming.ts";
import { fitsInt64 } from "./otlp_values.ts";

/** A point's fields in one number, cheap to compare: one of these, plus `STARTED` when it has a start time. */
const ABSENT = 0;
const ENDED = 1;
const INT = 2;
const DOUBLE = 3;
const HISTOGRAM = 8;
const STARTED = 4;

/** From here on a whole number does not fit OTLP's signed 64-bit integers and goes out as a double (otlp M9). */
const INT64_END = 2 ** 63;

/** The fields a point needs. */
function shapeOf(point: Point): number {
  if (point.ended === true) return ENDED;
  const { value, startNs } = point;
  // A board without a clock may have booted before 1970; 0 and less is no time (otlp E11).
  const started = startNs > 0n ? STARTED : 0;
  if (point.distribution !== undefined) return started + HISTOGRAM;
  if (typeof value === "bigint") return started + (fitsInt64(value) ? INT : DOUBLE);
  if (!Number.isFinite(value)) return ABSENT;
  const isInt = Number.isInteger(value) && value < INT64_END && value >= -INT64_END;
  return started + (isInt ? INT : DOUBLE);
}

/** One data point to be: a form of the snapshot's point at `point`. */
export interface Slot {
  readonly point: number;
  readonly form: Form;
  /** The form of the first slot of its Metric: one object a Metric. */
  readonly metric: Form;
  readonly value: "int" | "double" | "histogram" | "none";
  readonly hasStart: boolean;
}

/** Consecutive slots of one Metric. */
export interface MetricSlots {
  readonly form: Form;
  readonly slots: readonly Slot[];
}

/** The layout of one kind of snapshot. */
export class Layout {
  readonly #series: readonly Series[];
  readonly #shapes: readonly number[];
  /** All data points, those of one Metric side by side. */
  readonly slots: readonly Slot[];
  /** Points left out because their value is no finite number. */
  readonly nonFinite: number;

  constructor(snapshot: Snapshot, forms: (series: Series) => readonly Form[]) {
    this.#series = snapshot.points.map((point) => point.series);
    this.#shapes = snapshot.points.map(shapeFor);
    this.nonFinite = this.#shapes.filter((shape) => shape === ABSENT).length;
    const metrics = new Map<string, Slot[]>();
    for (const [index, shape] of this.#shapes.entries()) {
      const series = this.#series[index];
      if (shape === ABSENT || series === undefined) continue;
      for (const form of forms(series)) {
        let slots = metrics.get(form.identity);
        if (slots === undefined) metrics.set(form.identity, slots = []);
        slots.push({ point: index, form, metric: slots[0]?.form ?? form, ...fieldsOf(form, shape) });
      }
    }
    this.slots = [...metrics.values()].flat();
  }

  /** True when the snapshot's data points differ from this layout only in times and values. Runs every cycle. */
  fits(snapshot: Snapshot): boolean {
    const { points } = snapshot;
    if (points.length !== this.#series.length) return false;
    for (let i = 0; i < points.length; i++) {
      const point = points[i];
      if (point === undefined || point.series !== this.#series[i]) return false;
      if (shapeFor(point) !== this.#shapes[i]) return false;
    }
    return true;
  }
}

/** A double metric is always a double, so that a whole number in it is no change of layout. */
function shapeFor(point: Point): number {
  const shape = shapeOf(point);
  return (shape & INT) !== 0 && point.series.descriptor.valueType === "double" ? shape | DOUBLE : shape;
}

function fieldsOf(form: Form, shape: number): Pick<Slot, "value" | "hasStart"> {
  if (shape === ENDED) return { value: "none", hasStart: false };
  const hasStart = form.kind !== "gauge" && (shape & STARTED) !== 0;
  const isHistogram = (shape & HISTOGRAM) !== 0;
  if (isHistogram !== (form.kind === "histogram")) {
    throw new TypeError(
      `BUG: ${form.kind} "${form.name}" ${isHistogram ? "with" : "without"} a distribution`,
    );
  }
  if (isHistogram) return { value: "histogram", hasStart };
  const isDouble = form.valueType === "double" || (shape & DOUBLE) === DOUBLE;
  return { value: isDouble ? "double" : "int", hasStart };
}

/** Slots in order, gathered by Metric. */
export function byMetric(slots: readonly Slot[]): readonly MetricSlots[] {
  const metrics: { form: Form; slots: Slot[] }[] = [];
  for (const slot of slots) {
    const last = metrics.at(-1);
    if (last !== undefined && last.form === slot.metric) last.slots.push(slot);
    else metrics.push({ form: slot.metric, slots: [slot] });
  }
  return metrics;
}

/** The point at an index that the layout has checked. */
export function pointAt(points: readonly Point[], index: number): Point {
  const point = points[index];
  if (point === undefined) throw new RangeError(`BUG: layout names point ${index} of ${points.length}`);
  return point;
}

/** A histogram's point at an index. Throws `TypeError` for buckets that do not fit its bounds. */
export function distributionAt(points: readonly Point[], { point: index, form }: Slot): Distribution {
  const { distribution } = pointAt(points, index);
  if (distribution?.counts.length !== (form.bounds?.length ?? 0) + 1) {
    throw new TypeError(`BUG: "${form.name}" has ${distribution?.counts.length} buckets`);
  }
  return distribution;
}

/** OTLP's number for a temporality: delta for what is monotonic on a delta lane, else cumulative (otlp M10). */
export function aggregationTemporality(form: Form, temporality: Temporality): 1 | 2 {
  return form.monotonic && temporality === "delta" ? 1 : 2;
}
