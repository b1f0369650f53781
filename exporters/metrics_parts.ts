/**
 * Metrics requests put together from encoded parts. What costs is encoding attributes and names; those are encoded
 * once per series and kept, so a device that comes or goes costs one new part and a copy of the rest, on a host with
 * ten thousand series too.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import type { MetricsEncoderOptions, MetricsInput, Scope } from "./encoder.ts";
import { aggregationTemporality, byMetric, type Slot } from "./metrics_layout.ts";
import { MetricsTemplate, type Place } from "./metrics_template.ts";
import { type Form, SCHEMA_URL } from "./naming.ts";
import { encodeMessage, tagOf } from "./otlp_message.ts";
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
  dataPoints: tagOf("Gauge", "dataPoints"),
};

/** Bytes of a field of 64 bits, and where its value begins in it. */
const FIXED_FIELD = 9;
const FIXED_VALUE = 1;

const VARIANTS = { none: 0, int: 2, double: 4 };

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
  const sum = {
    aggregationTemporality: aggregationTemporality(form, temporality ?? "cumulative"),
    isMonotonic: form.monotonic,
  };
  return {
    head: { bytes: encodeMessage("Metric", metric) },
    tail: { bytes: form.kind === "sum" ? encodeMessage("Sum", sum) : new Uint8Array() },
  };
}

/**
 * A data point with stand-ins for value and times: fixed fields are written only when they are not 0. They stand
 * behind the attributes, the times last: a value and equal times in front of the next point's equal attributes
 * leave gzip one long match a point, 2 % of all bytes.
 */
function pointPiece({ form, value, hasStart }: Slot): PointPiece {
  const bytes = encodeMessage("NumberDataPoint", {
    attributes: protoAttributes(form.attributes),
    ...(value === "int" ? { value: { case: "asInt", value: 1n } } : {}),
    ...(value === "double" ? { value: { case: "asDouble", value: 1 } } : {}),
    ...(value === "none" ? { flags: NO_RECORDED_VALUE } : {}),
    startTimeUnixNano: hasStart ? 1n : 0n,
    timeUnixNano: 1n,
  });
  const framed = frameBytes(new Frame(TAGS.dataPoints, [{ bytes }]), () => {});
  const timeAt = framed.length - FIXED_FIELD + FIXED_VALUE;
  const startAt = hasStart ? timeAt - FIXED_FIELD : -1;
  const valueAt = (hasStart ? startAt : timeAt) - FIXED_FIELD;
  return { bytes: framed, startAt, timeAt, valueAt: value === "none" ? -1 : valueAt };
}

function placeOf({ point, value }: Slot, piece: PointPiece, at: number): Place {
  const from = (offset: number): number => offset < 0 ? -1 : at + offset;
  return {
    point,
    isDouble: value === "double",
    startAt: from(piece.startAt),
    timeAt: from(piece.timeAt),
    valueAt: from(piece.valueAt),
    startNs: 1n,
  };
}
