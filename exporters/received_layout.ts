/**
 * The messages of the three export requests as tables for the wire-level scan: which action each tag asks for.
 * Source: opentelemetry-proto 1.11. A known field number with another wire type is refused, unknown numbers pass.
 * @module
 */
import type { Signal } from "./batch.ts";

/** What a tag asks the scan to do. Below `STRING_VALUE`: values without a length before them, and all that is rare. */
export const UNKNOWN = 0;
export const VARINT_VALUE = 1;
export const FIXED64_VALUE = 2;
/** A fixed64 that is a time of the item, nanoseconds since 1970. */
export const TIME_VALUE = 3;
export const FIXED32_VALUE = 4;
/** Aggregation temporality, a varint. */
export const TEMPORALITY_VALUE = 5;
export const PACKED64_VALUE = 6;
export const PACKED_VARINT_VALUE = 7;
export const MISMATCH = 8;
export const STRING_VALUE = 9;
export const BYTES_VALUE = 10;
/** From here on, the number less `MESSAGE` is the index of the message inside. */
export const MESSAGE = 16;

/** AggregationTemporality. */
export const DELTA = 1;
export const CUMULATIVE = 2;

/**
 * Where in a table a tag of two bytes is found: at `FAR` + tag. Tags from 128 to 255 are fields 16 to 31, of which
 * OTLP has one, `Span.flags`; larger ones are unknown.
 */
export const FAR = 256;

type Kind =
  | "varint"
  | "fixed64"
  | "fixed32"
  | "string"
  | "bytes"
  | "time"
  | "temporality"
  | "packed64"
  | "packed_varint";

/** Wire types by kind, with the action of each; packed numbers may come unpacked too. */
const KINDS: Readonly<Record<Kind, readonly (readonly [number, number])[]>> = {
  varint: [[0, VARINT_VALUE]],
  fixed64: [[1, FIXED64_VALUE]],
  fixed32: [[5, FIXED32_VALUE]],
  string: [[2, STRING_VALUE]],
  bytes: [[2, BYTES_VALUE]],
  time: [[1, TIME_VALUE]],
  temporality: [[0, TEMPORALITY_VALUE]],
  packed64: [[2, PACKED64_VALUE], [1, FIXED64_VALUE]],
  packed_varint: [[2, PACKED_VARINT_VALUE], [0, VARINT_VALUE]],
};

