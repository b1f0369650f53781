/**
 * The door of sonde's OTLP library: plain spans, log records and metrics in, export requests out. Needs no permission.
 * @module
 */
export { encodeLogs } from "./otlp_logs.ts";
export { encodeMetrics } from "./otlp_metrics.ts";
export { encodeTraces } from "./otlp_traces.ts";
export { DEFAULT_BOUNDS, ExponentialHistogram, Histogram } from "./otlp_histogram.ts";
export { dumpRequest } from "./otlp_dump.ts";
export type { Encoded, EncodeLimits } from "./encoder.ts";
export type { LeftOut, RequestHead, RequestOptions, Requests } from "./otlp_request.ts";
export type { AnyAttribute, AnyAttributes } from "./otlp_values.ts";
export type {
  ExemplarData,
  ExponentialBuckets,
  ExponentialHistogramData,
  ExponentialPointData,
  GaugeData,
  HistogramData,
  HistogramPointData,
  LogRecordData,
  MetricData,
  NumberPointData,
  SpanData,
  SpanEventData,
  SpanKind,
  SpanLinkData,
  SumData,
  SummaryData,
  SummaryPointData,
} from "./otlp_data.ts";
