/**
 * The messages of the three export requests as tables for the wire-level scan: which action each tag asks for.
 * Source: opentelemetry-proto 1.11. A known field number with another wire type is refused, unknown numbers pass.
 * @module
 */
import type { Signal } from "./batch.ts";

/** What a tag asks the scan to do. From `MESSAGE` on, the number less `MESSAGE` is the index of the message inside. */
export const UNKNOWN = 0;
export const VARINT_VALUE = 1;
export const FIXED64_VALUE = 2;
export const FIXED32_VALUE = 3;
export const STRING_VALUE = 4;
export const BYTES_VALUE = 5;
/** A fixed64 that is a time of the item, nanoseconds since 1970. */
export const TIME_VALUE = 6;
/** Aggregation temporality, a varint. */
export const TEMPORALITY_VALUE = 7;
export const PACKED64_VALUE = 8;
export const PACKED_VARINT_VALUE = 9;
export const MISMATCH = 10;
export const MESSAGE = 16;

/** Tags beyond this belong to no known field: Span.flags, the highest, is field 16. */
const TAGS = 256;

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

/** Fields by number; a name that is no kind is a message. "!" marks the items that are counted. */
const MESSAGES = {
  logs: { 1: "resourceLogs" },
  resourceLogs: { 1: "resource", 2: "scopeLogs", 3: "string" },
  scopeLogs: { 1: "scope", 2: "logRecord", 3: "string" },
  "logRecord": {
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
  keyValue: { 1: "string", 2: "anyValue", 3: "varint" },
  anyValue: {
    ...{ 1: "string", 2: "varint", 3: "varint", 4: "fixed64", 5: "arrayValue", 6: "kvlist", 7: "bytes" },
    8: "varint",
  },
  arrayValue: { 1: "anyValue" },
  kvlist: { 1: "keyValue" },
} satisfies Record<string, Readonly<Record<number, string>>>;

const ITEMS: ReadonlySet<string> = new Set([
  ...["logRecord", "span", "numberPoint", "histogramPoint", "exponentialPoint", "summaryPoint"],
]);

/** One message: an action by tag. */
export interface Layout {
  readonly actions: Uint8Array;
  /** Counted by the header: a log record, a span, a data point. */
  readonly isItem: boolean;
}

const NAMES = Object.keys(MESSAGES);

/** An attribute: the message met most, for which the scan has a short way. */
export const KEY_VALUE: number = MESSAGE + NAMES.indexOf("keyValue");

function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name);
}

function layout(name: string, fields: Readonly<Record<number, string>>): Layout {
  const actions = new Uint8Array(TAGS);
  for (const [number, type] of Object.entries(fields)) {
    const tag = Number(number) * 8;
    actions.fill(MISMATCH, tag, tag + 8);
    const rows = isKind(type) ? KINDS[type] : [[2, MESSAGE + NAMES.indexOf(type)] as const];
    for (const [wire, action] of rows) actions[tag + wire] = action;
  }
  return { actions, isItem: ITEMS.has(name) };
}

/** All messages, by index. */
export const LAYOUTS: readonly Layout[] = Object.entries(MESSAGES).map(([name, fields]) =>
  layout(name, fields)
);

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
