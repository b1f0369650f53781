/**
 * `once --format json` and `--format otlp`: one cycle as one JSON document, for scripts. Times and integers that a
 * JSON number would round are decimal text. One point a line, so that grep and diff work.
 * @module
 */
import type { Naming, Point } from "../collectors/metric.ts";
import type { MetricsInput } from "./encoder.ts";
import { metricsJson } from "./metrics_json.ts";
import { Layout } from "./metrics_layout.ts";
import { type Form, project, projector } from "./naming.ts";
import { type Json, wellFormed } from "./otlp_values.ts";

/**
 * `{"resource":{…},"points":[…],"omitted":[…]}`, with a line feed at the end. Gauges have no start, temporality or
 * monotonicity; histograms have buckets instead of a value. Ended series and values that are no finite number are left out.
 */
export function jsonDocument({ resource, snapshot }: MetricsInput, naming: Naming): string {
  const points = snapshot.points.filter(isMeasured).flatMap((point) =>
    project(point.series, naming).map((form) => JSON.stringify(pointJson(point, form, snapshot.timeNs)))
  );
  const omitted = snapshot.omitted.map(({ what, why }) => JSON.stringify({ what, why }));
  return `{"resource":${JSON.stringify(resource)},\n"points":${lines(points)},\n"omitted":${
    lines(omitted)
  }}\n`;
}

/** OTLP/JSON of one metrics request, whatever its size, with a line feed at the end. */
export function otlpJson(input: MetricsInput, naming: Naming): string {
  const { slots } = new Layout(input.snapshot, projector(naming));
  const request = slots.length === 0 ? {} : metricsJson(input, slots, { naming, encoding: "json" });
  return JSON.stringify(request) + "\n";
}

/** True for a point with a value to show. */
export function isMeasured({ ended, value }: Point): boolean {
  return ended !== true && (typeof value === "bigint" || Number.isFinite(value));
}

function lines(values: readonly string[]): string {
  return values.length === 0 ? "[]" : `[\n${values.join(",\n")}\n]`;
}

function pointJson(point: Point, form: Form, timeNs: bigint): Json {
  const sum = form.kind === "gauge" ? {} : {
    ...(form.kind === "sum" && { monotonic: form.monotonic }),
    temporality: "cumulative",
    ...(point.startNs > 0n ? { startTimeUnixNano: point.startNs.toString() } : {}),
  };
  return {
    name: wellFormed(form.name),
    unit: form.unit,
    type: form.kind,
    ...sum,
    timeUnixNano: timeNs.toString(),
    attributes: form.attributes,
    ...valuesJson(point, form),
  };
}

function valuesJson({ value, distribution }: Point, { bounds = [] }: Form): Readonly<Record<string, Json>> {
  if (distribution === undefined) return { value: numberJson(value) };
  return { count: numberJson(value), sum: distribution.sum, bounds, bucketCounts: distribution.counts };
}

/** A JSON number where it is exact, else decimal text. */
function numberJson(value: number | bigint): Json {
  if (typeof value === "number") {
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value).toString() : value;
  }
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
