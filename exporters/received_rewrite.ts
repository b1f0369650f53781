/**
 * A metrics request with other data points, on the wire: resource, scope and metric are copied as they stand, points
 * are given to a rule one by one, what is left without points goes. Nothing else is decoded, unknown fields stay.
 * Field numbers: opentelemetry-proto 1.11, metrics.proto. The request must have passed `scanRequest`.
 * @module
 */
import { addDrops, type Drops, type ReceivedDropReason } from "./receiver_account.ts";
import { FieldScanner, LENGTH, VARINT } from "./wire.ts";
import { WireWriter } from "./wire_writer.ts";

/** The kinds of metrics that have a temporality. */
export type PointKind = "NumberDataPoint" | "HistogramDataPoint" | "ExponentialHistogramDataPoint";

/** A metric with a temporality, as far as a rule needs to know it. */
export interface MetricPlace {
  /** Resource, scope, name, unit and kind: the same text for the same. */
  readonly identity: string;
  readonly kind: PointKind;
  /** AggregationTemporality: 1 delta, 2 cumulative. */
  readonly temporality: number;
  readonly isMonotonic: boolean;
}

/** What becomes of a metric: it stays as it is, its points are left out, or each is written anew. */
export type MetricRule = undefined | ReceivedDropReason | PointRule;

export interface PointRule {
  readonly temporality: number;
  /** The new point, or why it is left out. */
  readonly point: (bytes: Uint8Array) => Uint8Array | ReceivedDropReason;
}

/** A request in another temporality. */
export interface Converted {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Data points left. */
  readonly items: number;
  readonly drops: Drops;
}

/** The kind of points in a metric's data, by its field number; gauges and summaries have no temporality. */
const KINDS: ReadonlyMap<number, PointKind> = new Map([
  [7, "NumberDataPoint"],
  [9, "HistogramDataPoint"],
  [10, "ExponentialHistogramDataPoint"],
]);
const GAUGE = 5;
const SUMMARY = 11;

/** Applies a rule to each metric that has a temporality. */
export function rewriteMetrics(
  request: Uint8Array,
  rule: (metric: MetricPlace) => MetricRule,
): Converted {
  const rewriting = new Rewriting(request, rule);
  rewriting.request();
  const { items, drops } = rewriting;
  return { bytes: rewriting.take(), items, drops };
}

class Rewriting {
  readonly #request: Uint8Array;
  readonly #rule: (metric: MetricPlace) => MetricRule;
  readonly #writer: WireWriter;
  readonly drops: Drops = {};
  items = 0;

  constructor(request: Uint8Array, rule: (metric: MetricPlace) => MetricRule) {
    this.#request = request;
    this.#rule = rule;
    this.#writer = new WireWriter(request.length);
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#writer.take();
  }

  request(): void {
    this.#children(new FieldScanner(this.#request), 1, (entry) => this.#entry(entry));
  }

