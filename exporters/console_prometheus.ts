/**
 * Prometheus text format 0.0.4, for a pipe and for `/metrics`. Names follow OpenTelemetry's "Prometheus and
 * OpenMetrics compatibility": unit suffix, `_total` on counters, resource attributes on `target_info`. Families come in
 * one block each, and no series twice: what would clash is named in a comment instead.
 * @module
 */
import type { Attributes, Distribution, Naming, Point } from "../collectors/metric.ts";
import { isMeasured } from "./console_json.ts";
import type { MetricsInput } from "./encoder.ts";
import { type Form, project } from "./naming.ts";
import { wellFormed } from "./otlp_values.ts";

/** UCUM units as Prometheus writes them; others are kept, made legal. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ["d", "days"],
  ["h", "hours"],
  ["min", "minutes"],
  ["s", "seconds"],
  ["ms", "milliseconds"],
  ["us", "microseconds"],
  ["ns", "nanoseconds"],
  ["By", "bytes"],
  ["KiBy", "kibibytes"],
  ["MiBy", "mebibytes"],
  ["GiBy", "gibibytes"],
  ["m", "meters"],
  ["V", "volts"],
  ["A", "amperes"],
  ["J", "joules"],
  ["W", "watts"],
  ["g", "grams"],
  ["Cel", "celsius"],
  ["Hz", "hertz"],
  ["%", "percent"],
]);

interface Family {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Sample lines by the labels of their series. */
  readonly samples: Map<string, string>;
}

/** The exposition of one cycle. Ended series and values that are no finite number are left out. */
export function prometheusText({ resource, snapshot }: MetricsInput, naming: Naming): string {
  const families = new Map<string, Family>();
  const clashes = new Set<string>();
  if (Object.keys(resource).length > 0) {
    const info = family(families, "target_info", { type: "gauge", help: "Target metadata" });
    info.samples.set(labels(resource), `target_info${labels(resource)} 1\n`);
  }
  for (const point of snapshot.points) {
    if (!isMeasured(point)) continue;
    for (const form of project(point.series, naming)) {
      if (!addSample(families, form, point)) clashes.add(form.name);
    }
  }
  const blocks = [...families].map(([name, family]) => block(name, family));
  const notes = [...clashes].map((name) =>
    `# left out: ${escapeHelp(name)} has the name and labels of another\n`
  );
  return [...blocks, ...notes].join("");
}

function block(name: string, { type, help, samples }: Family): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${[...samples.values()].join("")}`;
}

/** The family of a name; the first one to use it says its type and help. */
function family(families: Map<string, Family>, name: string, about: Omit<Family, "samples">): Family {
  const known = families.get(name);
  if (known !== undefined) return known;
  const made: Family = { type: about.type, help: escapeHelp(about.help), samples: new Map() };
  families.set(name, made);
  return made;
}

/** False when the sample would repeat another one or contradict its family's type. */
function addSample(families: Map<string, Family>, form: Form, point: Point): boolean {
  const type = form.kind === "histogram" ? form.kind : form.monotonic ? "counter" : "gauge";
  const name = metricName(form);
  const into = family(families, name, { type, help: form.description });
  const key = labels(form.attributes);
  if (into.type !== type || into.samples.has(key)) return false;
  const { distribution } = point;
  const lines = distribution === undefined
    ? `${name}${key} ${point.value}\n`
    : histogramLines(name, form, { distribution, count: point.value });
  into.samples.set(key, lines);
  return true;
}

/** Buckets as Prometheus has them: each holds all that the ones before it hold. */
function histogramLines(
  name: string,
  { attributes, bounds = [] }: Form,
  { distribution: { counts, sum }, count }: {
    readonly distribution: Distribution;
    readonly count: number | bigint;
  },
): string {
  let below = 0;
  const buckets = bounds.map((bound, at) => {
    below += counts[at] ?? 0;
    return `${name}_bucket${labels({ ...attributes, le: bound })} ${below}\n`;
  });
  const key = labels(attributes);
  return [
    ...buckets,
    `${name}_bucket${labels({ ...attributes, le: "+Inf" })} ${count}\n`,
    `${name}_sum${key} ${sum}\n${name}_count${key} ${count}\n`,
  ].join("");
}

/** The name with unit and kind, such as `system_cpu_time_seconds_total`. */
function metricName(form: Form): string {
  const tokens = tokensOf(form.name);
  for (const token of unitTokens(form)) if (!tokens.includes(token)) tokens.push(token);
  // "total" goes last, also where the name has it somewhere else.
  const isCounter = form.kind === "sum" && form.monotonic;
  const words = isCounter ? tokens.filter((token) => token !== "total") : tokens;
  const name = (words.length === 0 ? "unnamed" : words.join("_")) + (isCounter ? "_total" : "");
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

function tokensOf(text: string): string[] {
  return text.split(/[^A-Za-z0-9:]+/).filter((token) => token !== "");
}

/** Suffix words of a unit: none for counts of things in braces; "ratio" only for gauges. */
function unitTokens({ unit, kind }: Form): string[] {
  if (unit === "1") return kind === "gauge" ? ["ratio"] : [];
  const [amount = "", per] = unit.replaceAll(/\{[^}]*\}/g, "").split("/");
  const tokens = amount === "" ? [] : tokensOf(UNITS.get(amount) ?? amount);
  return per === undefined ? tokens : [...tokens, "per", ...tokensOf(PER_UNITS.get(per) ?? per)];
}

const PER_UNITS: ReadonlyMap<string, string> = new Map([["s", "second"], ["min", "minute"], ["h", "hour"]]);

/** `{a="b",c="d"}`, or nothing. Keys that become equal share a label, values joined by ";". */
function labels(attributes: Attributes): string {
  const found = new Map<string, string[]>();
  for (const key of Object.keys(attributes).sort()) {
    const name = labelName(key);
    const value = wellFormed(String(attributes[key]));
    const values = found.get(name);
    if (values === undefined) found.set(name, [value]);
    // An interface under both its keys is still one name.
    else if (!values.includes(value)) values.push(value);
  }
  if (found.size === 0) return "";
  return `{${[...found].map(([name, values]) => `${name}="${escapeLabel(values.join(";"))}"`).join(",")}}`;
}

/** Legal, without runs of "_", and not of the reserved names with two in front. */
function labelName(key: string): string {
  const name = key.replaceAll(/[^A-Za-z0-9_]/g, "_").replaceAll(/_{2,}/g, "_");
  return /^[0-9]/.test(name) ? `key_${name}` : name || "_";
}

function escapeHelp(text: string): string {
  return wellFormed(text).replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
