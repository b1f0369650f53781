/**
 * The door of sonde's OTLP library. `openOtlpClient` takes plain spans, log records and metrics and delivers them to
 * any OTLP/HTTP endpoint with batching, retries, a breaker and bounds; it needs `--allow-net=HOST` and nothing else.
 * The encoders alone need no permission. Options: docs/otlp.md.
 * @module
 */
export { type Attempt, openOtlpClient, OtlpClient, type OtlpClientOptions } from "./otlp_client.ts";
export type { SignalIntake } from "./otlp_channel.ts";
export type { DeliverySettings, SignalOptions, TlsOptions } from "./otlp_options.ts";
export type { SignalReport } from "./otlp_report.ts";
export type { Accepted, Outcome, Refused, Retryable } from "./outcome.ts";
export { encodeLogs } from "./otlp_logs.ts";
export { encodeMetrics } from "./otlp_metrics.ts";
export { encodeTraces } from "./otlp_traces.ts";
export { DEFAULT_BOUNDS, ExponentialHistogram, Histogram } from "./otlp_histogram.ts";
export { dumpRequest } from "./otlp_dump.ts";
export { Double } from "./double.ts";
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
