/**
 * The rules of Datadog's series API, both versions (vendors.md 1.3, V11): field by field, with its limits before and
 * after decompression and its window of time.
 * @module
 */
import { header, type Judged, type Rule, types } from "./backend_request.ts";

const NAME = /^[A-Za-z][A-Za-z0-9_.]{0,199}$/;
const TAG = /^\p{Ll}[\p{Ll}\p{N}_\-.\/]*:[\p{Ll}\p{N}_\-:.\/]*[^:]$/u;

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  if (typeof value !== "object" || value === null) throw new TypeError(`${value} is no object`);
  return Object.fromEntries(Object.entries(value));
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${value} is no list`);
  return value;
}

function check(isRight: boolean, what: string, found: unknown): void {
  if (!isRight) throw new TypeError(`${what}: ${JSON.stringify(found)}`);
}

function checkTime(seconds: unknown): void {
  const age = Date.now() / 1000 - Number(seconds);
  check(Number.isInteger(seconds) && age <= 3600 && age >= -600, "timestamp", seconds);
}

function checkShared(series: Fields, isCount: boolean): void {
  check(NAME.test(String(series["metric"])), "metric", series["metric"]);
  const tags = listOf(series["tags"] ?? []);
  for (const tag of tags) check(TAG.test(String(tag)) && String(tag).length <= 200, "tag", tag);
  check(new Set(tags).size === tags.length, "tags twice", tags);
  const { interval } = series;
  check(
    isCount ? Number.isInteger(interval) && Number(interval) >= 1 : interval === undefined,
    "interval",
    interval,
  );
}

function checkV1(series: Fields): void {
  checkShared(series, series["type"] === "count");
  check(["count", "gauge"].includes(String(series["type"])), "type", series["type"]);
  check(typeof series["host"] === "string", "host", series["host"]);
  for (const point of listOf(series["points"])) {
    const [seconds, value] = listOf(point);
    checkTime(seconds);
    check(Number.isFinite(value), "value", value);
  }
}

function checkV2(series: Fields): void {
  checkShared(series, series["type"] === 1);
  check(
    [1, 3].includes(Number(series["type"])) && typeof series["type"] === "number",
    "type",
    series["type"],
  );
  const resources = listOf(series["resources"]).map(fieldsOf);
  check(resources.length === 1 && resources[0]?.["type"] === "host", "resources", resources);
  for (const point of listOf(series["points"]).map(fieldsOf)) {
    checkTime(point["timestamp"]);
    check(Number.isFinite(point["value"]), "value", point["value"]);
  }
}

/** Limits on the wire and after decompression, by version. */
const LIMITS: Readonly<Record<string, { wire: number; plain: number; check: (series: Fields) => void }>> = {
  "/api/v1/series": { wire: 3_200_000, plain: 62_914_560, check: checkV1 },
  "/api/v2/series": { wire: 512_000, plain: 5_242_880, check: checkV2 },
};

/** All series of a request. */
export function seriesOf({ plain }: Pick<Judged, "plain">): Fields[] {
  return listOf(fieldsOf(JSON.parse(new TextDecoder().decode(plain)))["series"]).map(fieldsOf);
}

const limits: Rule = ({ path, headers, plain }) => {
  const limit = LIMITS[path];
  if (limit === undefined) return { status: 404, body: `no ${path} here` };
  const isLarge = Number(headers["content-length"]) > limit.wire || plain.length > limit.plain;
  return isLarge ? { status: 413, body: "payload too large" } : undefined;
};

const fields: Rule = (request) => {
  const series = seriesOf(request);
  check(series.length > 0, "series", series);
  for (const one of series) LIMITS[request.path]?.check(one);
  // One value per metric, tags and second: a later one would replace it.
  const identities = series.map(({ metric, tags }) => `${metric} ${tags}`);
  check(new Set(identities).size === identities.length, "the same series twice", identities.length);
  return undefined;
};

export const seriesRules: readonly Rule[] = [
  header("dd-api-key", /^[0-9a-f]{32}$/, { missing: 403, wrong: 403 }),
  types("application/json"),
  limits,
  fields,
];
