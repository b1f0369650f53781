/**
 * Protobuf metrics requests: encoded with the generated types when the layout changes, patched in place afterwards.
 * Times are `fixed64`, values `double` or `sfixed64`, so a request whose set of data points is unchanged has every
 * byte where the last one had it (otlp E10). Without a JIT the full way costs milliseconds, the patch microseconds.
 * @module
 */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Snapshot } from "../collectors/metric.ts";
import type { MetricSchema, NumberDataPointSchema } from "../proto_gen/metrics_pb.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";
import type { MetricsEncoderOptions, MetricsInput } from "./encoder.ts";
import { aggregationTemporality, byMetric, type MetricSlots, pointAt, type Slot } from "./metrics_layout.ts";
import { SCHEMA_URL } from "./naming.ts";
import { protoAttributes, wellFormed } from "./otlp_values.ts";
import { FieldScanner } from "./wire.ts";

/** DataPointFlags.NO_RECORDED_VALUE: the series has ended (otlp M17). */
const NO_RECORDED_VALUE = 1;

type PointInit = MessageInitShape<typeof NumberDataPointSchema>;
type MetricInit = MessageInitShape<typeof MetricSchema>;

/** The bytes of one request with the given slots of a snapshot. */
export function renderMetrics(
  input: MetricsInput,
  slots: readonly Slot[],
  options: MetricsEncoderOptions,
): Uint8Array<ArrayBuffer> {
  const { snapshot, scope } = input;
  const metrics = byMetric(slots).map((metric) => metricInit(metric, snapshot, options));
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: protoAttributes(input.resource) },
      scopeMetrics: [{
        scope: { name: wellFormed(scope.name), version: wellFormed(scope.version) },
        metrics,
        // The Collector's names follow no published schema.
        schemaUrl: options.naming === "collector" ? "" : SCHEMA_URL,
      }],
      schemaUrl: SCHEMA_URL,
    }],
  });
  return toBinary(ExportMetricsServiceRequestSchema, request);
}

function metricInit(metric: MetricSlots, snapshot: Snapshot, options: MetricsEncoderOptions): MetricInit {
  const { form, slots } = metric;
  const dataPoints = slots.map((slot) => pointInit(slot, snapshot));
  const head = {
    name: wellFormed(form.name),
    description: wellFormed(form.description),
    unit: wellFormed(form.unit),
  };
  if (form.kind === "gauge") return { ...head, data: { case: "gauge", value: { dataPoints } } };
  const aggregation = aggregationTemporality(form, options.temporality ?? "cumulative");
  const sum = { dataPoints, aggregationTemporality: aggregation, isMonotonic: form.monotonic };
  return { ...head, data: { case: "sum", value: sum } };
}

function pointInit(slot: Slot, snapshot: Snapshot): PointInit {
  const point = pointAt(snapshot.points, slot.point);
  const attributes = protoAttributes(slot.form.attributes);
  const head = { attributes, timeUnixNano: snapshot.timeNs };
  if (slot.value === "none") return { ...head, flags: NO_RECORDED_VALUE };
  return {
    ...head,
    startTimeUnixNano: slot.hasStart ? point.startNs : 0n,
    value: slot.value === "int"
      ? { case: "asInt", value: BigInt(point.value) }
      : { case: "asDouble", value: Number(point.value) },
  };
}

/** Where one data point's fixed fields lie; -1 where it has none. */
interface Place {
  readonly point: number;
  readonly isDouble: boolean;
  startAt: number;
  timeAt: number;
  valueAt: number;
  /** What the template holds: starts change rarely and cost a bigint each. */
  startNs: bigint;
}

/** Request field numbers down to a NumberDataPoint: resource_metrics, scope_metrics, metrics, gauge or sum, data_points. */
const PATH: readonly (readonly number[])[] = [[1], [2], [2], [5, 7], [1]];

/** Calls `visit` with a scanner at each data point, in order. */
function eachDataPoint(scanner: FieldScanner, depth: number, visit: (point: FieldScanner) => void): void {
  const wanted = PATH[depth];
  if (wanted === undefined) return visit(scanner);
  while (scanner.next()) {
    if (wanted.includes(scanner.number)) eachDataPoint(scanner.inside(), depth + 1, visit);
  }
}

const LOW_32 = 0xffffffffn;
const UNIT_32 = 2 ** 32;

/** One encoded request whose times and values can be replaced. */
export class MetricsTemplate {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #places: readonly Place[];

  /** `body` must be `renderMetrics` of the same slots. */
  constructor(body: Uint8Array<ArrayBuffer>, slots: readonly Slot[]) {
    this.#bytes = body;
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    this.#places = locate(body, slots);
  }

  /** Data points inside. */
  get items(): number {
    return this.#places.length;
  }

  /** The request of a snapshot of the same layout, in a buffer of its own. Runs every cycle. */
  patch(snapshot: Snapshot): Uint8Array<ArrayBuffer> {
    const view = this.#view;
    const places = this.#places;
    const timeLow = Number(snapshot.timeNs & LOW_32);
    const timeHigh = Number(snapshot.timeNs >> 32n);
    for (let i = 0; i < places.length; i++) {
      const place = places[i];
      if (place === undefined) break;
      view.setUint32(place.timeAt, timeLow, true);
      view.setUint32(place.timeAt + 4, timeHigh, true);
      if (place.valueAt < 0) continue;
      const point = pointAt(snapshot.points, place.point);
      if (place.startAt >= 0 && place.startNs !== point.startNs) {
        view.setBigUint64(place.startAt, point.startNs, true);
        place.startNs = point.startNs;
      }
      const { value } = point;
      if (place.isDouble) view.setFloat64(place.valueAt, Number(value), true);
      else if (typeof value === "bigint") view.setBigInt64(place.valueAt, value, true);
      else {
        // Both setters take their argument modulo 2^32, which gives two's complement for negative numbers too.
        view.setUint32(place.valueAt, value, true);
        view.setInt32(place.valueAt + 4, Math.floor(value / UNIT_32), true);
      }
    }
    return this.#bytes.slice();
  }
}

/** Finds the fixed fields of every slot in its encoded request. */
function locate(body: Uint8Array, slots: readonly Slot[]): Place[] {
  const places: Place[] = [];
  eachDataPoint(new FieldScanner(body), 0, (fields) => {
    const slot = slots[places.length];
    if (slot === undefined) throw new RangeError(`BUG: request has more than ${slots.length} data points`);
    const isDouble = slot.value === "double";
    const place: Place = { point: slot.point, isDouble, startAt: -1, timeAt: -1, valueAt: -1, startNs: 0n };
    while (fields.next()) {
      if (fields.number === 2) place.startAt = fields.start;
      else if (fields.number === 3) place.timeAt = fields.start;
      else if (fields.number === 4 || fields.number === 6) place.valueAt = fields.start;
    }
    places.push(place);
  });
  if (places.length !== slots.length) {
    throw new RangeError(`BUG: request has ${places.length} data points, expected ${slots.length}`);
  }
  return places;
}
