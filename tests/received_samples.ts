/**
 * Requests as programs send them, and back from bytes to messages by the official runtime.
 * @module
 */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { KeyValueSchema } from "../proto_gen/common_pb.ts";
import {
  type ExportLogsServiceRequest,
  ExportLogsServiceRequestSchema,
} from "../proto_gen/logs_service_pb.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../proto_gen/metrics_service_pb.ts";
import {
  type ExportTraceServiceRequest,
  ExportTraceServiceRequestSchema,
} from "../proto_gen/trace_service_pb.ts";
import type { ExemplarSchema, MetricSchema, NumberDataPointSchema } from "../proto_gen/metrics_pb.ts";
import type { SpanSchema } from "../proto_gen/trace_pb.ts";
import { START_MS } from "./receiver_rig.ts";

type Attribute = MessageInitShape<typeof KeyValueSchema>;

export const START_NS: bigint = BigInt(START_MS) * 1_000_000n;

export function text(key: string, value: string): Attribute {
  return { key, value: { value: { case: "stringValue", value } } };
}

export function int(key: string, value: bigint): Attribute {
  return { key, value: { value: { case: "intValue", value } } };
}

/** `count` log records of one service, one millisecond apart. */
export function logs(count: number, service = "shop"): Uint8Array<ArrayBuffer> {
  const logRecords = Array.from({ length: count }, (_, i) => ({
    timeUnixNano: START_NS + BigInt(i) * 1_000_000n,
    observedTimeUnixNano: START_NS + BigInt(i) * 1_000_000n,
    severityNumber: 9,
    severityText: "INFO",
    body: { value: { case: "stringValue", value: `größe ${i} 😀` } } as const,
    attributes: [text("url.path", `/items/${i}`), int("http.response.status_code", 200n)],
    traceId: new Uint8Array(16).fill(0xc3),
    spanId: new Uint8Array(8).fill(0xfe),
  }));
  const message = create(ExportLogsServiceRequestSchema, {
    resourceLogs: [{
      resource: { attributes: [text("service.name", service)] },
      scopeLogs: [{ scope: { name: "app", version: "1" }, logRecords }],
      schemaUrl: "https://opentelemetry.io/schemas/1.37.0",
    }],
  });
  return toBinary(ExportLogsServiceRequestSchema, message);
}

function id(size: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(size).fill(value);
}

function span(i: number): MessageInitShape<typeof SpanSchema> {
  const list = { values: [{ value: { case: "boolValue", value: true } as const }] };
  return {
    traceId: id(16, 0xee),
    spanId: id(8, 0x80 + i % 100),
    name: "GET /items/{id}",
    kind: 2,
    flags: 0x101,
    startTimeUnixNano: START_NS,
    endTimeUnixNano: START_NS + 5_000_000n,
    attributes: [
      text("k", "v".repeat(130)),
      { key: "list", value: { value: { case: "arrayValue", value: list } } },
    ],
    events: [{ name: "retry", timeUnixNano: START_NS, attributes: [int("n", -1n)] }],
    links: [{ traceId: id(16, 1), spanId: id(8, 2), flags: 0x300 }],
    status: { code: 2, message: "broken" },
  };
}

/** `count` spans with an event and a link each; the resource names a host. */
export function spans(count: number, service = "shop"): Uint8Array<ArrayBuffer> {
  const message = create(ExportTraceServiceRequestSchema, {
    resourceSpans: [{
      resource: { attributes: [text("service.name", service), text("host.name", "own")] },
      scopeSpans: [{
        scope: { name: "app", attributes: [text("a", "b")] },
        spans: Array.from({ length: count }, (_, i) => span(i)),
      }],
    }],
  });
  return toBinary(ExportTraceServiceRequestSchema, message);
}

type MetricInit = MessageInitShape<typeof MetricSchema>;

interface Head {
  readonly startTimeUnixNano: bigint;
  readonly timeUnixNano: bigint;
  readonly attributes: Attribute[];
}

function number(head: Head, count: bigint): MessageInitShape<typeof NumberDataPointSchema> {
  return { ...head, value: { case: "asInt", value: count } };
}

