/**
 * Metrics requests put together from encoded parts. What costs is encoding attributes and names; those are encoded
 * once per series and kept, so a device that comes or goes costs one new part and a copy of the rest, on a host with
 * ten thousand series too.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import type { MetricsEncoderOptions, MetricsInput, Scope } from "./encoder.ts";
import { aggregationTemporality, byMetric, type Slot } from "./metrics_layout.ts";
import { FIXED_FIELD, FIXED_VALUE, MetricsTemplate, type Place } from "./metrics_template.ts";
import { type Form, SCHEMA_URL } from "./naming.ts";
import { tagOf } from "./otlp_fields.ts";
import { encodeMessage } from "./otlp_message.ts";
import { protoAttributes, wellFormed } from "./otlp_values.ts";
import { Frame, frameBytes, type Piece } from "./wire_frame.ts";

/** DataPointFlags.NO_RECORDED_VALUE: the series has ended (otlp M17). */
const NO_RECORDED_VALUE = 1;

/** Tags of the length-delimited fields on the way down to a data point. */
const TAGS = {
  resourceMetrics: tagOf("ExportMetricsServiceRequest", "resourceMetrics"),
  scopeMetrics: tagOf("ResourceMetrics", "scopeMetrics"),
  metrics: tagOf("ScopeMetrics", "metrics"),
  gauge: tagOf("Metric", "gauge"),
  sum: tagOf("Metric", "sum"),
  histogram: tagOf("Metric", "histogram"),
};

const VARIANTS = { none: 0, int: 2, double: 4, histogram: 6 };

/** Fixed fields are written only when they are not 0. */
const STAND_INS = {
  none: { flags: NO_RECORDED_VALUE },
  int: { value: { case: "asInt", value: 1n } },
  double: { value: { case: "asDouble", value: 1 } },
} as const;

/** A data point as a field of its Gauge or Sum, with where its fixed fields lie in it; -1 where it has none. */
interface PointPiece extends Piece {
  readonly startAt: number;
  readonly timeAt: number;
  readonly valueAt: number;
}

/** A metric's own fields, and those of its Sum or Gauge behind the points. */
interface MetricPieces {
  readonly head: Piece;
  readonly tail: Piece;
}

/** The parts of one encoder's requests. */
export class MetricsParts {
  readonly #options: MetricsEncoderOptions;
  /** By form, then by which fixed fields the point has. */
  readonly #points = new WeakMap<Form, Map<number, PointPiece>>();
  readonly #metrics = new WeakMap<Form, MetricPieces>();
  readonly #resources = new WeakMap<Attributes, MetricPieces>();
  readonly #scopes = new WeakMap<Scope, MetricPieces>();

  constructor(options: MetricsEncoderOptions) {
    this.#options = options;
  }