  #entry(entry: FieldScanner): void {
    const resource = this.#identity(inside(entry, 1), RESOURCE);
    this.#nested(entry, () => this.#children(entry.inside(), 2, (scope) => this.#scope(scope, resource)));
  }

  #scope(scope: FieldScanner, resource: string): void {
    const place = `${resource}\n${this.#identity(inside(scope, 1), SCOPE)}`;
    this.#nested(scope, () => this.#children(scope.inside(), 2, (metric) => this.#metric(metric, place)));
  }

  #metric(metric: FieldScanner, place: string): void {
    const identity = `${place}\n${this.#identity([metric.inside()], METRIC)}`;
    this.#nested(metric, () => {
      const fields = metric.inside();
      while (fields.next()) {
        const kind = KINDS.get(fields.number);
        if (kind !== undefined) this.#data(fields, `${identity}\n${kind}`, kind);
        else {
          this.#copy(fields);
          if (fields.number === GAUGE || fields.number === SUMMARY) this.items += count(fields);
        }
      }
    });
  }

  #data(data: FieldScanner, identity: string, kind: PointKind): void {
    let [temporality, isMonotonic] = [0, false];
    const head = data.inside();
    while (head.next()) {
      if (head.type !== VARINT) continue;
      if (head.number === 2) temporality = head.int64();
      if (head.number === 3) isMonotonic = head.int64() !== 0;
    }
    const rule = this.#rule({ identity, kind, temporality, isMonotonic });
    if (rule === undefined) {
      this.#copy(data);
      this.items += count(data);
    } else if (typeof rule === "string") addDrops(this.drops, { [rule]: count(data) });
    else this.#points(data, rule);
  }

  #points(data: FieldScanner, { temporality, point }: PointRule): void {
    this.#nested(data, () => {
      const fields = data.inside();
      while (fields.next()) {
        if (fields.number === 2 && fields.type === VARINT) {
          this.#writer.varint(fields.number * 8 + VARINT);
          this.#writer.varint(temporality);
        } else if (fields.number !== 1 || fields.type !== LENGTH) this.#copy(fields);
        else {
          const result = point(this.#request.subarray(fields.start, fields.end));
          if (typeof result === "string") addDrops(this.drops, { [result]: 1 });
          else {
            this.#writer.varint(fields.number * 8 + LENGTH);
            this.#writer.bytes(result);
            this.items++;
          }
        }
      }
    });
  }

  /** Writes a message anew; nothing of it when no data point came of it. */
  #nested({ number }: FieldScanner, write: () => void): void {
    const mark = this.#writer.length;
    const { items } = this;
    this.#writer.varint(number * 8 + LENGTH);
    const start = this.#writer.open();
    write();
    if (this.items > items) this.#writer.close(start);
    else this.#writer.cut(mark);
  }

  /** Visits a message's children of one number and copies its other fields. */
  #children(fields: FieldScanner, number: number, visit: (child: FieldScanner) => void): void {
    while (fields.next()) {
      if (fields.number === number && fields.type === LENGTH) visit(fields);
      else this.#copy(fields);
    }
  }

  #identity(messages: readonly FieldScanner[], naming: Naming): string {
    return identity(this.#request, messages, naming);
  }

  #copy({ tag, end }: FieldScanner): void {
    this.#writer.raw(this.#request.subarray(tag, end));
  }
}

/** The fields of a message that tell it from others of its kind; `attributes` come in any order. */
export interface Naming {
  readonly texts: readonly number[];
  readonly attributes?: number;
}

const RESOURCE: Naming = { texts: [], attributes: 1 };
const SCOPE: Naming = { texts: [1, 2], attributes: 3 };
const METRIC: Naming = { texts: [1, 3] };

const latin1 = new TextDecoder("latin1");

/** One text for messages of the same names and attributes. `messages`: the parts of one. */
export function identity(
  bytes: Uint8Array,
  messages: readonly FieldScanner[],
  { texts, attributes }: Naming,
): string {
  const names = texts.map(() => "");
  const pairs: string[] = [];
  for (const fields of messages) {
    while (fields.next()) {
      const at = texts.indexOf(fields.number);
      if (fields.type !== LENGTH || at < 0 && fields.number !== attributes) continue;
      const text = latin1.decode(bytes.subarray(fields.start, fields.end));
      if (at >= 0) names[at] = text;
      else pairs.push(text);
    }
  }
  return [...names, ...pairs.sort()].join("\n");
}

/** The messages in a field of a message. */
function inside(message: FieldScanner, number: number): FieldScanner[] {
  const found: FieldScanner[] = [];
  const fields = message.inside();
  while (fields.next()) {
    if (fields.number === number && fields.type === LENGTH) found.push(fields.inside());
  }
  return found;
}

/** Data points in a metric's data. */
function count(data: FieldScanner): number {
  return inside(data, 1).length;
}
