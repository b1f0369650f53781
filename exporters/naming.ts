/**
 * One model, three projections (host-metrics 1.4): the form a series takes in semantic-conventions naming, in the
 * Collector's older naming, or in both at once. The rule for both is the conventions' own: two metrics of one name
 * are invalid, so a metric that keeps its name gets both sets of keys on one stream, and a renamed one goes out twice.
 * @module
 */
import type { Attributes, AttributeValue, Descriptor, Naming, Series } from "../collectors/metric.ts";
import { collectorNames, type Renaming } from "./collector_names.ts";

/** Schema of the conventions all names are pinned to; changed only in a minor release. */
export const SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0";

/** What a series is called and how it is typed in one naming. */
export interface Form {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly kind: Descriptor["kind"];
  /** True for counters and histograms, which go out as increments where a lane wants delta. */
  readonly monotonic: boolean;
  readonly valueType: "int" | "double";
  /** Of a histogram. */
  readonly bounds?: readonly number[];
  readonly attributes: Attributes;
  /** What makes two forms points of one Metric (otlp M8). */
  readonly identity: string;
}

/** The forms of a series in one naming: none when it does not belong there, two when `dup` gives it both names. */
export function project(series: Series, naming: Naming): readonly Form[] {
  if (series.namings !== undefined && !series.namings.includes(naming)) return [];
  const { descriptor, attributes } = series;
  const renaming = collectorNames.get(descriptor.name) ?? {};
  if (naming === "semconv") return [form(descriptor, {}, attributes)];
  const renamed = collectorAttributes(series, renaming);
  if (naming === "collector") return [form(descriptor, renaming, renamed)];
  if (renaming.name === undefined) return [form(descriptor, {}, { ...attributes, ...renamed })];
  return [form(descriptor, {}, attributes), form(descriptor, { name: renaming.name }, renamed)];
}

/** `project` for one naming that remembers: the forms of a series are the same objects every time. */
export function projector(naming: Naming): (series: Series) => readonly Form[] {
  const known = new WeakMap<Series, readonly Form[]>();
  return (series) => {
    let forms = known.get(series);
    if (forms === undefined) known.set(series, forms = project(series, naming));
    return forms;
  };
}

function form(descriptor: Descriptor, renaming: Renaming, attributes: Attributes): Form {
  const { description, kind } = descriptor;
  const name = renaming.name ?? descriptor.name;
  const unit = renaming.unit ?? descriptor.unit;
  const monotonic = kind === "histogram" || kind === "sum" && descriptor.monotonic;
  const valueType = renaming.valueType ?? descriptor.valueType;
  const identity = `${name}\n${unit}\n${kind}\n${monotonic}`;
  const bounds = descriptor.kind === "histogram" ? { bounds: descriptor.bounds } : {};
  return { name, unit, description, kind, monotonic, valueType, ...bounds, attributes, identity };
}

/** Keys and values by the table; what the series says of itself wins. */
function collectorAttributes(series: Series, renaming: Renaming): Attributes {
  const renamed = new Map<string, AttributeValue>();
  for (const [key, value] of Object.entries(series.attributes)) {
    const rule = renaming.keys?.find((rule) => rule.from === key);
    renamed.set(rule?.to ?? key, rule?.value?.(value) ?? value);
  }
  for (const [key, value] of Object.entries(series.collectorAttributes ?? {})) renamed.set(key, value);
  return Object.fromEntries(renamed);
}
