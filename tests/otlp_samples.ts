/**
 * One rich sample of each signal, for the goldens and for the peers that decode them.
 * @module
 */
import type { Signal } from "../exporters/batch.ts";
import type { LogRecordData, MetricData, SpanData } from "../exporters/otlp_data.ts";
import { encodeLogs } from "../exporters/otlp_logs.ts";
import { encodeMetrics } from "../exporters/otlp_metrics.ts";
import type { RequestHead, RequestOptions, Requests } from "../exporters/otlp_request.ts";
import { encodeTraces } from "../exporters/otlp_traces.ts";

export const TIME_NS = 1_763_712_000_123_456_789n;
export const TRACE_ID = "5b8efff798038103d269b633813fc60c";
export const SPAN_ID = "eee19b7ec3c1b174";
const PARENT_ID = "eee19b7ec3c1b173";

export const head: RequestHead = {
  resource: { "service.name": "checkout", "host.cpus": 4 },
  scope: { name: "sample", version: "1.0.0", attributes: { edge: true } },
  schemaUrl: "https://opentelemetry.io/schemas/1.44.0",
};

/** Every kind of attribute value. */
const attributes = {
  text: "ü\ud800",
  whole: 2 ** 40,
  huge: 2n ** 63n - 1n,
  part: 0.5,
  yes: false,
  bytes: new Uint8Array([0, 1, 254, 255]),
  list: ["a", 1, [true]],
  map: { inner: "x", deeper: { n: 1 } },
};

export const span: SpanData = {
  traceId: TRACE_ID,
  spanId: SPAN_ID,
  parentSpanId: PARENT_ID,
  traceState: "vendor=1",
  flags: 257,
  name: "GET /cart",
  kind: "server",
  startNs: TIME_NS,
  endNs: TIME_NS + 5_000_000n,
  attributes,
  droppedAttributes: 1,
  events: [{ name: "exception", timeNs: TIME_NS + 1n, attributes: { "exception.type": "E" } }],
  links: [{ traceId: TRACE_ID.toUpperCase(), spanId: PARENT_ID, attributes: { why: "batch" } }],
  droppedLinks: 2,
  status: { code: "error", message: "boom" },
};

export const record: LogRecordData = {
  timeNs: TIME_NS,
  observedNs: TIME_NS + 9n,
  severity: 17,
  severityText: "ERROR",
  body: { message: "disk full", left: 0 },
  attributes,
  eventName: "disk.full",
  traceId: TRACE_ID,
  spanId: SPAN_ID,
  flags: 1,
};

const at = { timeNs: TIME_NS, startNs: TIME_NS - 10_000_000_000n };

export const metrics: readonly MetricData[] = [
  {
    kind: "gauge",
    name: "queue.depth",
    unit: "{item}",
    description: "Items waiting",
    valueType: "int",
    points: [{ ...at, value: 0 }, { ...at, value: 2n ** 63n, attributes: { big: true } }],
  },
  {
    kind: "sum",
    name: "requests",
    unit: "{request}",
    valueType: "int",
    monotonic: true,
    temporality: "delta",
    points: [{
      ...at,
      value: 2n ** 60n,
      attributes,
      exemplars: [{
        timeNs: TIME_NS,
        value: 3,
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        attributes: { user: "u" },
      }],
    }],
  },
  {
    kind: "sum",
    name: "load",
    valueType: "double",
    monotonic: false,
    temporality: "cumulative",
    points: [{ ...at, value: 0 }],
  },
  {
    kind: "histogram",
    name: "http.server.duration",
    unit: "s",
    temporality: "delta",
    points: [
      { ...at, bounds: [0.1, 0.5, 1], bucketCounts: [1, 0, 2n ** 55n, 3], sum: 0, min: 0, max: 7.5 },
      { ...at, bounds: [], bucketCounts: [], count: 2, sum: 3, attributes: { plain: true } },
    ],
  },
  {
    kind: "exponentialHistogram",
    name: "sizes",
    unit: "By",
    temporality: "cumulative",
    points: [{
      ...at,
      scale: -2,
      zeroCount: 4,
      zeroThreshold: 1e-6,
      sum: 12.5,
      min: 0.25,
      max: 10,
      positive: { offset: -3, bucketCounts: [1, 0, 300] },
    }],
  },
  {
    kind: "summary",
    name: "old.style",
    points: [{
      ...at,
      count: 5,
      sum: 10,
      quantiles: [{ quantile: 0.5, value: 2 }, { quantile: 1, value: 4 }],
    }],
  },
];

/** The sample of a signal as requests. */
export function sample(signal: Signal, options: RequestOptions): Requests {
  switch (signal) {
    case "traces":
      return encodeTraces([span], head, options);
    case "logs":
      return encodeLogs([record], head, options);
    case "metrics":
      return encodeMetrics(metrics, head, options);
  }
}
