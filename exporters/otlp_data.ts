/**
 * Spans, log records and metrics as plain values: what programs hand to the OTLP encoders. Words are OTLP's own.
 * Times are nanoseconds since 1970; ids are hex text, 32 digits for a trace and 16 for a span.
 * @module
 */
import type { Temporality } from "./batch.ts";
import type { AnyAttribute, AnyAttributes } from "./otlp_values.ts";

/** Something that happened within a span. */
export interface SpanEventData {
  readonly name: string;
  readonly timeNs: bigint;
  readonly attributes?: AnyAttributes;
  readonly droppedAttributes?: number;
}

/** Another span that this one has to do with. */
export interface SpanLinkData {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string;
  readonly flags?: number;
  readonly attributes?: AnyAttributes;
  readonly droppedAttributes?: number;
}

export type SpanKind = "internal" | "server" | "client" | "producer" | "consumer";

/** A finished operation. */
export interface SpanData {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent for a root span. */
  readonly parentSpanId?: string;
  readonly traceState?: string;
  /** W3C trace flags in the low byte, OTLP's remote bits above. */
  readonly flags?: number;
  readonly name: string;
  /** Absent: internal. */
  readonly kind?: SpanKind;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes?: AnyAttributes;
  readonly droppedAttributes?: number;
  readonly events?: readonly SpanEventData[];
  readonly droppedEvents?: number;
  readonly links?: readonly SpanLinkData[];
  readonly droppedLinks?: number;
  /** Absent: unset. */
  readonly status?: { readonly code: "ok" | "error"; readonly message?: string };
}

/** One log record. */
export interface LogRecordData {
  /** When it happened; absent: unknown. */
  readonly timeNs?: bigint;
  /** When it was seen. */
  readonly observedNs: bigint;
  /** 1 (trace) to 24 (fatal 4); absent: unspecified. */
  readonly severity?: number;
  /** The source's own word for it. */
  readonly severityText?: string;
  readonly body?: AnyAttribute;
  readonly attributes?: AnyAttributes;
  readonly droppedAttributes?: number;
  /** Makes the record an event of that kind. */
  readonly eventName?: string;
  readonly traceId?: string;
  readonly spanId?: string;
  /** W3C trace flags. */
  readonly flags?: number;
}

/** A measurement that stands for many, with the trace it came from. */
export interface ExemplarData {
  readonly timeNs: bigint;
  readonly value: number | bigint;
  readonly attributes?: AnyAttributes;
  readonly traceId?: string;
  readonly spanId?: string;
}

/** What every data point has. */
interface PointHead {
  readonly attributes?: AnyAttributes;
  /** Start of the interval; absent for gauges. */
  readonly startNs?: bigint;
  readonly timeNs: bigint;
  readonly exemplars?: readonly ExemplarData[];
}

/** A point of a gauge or a sum. */
export interface NumberPointData extends PointHead {
  readonly value: number | bigint;
}

/** What both kinds of histogram know of their measurements. */
interface DistributionHead extends PointHead {
  /** Left out when a measurement was negative, as OTLP asks. */
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
}

/** A point of an explicit-bucket histogram. */
export interface HistogramPointData extends DistributionHead {
  /** Strictly increasing; each bound belongs to the bucket below it. */
  readonly bounds: readonly number[];
  /** One more than bounds; or both empty, and `count` says how many. */
  readonly bucketCounts: readonly (number | bigint)[];
  /** Needed only without buckets; else their sum. */
  readonly count?: number | bigint;
}

/** Consecutive buckets of an exponential histogram. */
export interface ExponentialBuckets {
  /** Index of the first one. */
  readonly offset: number;
  readonly bucketCounts: readonly (number | bigint)[];
}

/** A point of an exponential histogram; its count is the sum of all buckets. */
export interface ExponentialPointData extends DistributionHead {
  /** Base is 2^(2^-scale). */
  readonly scale: number;
  readonly zeroCount: number | bigint;
  readonly zeroThreshold?: number;
  readonly positive?: ExponentialBuckets;
  readonly negative?: ExponentialBuckets;
}

/** A point of a summary. */
export interface SummaryPointData extends PointHead {
  readonly count: number | bigint;
  readonly sum: number;
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[];
}

interface MetricHead {
  readonly name: string;
  readonly unit?: string;
  readonly description?: string;
}

/** A gauge; `valueType` is part of its identity and never changes (otlp M8). */
export interface GaugeData extends MetricHead {
  readonly kind: "gauge";
  readonly valueType: "int" | "double";
  readonly points: readonly NumberPointData[];
}

/** A sum: a counter when `monotonic`, else an UpDownCounter. */
export interface SumData extends MetricHead {
  readonly kind: "sum";
  readonly valueType: "int" | "double";
  readonly monotonic: boolean;
  readonly temporality: Temporality;
  readonly points: readonly NumberPointData[];
}

/** A histogram with explicit buckets. */
export interface HistogramData extends MetricHead {
  readonly kind: "histogram";
  readonly temporality: Temporality;
  readonly points: readonly HistogramPointData[];
}

/** A histogram with exponential buckets. */
export interface ExponentialHistogramData extends MetricHead {
  readonly kind: "exponentialHistogram";
  readonly temporality: Temporality;
  readonly points: readonly ExponentialPointData[];
}

/** Quantiles worked out elsewhere. */
export interface SummaryData extends MetricHead {
  readonly kind: "summary";
  readonly points: readonly SummaryPointData[];
}

/** One metric with its points. */
export type MetricData = GaugeData | SumData | HistogramData | ExponentialHistogramData | SummaryData;