function sums(head: Head, at: Point, aggregationTemporality: 1 | 2): MetricInit[] {
  const { value: count, offset = 2n ** 53n } = at;
  const dataPoints = [number(head, offset + count)];
  const open = { aggregationTemporality: 2, isMonotonic: false, dataPoints: [number(head, count)] };
  return [
    {
      name: "requests",
      unit: "{request}",
      data: { case: "sum", value: { aggregationTemporality, isMonotonic: true, dataPoints } },
    },
    { name: "open", data: { case: "sum", value: open } },
  ];
}

function histogram(head: Head, count: bigint, aggregationTemporality: 1 | 2): MetricInit {
  const exemplar: MessageInitShape<typeof ExemplarSchema> = {
    timeUnixNano: START_NS,
    value: { case: "asDouble", value: 2 },
    spanId: id(8, 200),
    traceId: id(16, 201),
  };
  const point = {
    ...head,
    count: 2n * count,
    sum: Number(count) / 2,
    bucketCounts: [count, count, 0n],
    explicitBounds: [1, 5],
    min: 0.1,
    max: 3,
    exemplars: [exemplar],
  };
  return {
    name: "duration",
    unit: "s",
    data: { case: "histogram", value: { aggregationTemporality, dataPoints: [point] } },
  };
}

/** Two counted values, in buckets -2 and 0 at scale 2, which are -1 and 0 at scale 1. */
function exponential(head: Head, at: Point, aggregationTemporality: 1 | 2): MetricInit {
  const { value: count, scale = 2 } = at;
  const positive = scale === 1
    ? { offset: -1, bucketCounts: [count, count] }
    : { offset: -2, bucketCounts: [count, 0n, count] };
  const point = {
    ...head,
    count: 3n * count,
    sum: Number(count),
    zeroCount: count,
    scale,
    positive,
    negative: { offset: 0, bucketCounts: [] },
  };
  return {
    name: "sizes",
    data: { case: "exponentialHistogram", value: { aggregationTemporality, dataPoints: [point] } },
  };
}

/** One of each kind of metric; monotonic sums and histograms of the given temporality. */
export function metrics(
  temporality: 1 | 2,
  at: Point = { value: 10n, seconds: 10 },
): Uint8Array<ArrayBuffer> {
  const head = {
    startTimeUnixNano: START_NS - (at.startedSecondsAgo ?? 1000n) * 1_000_000_000n,
    timeUnixNano: START_NS + BigInt(at.seconds) * 1_000_000_000n,
    attributes: [text("route", at.route ?? "/")],
  };
  const summary = { ...head, count: at.value, sum: 1, quantileValues: [{ quantile: 0.5, value: 2 }] };
  const all: MetricInit[] = [
    {
      name: "temperature",
      unit: "Cel",
      data: { case: "gauge", value: { dataPoints: [number(head, at.value)] } },
    },
    ...sums(head, at, temporality),
    histogram(head, at.value, temporality),
    exponential(head, at, temporality),
    { name: "old", data: { case: "summary", value: { dataPoints: [summary] } } },
  ];
  const message = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{
      resource: { attributes: [text("service.name", "shop")] },
      scopeMetrics: [{ scope: { name: "app" }, metrics: all }],
    }],
  });
  return toBinary(ExportMetricsServiceRequestSchema, message);
}

/** What `metrics` varies. */
export interface Point {
  readonly value: bigint;
  /** After `START_NS`. */
  readonly seconds: number;
  readonly startedSecondsAgo?: bigint;
  readonly scale?: 1 | 2;
  readonly route?: string;
  /** Added to the monotonic sum; absent: 2^53, so that it is no safe number. */
  readonly offset?: bigint;
}

export function readLogs(bytes: Uint8Array): ExportLogsServiceRequest {
  return fromBinary(ExportLogsServiceRequestSchema, bytes);
}

export function readSpans(bytes: Uint8Array): ExportTraceServiceRequest {
  return fromBinary(ExportTraceServiceRequestSchema, bytes);
}

export function readMetrics(bytes: Uint8Array): ExportMetricsServiceRequest {
  return fromBinary(ExportMetricsServiceRequestSchema, bytes);
}