  /** The request of some slots; its times and values are to be patched. */
  assemble(slots: readonly Slot[], input: MetricsInput): MetricsTemplate {
    const points = slots.map((slot) => this.#point(slot));
    let used = 0;
    const metrics = byMetric(slots).map(({ form, slots }) => {
      const own = points.slice(used, used += slots.length);
      const { head, tail } = known(this.#metrics, form, () => metricPieces(form, this.#options));
      return new Frame(TAGS.metrics, [head, new Frame(TAGS[form.kind], [...own, tail])]);
    });
    const scope = known(this.#scopes, input.scope, () => scopePieces(input, this.#options));
    const resource = known(this.#resources, input.resource, () => resourcePieces(input));
    const scoped = new Frame(TAGS.scopeMetrics, [scope.head, ...metrics, scope.tail]);
    const request = new Frame(TAGS.resourceMetrics, [resource.head, scoped, resource.tail]);
    const places: Place[] = [];
    const bytes = frameBytes(request, (piece, at) => {
      const [slot, point] = [slots[places.length], points[places.length]];
      if (slot !== undefined && point === piece) places.push(placeOf(slot, point, at));
    });
    if (places.length !== slots.length) {
      throw new RangeError(`BUG: request has ${places.length} data points, expected ${slots.length}`);
    }
    return new MetricsTemplate(bytes, places);
  }

  #point(slot: Slot): PointPiece {
    let variants = this.#points.get(slot.form);
    if (variants === undefined) this.#points.set(slot.form, variants = new Map());
    const key = VARIANTS[slot.value] + (slot.hasStart ? 1 : 0);
    let piece = variants.get(key);
    if (piece === undefined) variants.set(key, piece = pointPiece(slot));
    return piece;
  }
}

/** What a map holds for a key, made when it holds nothing. */
function known<K extends WeakKey, V>(map: WeakMap<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}

function resourcePieces({ resource }: MetricsInput): MetricPieces {
  const attributes = protoAttributes(resource);
  return {
    head: { bytes: encodeMessage("ResourceMetrics", { resource: { attributes } }) },
    tail: { bytes: encodeMessage("ResourceMetrics", { schemaUrl: SCHEMA_URL }) },
  };
}

function scopePieces({ scope }: MetricsInput, { naming }: MetricsEncoderOptions): MetricPieces {
  const about = { name: wellFormed(scope.name), version: wellFormed(scope.version) };
  // The Collector's names follow no published schema.
  const schemaUrl = naming === "collector" ? "" : SCHEMA_URL;
  return {
    head: { bytes: encodeMessage("ScopeMetrics", { scope: about }) },
    tail: { bytes: encodeMessage("ScopeMetrics", { schemaUrl }) },
  };
}

/** Without the description: it is no part of a metric's identity (otlp M8) and would be a third of all bytes sent. */
function metricPieces(form: Form, { temporality }: MetricsEncoderOptions): MetricPieces {
  const metric = { name: wellFormed(form.name), unit: wellFormed(form.unit) };
  const aggregation = { aggregationTemporality: aggregationTemporality(form, temporality ?? "cumulative") };
  const tails = {
    gauge: () => new Uint8Array(),
    sum: () => encodeMessage("Sum", { ...aggregation, isMonotonic: form.monotonic }),
    histogram: () => encodeMessage("Histogram", aggregation),
  };
  return { head: { bytes: encodeMessage("Metric", metric) }, tail: { bytes: tails[form.kind]() } };
}

/**
 * A data point with stand-ins for value and times. They stand behind the attributes, the times last: equal times in
 * front of the next point's equal attributes leave gzip one long match a point, 2 % of all bytes. A histogram's value
 * is its count; its sum and its buckets stand in front of that.
 */
function pointPiece(slot: Slot): PointPiece {
  const { value, hasStart } = slot;
  const bytes = pointBytes(slot);
  const timeAt = bytes.length - FIXED_FIELD + FIXED_VALUE;
  const startAt = hasStart ? timeAt - FIXED_FIELD : -1;
  const valueAt = (hasStart ? startAt : timeAt) - FIXED_FIELD;
  return { bytes, startAt, timeAt, valueAt: value === "none" ? -1 : valueAt };
}

/** The point as a field of its Gauge, Sum or Histogram; all three have their points in the same one. */
function pointBytes({ form, value, hasStart }: Slot): Uint8Array<ArrayBuffer> {
  const attributes = protoAttributes(form.attributes);
  const times = { startTimeUnixNano: hasStart ? 1n : 0n, timeUnixNano: 1n };
  if (form.kind !== "histogram") {
    const stand = value === "int" || value === "double" ? STAND_INS[value] : STAND_INS.none;
    return encodeMessage("Gauge", { dataPoints: [{ attributes, ...stand, ...times }] });
  }
  if (value === "none") {
    return encodeMessage("Histogram", { dataPoints: [{ attributes, ...STAND_INS.none, ...times }] });
  }
  const bounds = [...form.bounds ?? []];
  // Counts are zero until they are patched, and are there nonetheless: a list has all its items.
  const point = { attributes, explicitBounds: bounds, bucketCounts: [0n, ...bounds.map(() => 0n)] };
  return encodeMessage("Histogram", { dataPoints: [{ ...point, sum: 1, count: 1n, ...times }] });
}

function placeOf(slot: Slot, piece: PointPiece, at: number): Place {
  const from = (offset: number): number => offset < 0 ? -1 : at + offset;
  return {
    slot,
    startAt: from(piece.startAt),
    timeAt: from(piece.timeAt),
    valueAt: from(piece.valueAt),
    startNs: 1n,
  };
}
