/**
 * How many bytes an item will take in a request, near enough to decide when a batch is full; the encoder cuts by the
 * true size afterwards (otlp 6.3).
 * @module
 */
import type { LogRecordData, MetricData, SpanData } from "./otlp_data.ts";
import type { AnyAttribute, AnyAttributes } from "./otlp_values.ts";

/** Tags, lengths, times and flags of an item or an attribute. */
const ITEM_BYTES = 40;
const FIELD_BYTES = 8;
const NUMBER_BYTES = 9;

function valueBytes(value: AnyAttribute): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length;
  if (typeof value !== "object") return NUMBER_BYTES;
  const keys = Array.isArray(value) ? 0 : Object.keys(value).join("").length;
  const inner: readonly AnyAttribute[] = Object.values(value);
  return inner.reduce<number>((sum, each) => sum + FIELD_BYTES + valueBytes(each), keys);
}

function attributeBytes(attributes: AnyAttributes | undefined): number {
  let sum = 0;
  for (const [key, value] of Object.entries(attributes ?? {})) {
    sum += FIELD_BYTES + key.length + valueBytes(value);
  }
  return sum;
}

/** Of a log record. */
export function recordBytes(record: LogRecordData): number {
  const body = record.body === undefined ? 0 : valueBytes(record.body);
  return ITEM_BYTES + body + attributeBytes(record.attributes);
}

/** Of a span. */
export function spanBytes({ name, attributes, events = [], links = [] }: SpanData): number {
  const inner = [...events, ...links].reduce(
    (sum, each) => sum + ITEM_BYTES + attributeBytes(each.attributes),
    0,
  );
  return 2 * ITEM_BYTES + name.length + attributeBytes(attributes) + inner;
}

/** Of a metric with all its points. */
export function metricBytes(metric: MetricData): number {
  let sum = ITEM_BYTES + metric.name.length + (metric.description?.length ?? 0);
  for (const point of metric.points) {
    const buckets = "bucketCounts" in point ? point.bucketCounts.length * 2 : 0;
    sum += ITEM_BYTES + buckets * NUMBER_BYTES + attributeBytes(point.attributes);
  }
  return sum;
}
