/**
 * Datadog's own series API, versions 1 and 2 (vendors.md 1.3): counts are what happened in one interval, everything
 * else is a gauge; the host is a field, attributes are tags. The one encoder beside OTLP (design 4).
 * @module
 */
import type { Attributes, Point } from "../../collectors/metric.ts";
import type { NativeFormat } from "../encoder.ts";
import { pointAt } from "../metrics_layout.ts";
import type { Form } from "../naming.ts";

export type SeriesVersion = "v1" | "v2";

/** Longest name and tag it takes. */
const TEXT_MAX = 200;

/** Attributes that are the host itself, which has a field of its own, best first. */
const HOST_KEYS = ["datadog.host.name", "host.name"] as const;

/** Attributes that are tags of another name there ("unified service tagging"). */
const TAG_NAMES: ReadonlyMap<string, string> = new Map([
  ["service.name", "service"],
  ["service.version", "version"],
  ["deployment.environment", "env"],
  ["deployment.environment.name", "env"],
]);

/** UCUM units that it has words for. */
const UNITS: ReadonlyMap<string, string> = new Map([["By", "byte"], ["s", "second"], ["percent", "percent"]]);

/** Version 2 writes types as numbers. */
const TYPES = { count: 1, gauge: 3 } as const;

/** Letters, digits, underscores and dots behind a letter; in front the prefix, unless it is there already. */
export function metricName(name: string, prefix: string | undefined): string {
  const full = prefix === undefined || name.startsWith(`${prefix}.`) ? name : `${prefix}.${name}`;
  return full.replace(/[^A-Za-z0-9_.]/g, "_").replace(/^[^A-Za-z]+/, "").slice(0, TEXT_MAX);
}

/** `key:value` in the characters that tags may have; undefined when there is no value or nothing is left. */
export function tagOf(key: string, value: string): string | undefined {
  const text = `${TAG_NAMES.get(key) ?? key}:${value}`.toLowerCase()
    .replace(/[^\p{L}\p{N}_\-:./]/gu, "_").replace(/^[^\p{L}]+/u, "").slice(0, TEXT_MAX);
  return value === "" || text === "" || text.endsWith(":") ? undefined : text;
}

/** Sorted tags of a point. What describes the whole host wins over the point's own attribute of one key. */
function tagsOf(resource: Attributes, attributes: Attributes): string[] {
  const tags = new Map<string, string>();
  for (const [key, value] of [...Object.entries(attributes), ...Object.entries(resource)]) {
    if (HOST_KEYS.some((each) => each === key)) continue;
    const tag = tagOf(key, String(value));
    if (tag !== undefined) tags.set(tag.slice(0, tag.indexOf(":")), tag);
  }
  return [...tags.values()].sort();
}

function hostOf(resource: Attributes, { host }: Attributes): string | undefined {
  const [given, found] = HOST_KEYS.map((key) => resource[key]);
  const name = [given, host, found].find((each) => each !== undefined && each !== "");
  return name === undefined ? undefined : String(name);
}

/** What stays the same from cycle to cycle. */
interface Identity {
  readonly metric: string;
  readonly host: string | undefined;
  readonly tags: readonly string[];
}

/** Seconds of a count's interval, at least one: it is divided by them. */
function intervalOf(timeNs: bigint, { startNs }: Point): number {
  return Math.max(1, Math.round(Number(timeNs - startNs) / 1e9));
}

interface Measured {
  readonly timeNs: bigint;
  readonly point: Point;
  readonly form: Form;
}

function seriesV1({ metric, host, tags }: Identity, { timeNs, point, form }: Measured) {
  return {
    metric,
    points: [[Number(timeNs / 1_000_000_000n), Number(point.value)]],
    type: form.monotonic ? "count" : "gauge",
    ...(form.monotonic && { interval: intervalOf(timeNs, point) }),
    ...(host !== undefined && { host }),
    ...(tags.length > 0 && { tags }),
  };
}

function seriesV2({ metric, host, tags }: Identity, { timeNs, point, form }: Measured) {
  const unit = UNITS.get(form.unit);
  return {
    metric,
    type: form.monotonic ? TYPES.count : TYPES.gauge,
    points: [{ timestamp: Number(timeNs / 1_000_000_000n), value: Number(point.value) }],
    ...(form.monotonic && { interval: intervalOf(timeNs, point) }),
    ...(host !== undefined && { resources: [{ type: "host", name: host }] }),
    ...(tags.length > 0 && { tags }),
    ...(unit !== undefined && { unit }),
  };
}

/** What is known of forms, as long as the resource stays the same object. */
class Identities {
  readonly #prefix: string | undefined;
  #known = new WeakMap<Form, Identity>();
  #resource: Attributes | undefined;

  constructor(prefix: string | undefined) {
    this.#prefix = prefix;
  }

  of(form: Form, resource: Attributes): Identity {
    if (resource !== this.#resource) this.#known = new WeakMap();
    this.#resource = resource;
    let identity = this.#known.get(form);
    if (identity === undefined) {
      const { name, attributes } = form;
      identity = {
        metric: metricName(name, this.#prefix),
        host: hostOf(resource, attributes),
        tags: tagsOf(resource, attributes),
      };
      this.#known.set(form, identity);
    }
    return identity;
  }
}

/** The format of one version of the API; option "prefix" goes in front of every name. */
export function datadogSeries(version: SeriesVersion): NativeFormat {
  const write = version === "v1" ? seriesV1 : seriesV2;
  return ({ prefix }) => {
    const identities = new Identities(prefix);
    return ({ resource, snapshot }, slots) => {
      const { timeNs, points } = snapshot;
      const series = slots.map(({ form, point }) =>
        write(identities.of(form, resource), { timeNs, point: pointAt(points, point), form })
      );
      return new TextEncoder().encode(JSON.stringify({ series }));
    };
  };
}
