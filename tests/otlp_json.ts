/**
 * A recorded request in OTLP/JSON, typed as far as tests of one-shot verbs look into it.
 * @module
 */
import { plainBody } from "./decoded.ts";
import type { RecordedRequest } from "./fault_server.ts";

export interface JsonAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface JsonPoint {
  readonly attributes: readonly JsonAttribute[];
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly asDouble: number;
  readonly count: string;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly zeroCount: string;
  readonly explicitBounds: readonly number[];
  readonly bucketCounts: readonly string[];
}

interface Points {
  readonly dataPoints: readonly JsonPoint[];
  readonly aggregationTemporality: number;
  readonly isMonotonic: boolean;
}

export interface JsonMetric {
  readonly name: string;
  readonly unit: string;
  readonly gauge: Points;
  readonly sum: Points;
  readonly histogram: Points;
  readonly exponentialHistogram: Points;
}

export interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly JsonAttribute[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

export interface JsonRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly severityNumber: number;
  readonly body: { readonly stringValue: string };
  readonly attributes: readonly JsonAttribute[];
}

/** Everything of one request, flat. */
export interface JsonRequest {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly metrics: readonly JsonMetric[];
  readonly spans: readonly JsonSpan[];
  readonly records: readonly JsonRecord[];
}

interface Entry {
  readonly resource: { readonly attributes: readonly JsonAttribute[] };
  readonly scopeMetrics?: readonly { readonly metrics: readonly JsonMetric[] }[];
  readonly scopeSpans?: readonly { readonly spans: readonly JsonSpan[] }[];
  readonly scopeLogs?: readonly { readonly logRecords: readonly JsonRecord[] }[];
}

/** Attributes with plain values; 64-bit integers stay text, as JSON has them. */
export function plainAttributes(attributes: readonly JsonAttribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

/** Reads text in OTLP/JSON. */
export function parseRequest(text: string): JsonRequest {
  const body: Readonly<Record<string, readonly Entry[]>> = JSON.parse(text);
  const entries = Object.values(body).flat();
  return {
    resource: plainAttributes(entries[0]?.resource.attributes ?? []),
    metrics: entries.flatMap(({ scopeMetrics = [] }) => scopeMetrics.flatMap(({ metrics }) => metrics)),
    spans: entries.flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans }) => spans)),
    records: entries.flatMap(({ scopeLogs = [] }) => scopeLogs.flatMap(({ logRecords }) => logRecords)),
  };
}

/** Reads a recorded request; throws when there is none. */
export async function readRequest(request: RecordedRequest | undefined): Promise<JsonRequest> {
  if (request === undefined) throw new Error("no request");
  return parseRequest(new TextDecoder().decode(await plainBody(request)));
}