/** Fields by number; a name that is no kind is a message. */
const MESSAGES = {
  keyValue: { 1: "string", 2: "anyValue", 3: "varint" },
  anyValue: {
    ...{ 1: "string", 2: "varint", 3: "varint", 4: "fixed64", 5: "arrayValue", 6: "kvlist", 7: "bytes" },
    8: "varint",
  },
  logs: { 1: "resourceLogs" },
  resourceLogs: { 1: "resource", 2: "scopeLogs", 3: "string" },
  scopeLogs: { 1: "scope", 2: "logRecord", 3: "string" },
  logRecord: {
    ...{ 1: "time", 2: "varint", 3: "string", 5: "anyValue", 6: "keyValue", 7: "varint" },
    ...{ 8: "fixed32", 9: "bytes", 10: "bytes", 11: "time", 12: "string" },
  },
  traces: { 1: "resourceSpans" },
  resourceSpans: { 1: "resource", 2: "scopeSpans", 3: "string" },
  scopeSpans: { 1: "scope", 2: "span", 3: "string" },
  span: {
    ...{ 1: "bytes", 2: "bytes", 3: "string", 4: "bytes", 5: "string", 6: "varint", 7: "time", 8: "time" },
    ...{ 9: "keyValue", 10: "varint", 11: "event", 12: "varint", 13: "link", 14: "varint", 15: "status" },
    16: "fixed32",
  },
  event: { 1: "fixed64", 2: "string", 3: "keyValue", 4: "varint" },
  link: { 1: "bytes", 2: "bytes", 3: "string", 4: "keyValue", 5: "varint", 6: "fixed32" },
  status: { 2: "string", 3: "varint" },
  metrics: { 1: "resourceMetrics" },
  resourceMetrics: { 1: "resource", 2: "scopeMetrics", 3: "string" },
  scopeMetrics: { 1: "scope", 2: "metric", 3: "string" },
  metric: {
    ...{ 1: "string", 2: "string", 3: "string", 5: "gauge", 7: "sum", 9: "histogram" },
    ...{ 10: "exponentialHistogram", 11: "summary", 12: "keyValue" },
  },
  gauge: { 1: "numberPoint" },
  sum: { 1: "numberPoint", 2: "temporality", 3: "varint" },
  histogram: { 1: "histogramPoint", 2: "temporality" },
  exponentialHistogram: { 1: "exponentialPoint", 2: "temporality" },
  summary: { 1: "summaryPoint" },
  numberPoint: {
    ...{ 2: "fixed64", 3: "time", 4: "fixed64", 5: "exemplar", 6: "fixed64", 7: "keyValue", 8: "varint" },
  },
  histogramPoint: {
    ...{ 2: "fixed64", 3: "time", 4: "fixed64", 5: "fixed64", 6: "packed64", 7: "packed64" },
    ...{ 8: "exemplar", 9: "keyValue", 10: "varint", 11: "fixed64", 12: "fixed64" },
  },
  exponentialPoint: {
    ...{ 1: "keyValue", 2: "fixed64", 3: "time", 4: "fixed64", 5: "fixed64", 6: "varint", 7: "fixed64" },
    ...{ 8: "buckets", 9: "buckets", 10: "varint", 11: "exemplar", 12: "fixed64", 13: "fixed64" },
    14: "fixed64",
  },
  buckets: { 1: "varint", 2: "packed_varint" },
  summaryPoint: {
    ...{ 2: "fixed64", 3: "time", 4: "fixed64", 5: "fixed64", 6: "quantile", 7: "keyValue", 8: "varint" },
  },
  quantile: { 1: "fixed64", 2: "fixed64" },
  exemplar: { 2: "fixed64", 3: "fixed64", 4: "bytes", 5: "bytes", 6: "fixed64", 7: "keyValue" },
  resource: { 1: "keyValue", 2: "varint", 3: "entityRef" },
  entityRef: { 1: "string", 2: "string", 3: "string", 4: "string" },
  scope: { 1: "string", 2: "string", 3: "keyValue", 4: "varint" },
  arrayValue: { 1: "anyValue" },
  kvlist: { 1: "keyValue" },
} satisfies Record<string, Readonly<Record<number, string>>>;

const ITEMS: ReadonlySet<string> = new Set([
  ...["logRecord", "span", "numberPoint", "histogramPoint", "exponentialPoint", "summaryPoint"],
]);

/** One message: an action by tag. */
export type Layout = Uint8Array;

const NAMES = Object.keys(MESSAGES);

/** The messages met most, for which the scan has short ways. */
export const KEY_VALUE: number = MESSAGE + NAMES.indexOf("keyValue");
export const ANY_VALUE: number = MESSAGE + NAMES.indexOf("anyValue");

/** 1 for the actions of messages that the header counts: log records, spans, data points. */
export const ITEM: Uint8Array = Uint8Array.from(
  { length: FAR },
  (_, action) => ITEMS.has(NAMES[action - MESSAGE] ?? "") ? 1 : 0,
);

function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name);
}

function layout(fields: Readonly<Record<number, string>>): Layout {
  const actions = new Uint8Array(2 * FAR);
  for (const [number, type] of Object.entries(fields)) {
    const near = Number(number) * 8;
    const tag = near < 128 ? near : FAR + near;
    actions.fill(MISMATCH, tag, tag + 8);
    const rows = isKind(type) ? KINDS[type] : [[2, MESSAGE + NAMES.indexOf(type)] as const];
    for (const [wire, action] of rows) actions[tag + wire] = action;
  }
  return actions;
}

/** All messages, by index. */
export const LAYOUTS: readonly Layout[] = Object.values(MESSAGES).map(layout);

function root(signal: Signal): Layout {
  const found = LAYOUTS[NAMES.indexOf(signal)];
  if (found === undefined) throw new TypeError(`BUG: no layout for signal "${signal}"`);
  return found;
}

/** The export request of each signal. */
export const REQUESTS: Readonly<Record<Signal, Layout>> = {
  logs: root("logs"),
  traces: root("traces"),
  metrics: root("metrics"),
};
