/**
 * What a script or a job has measured, before it belongs to a series; and the same as JSON, which crosses the control
 * socket and is judged there.
 * @module
 */
import { Double } from "./double.ts";
import { isRecord } from "./json_value.ts";

/** An attribute's value as a command line can give it: a plain whole number is an int. */
export type MeasuredAttribute = string | number | boolean | Double;

/** Attributes a command line can give. */
export type MeasuredAttributes = Readonly<Record<string, MeasuredAttribute>>;

/** What tells series apart. */
export interface MeasuredSeries {
  readonly kind: "counter" | "histogram";
  readonly name: string;
  /** UCUM unit, may be empty. */
  readonly unit: string;
  readonly description: string;
  readonly attributes: MeasuredAttributes;
  /** Histograms with explicit buckets; absent: the default bounds, or exponential ones. */
  readonly bounds?: readonly number[];
  readonly isExponential?: true;
}

/** Values of one series, measured together. */
export interface Measurement extends MeasuredSeries {
  readonly values: readonly number[];
  /** How often each value was measured. */
  readonly count: number;
}

const NAME_CHARS_MAX = 255;
const TEXT_CHARS_MAX = 4_096;
const ATTRIBUTES_MAX = 64;
const BOUNDS_MAX = 256;
const VALUES_MAX = 100_000;
const COUNT_MAX = 1e9;

function attributesFromJson(json: unknown): MeasuredAttributes | undefined {
  if (!isRecord(json)) return undefined;
  const attributes: Record<string, MeasuredAttribute> = {};
  const entries = Object.entries(json);
  if (entries.length > ATTRIBUTES_MAX) return undefined;
  for (const [key, found] of entries) {
    const value = attributeFromJson(found);
    if (value === undefined) return undefined;
    attributes[key.slice(0, NAME_CHARS_MAX)] = value;
  }
  return attributes;
}

function attributeFromJson(json: unknown): MeasuredAttribute | undefined {
  if (typeof json === "string") return json.length <= TEXT_CHARS_MAX ? json : undefined;
  if (typeof json === "boolean" || isFinite(json)) return json;
  return isRecord(json) && isFinite(json["double"]) ? new Double(json["double"]) : undefined;
}

function isFinite(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** A list of finite numbers; undefined when it is none or too long. */
export function numbersFromJson(json: unknown, lengthMax: number): number[] | undefined {
  return Array.isArray(json) && json.length <= lengthMax && json.every(isFinite) ? json : undefined;
}

/** The identity of a series; undefined when it is none. */
export function seriesFromJson(json: unknown): MeasuredSeries | undefined {
  if (!isRecord(json)) return undefined;
  const { kind, name, unit, description } = json;
  const attributes = attributesFromJson(json["attributes"]);
  const bounds = json["bounds"] === undefined ? undefined : numbersFromJson(json["bounds"], BOUNDS_MAX);
  const isShort = (text: unknown): text is string =>
    typeof text === "string" && text.length <= NAME_CHARS_MAX;
  if (kind !== "counter" && kind !== "histogram" || !isShort(name) || name === "" || !isShort(unit)) {
    return undefined;
  }
  if (attributes === undefined || typeof description !== "string") return undefined;
  if (json["bounds"] !== undefined && bounds === undefined) return undefined;
  return {
    ...{ kind, name, unit, attributes, description: description.slice(0, TEXT_CHARS_MAX) },
    ...(bounds !== undefined && { bounds }),
    ...(json["isExponential"] === true && { isExponential: true }),
  };
}

/** A measurement from elsewhere. Throws `TypeError` for what is none. */
export function measurementFromJson(json: unknown): Measurement {
  const series = seriesFromJson(json);
  const values = isRecord(json) ? numbersFromJson(json["values"], VALUES_MAX) : undefined;
  const count = isRecord(json) ? json["count"] : undefined;
  if (series === undefined || values === undefined) {
    throw new TypeError("Cannot take measurement: expected a series and finite values");
  }
  if (!isFinite(count) || !Number.isInteger(count) || count < 1 || count > COUNT_MAX) {
    throw new TypeError(
      `Cannot take measurement: count is ${JSON.stringify(count)}, expected 1 to ${COUNT_MAX}`,
    );
  }
  return { ...series, values, count };
}
