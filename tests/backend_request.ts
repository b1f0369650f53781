/**
 * What a backend looks at before it takes a request: path, headers, size before compression, and every OTLP data
 * point inside. Shared by the enforcing fakes (vendors.md sections 1 to 7).
 * @module
 */
import type { Metric, NumberDataPoint } from "../proto_gen/metrics_pb.ts";
import { answer, type Behaviour } from "./fault_behaviours.ts";
import type { RecordedRequest } from "./fault_server.ts";
import { plainBody } from "./decoded.ts";
import { decodeExport, decodeExportJson } from "./peers/decode.ts";

/** A request with what can be told from it. */
export interface Judged {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Before compression. */
  readonly plain: Uint8Array<ArrayBuffer>;
}

/** A status and what goes with it. */
export interface Verdict {
  readonly status: number;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One rule of a backend: its refusal, or nothing. */
export type Rule = (request: Judged) => Verdict | undefined;

/** A backend that applies its rules in order and answers `taken` when none refuses. */
export function enforcing(rules: readonly Rule[], taken: Verdict = { status: 200 }): Behaviour {
  return {
    answer: async (request, exchange) => {
      const { status, ...rest } = judge(rules, await judged(request)) ?? taken;
      return await answer(status, rest).answer(request, exchange);
    },
  };
}

/** The first refusal. A rule that fails on a body it cannot read is a 400, as in real life. */
export function judge(rules: readonly Rule[], request: Judged): Verdict | undefined {
  for (const rule of rules) {
    try {
      const verdict = rule(request);
      if (verdict !== undefined) return verdict;
    } catch (error) {
      return { status: 400, body: String(error) };
    }
  }
  return undefined;
}

export async function judged({ path, headers, ...rest }: RecordedRequest): Promise<Judged> {
  return { path, headers, plain: await plainBody({ headers, ...rest }) };
}

function exportOf({ headers, plain }: Judged) {
  const isJson = headers["content-type"]?.startsWith("application/json") ?? false;
  return isJson ? decodeExportJson(plain) : decodeExport(plain);
}

/** Resource attributes of every resource of an OTLP request. */
export function resourcesOf(request: Judged): Map<string, unknown>[] {
  return exportOf(request).resourceMetrics.map(({ resource }) =>
    new Map(resource?.attributes.map(({ key, value }) => [key, value?.value.value]))
  );
}

/** All metrics of an OTLP request. */
export function metricsOf(judged: Judged): Metric[] {
  const request = exportOf(judged);
  return request.resourceMetrics.flatMap((one) => one.scopeMetrics).flatMap((one) => one.metrics);
}

/** Points of gauges and sums. */
export function pointsOf(metric: Metric): NumberDataPoint[] {
  return metric.data.case === "gauge" || metric.data.case === "sum" ? metric.data.value.dataPoints : [];
}

export const DELTA = 1;
export const CUMULATIVE = 2;

/** Monotonic sums and histograms of one temporality. */
export function accumulating(request: Judged, temporality: number): Metric[] {
  return metricsOf(request).filter(({ data }) =>
    (data.case === "sum" && data.value.isMonotonic && data.value.aggregationTemporality === temporality) ||
    (data.case === "histogram" && data.value.aggregationTemporality === temporality)
  );
}

export const path = (expected: string): Rule => ({ path }) =>
  path === expected ? undefined : { status: 404, body: `no ${path} here` };

/** The header must have the shape; `missing` and `wrong` are the statuses otherwise. */
export function header(
  name: string,
  shape: RegExp,
  { missing, wrong }: { missing: number; wrong: number },
): Rule {
  return ({ headers }) => {
    const value = headers[name];
    if (value === undefined) return { status: missing, body: `${name} is missing` };
    return shape.test(value) ? undefined : { status: wrong, body: `${name} is wrong` };
  };
}

/** Content types taken as they are written, without parameters. */
export const types = (...taken: readonly string[]): Rule => ({ headers }) =>
  taken.includes(headers["content-type"] ?? "") ? undefined : { status: 415, body: "unsupported media type" };

export const PROTOBUF = "application/x-protobuf";
export const JSON_TYPE = "application/json";

/** Bytes before compression. */
export const bytes = (max: number): Rule => ({ plain }) =>
  plain.length <= max ? undefined : { status: 413, body: `${plain.length} bytes` };

/** Nothing but gzip or no compression at all. */
export function gzipOnly({ headers }: Judged): Verdict | undefined {
  const isTaken = ["gzip", undefined].includes(headers["content-encoding"]);
  return isTaken ? undefined : { status: 400, body: "encoding" };
}

/** What every OTLP receiver wants of its points: a time, a start where there is an interval, and at least one. */
export function soundPoints(request: Judged): Verdict | undefined {
  for (const metric of metricsOf(request)) {
    const points = pointsOf(metric);
    if (points.length === 0) return { status: 500, body: `metric ${metric.name} has no points` };
    if (points.some(({ timeUnixNano }) => timeUnixNano === 0n)) {
      return { status: 400, body: "a point has no time" };
    }
  }
  return undefined;
}
