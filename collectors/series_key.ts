/**
 * A series' name as text, for what must outlive the object: state on disk, a device that returns.
 * @module
 */
import type { Attributes, Series } from "./metric.ts";

const keys = new WeakMap<Series, string>();

const sorted = (attributes: Attributes): [string, unknown][] =>
  Object.entries(attributes).sort(([a], [b]) => a < b ? -1 : 1);

/** Name, attributes and namings: equal for two series exactly when a backend could not tell them apart. */
export function seriesKey(series: Series): string {
  let key = keys.get(series);
  if (key === undefined) {
    const { descriptor, attributes, collectorAttributes, namings } = series;
    const parts: unknown[] = [descriptor.name, sorted(attributes)];
    if (collectorAttributes !== undefined || namings !== undefined) {
      parts.push(sorted(collectorAttributes ?? {}), namings ?? []);
    }
    keys.set(series, key = JSON.stringify(parts));
  }
  return key;
}

/** A value as JSON keeps it exactly: integers beyond 2^53 as text. */
export function valueToJson(value: number | bigint): number | string {
  return typeof value === "bigint" ? value.toString() : value;
}

/** The value behind `valueToJson`; undefined for anything else. */
export function valueFromJson(json: unknown): number | bigint | undefined {
  if (typeof json === "number" && Number.isFinite(json)) return json;
  return typeof json === "string" && /^-?\d{1,40}$/.test(json) ? BigInt(json) : undefined;
}
