/**
 * `sonde explain METRIC`: where a number comes from, from the descriptor that measures it and nothing else.
 * @module
 */
import { editDistance } from "../config/nearest.ts";
import { UsageError } from "./command_line.ts";
import type { Context } from "./context.ts";
import { wrap } from "./help.ts";
import { instrumentOf, type MetricFacts, metricFacts } from "./metric_facts.ts";

const TERM = 14;
const WIDTH = 80;
const SUGGESTIONS = 3;
const SYSCTL = "system.kernel.linux.sysctl.";

function entry(term: string, text: string): string[] {
  const [first = "", ...rest] = wrap(text, WIDTH - TERM);
  return [`  ${term.padEnd(TERM - 2)}${first}`, ...rest.map((line) => " ".repeat(TERM) + line)];
}

function attributeLines({ attributes }: MetricFacts): string[] {
  const entries = Object.entries(attributes);
  if (entries.length === 0) return entry("attributes", "none");
  return entries.flatMap(([key, values], at) =>
    entry(at === 0 ? "attributes" : "", values.length === 0 ? key : `${key}: ${values.join(", ")}`)
  );
}

function startOf({ descriptor }: MetricFacts): string {
  if (descriptor.kind === "gauge") return "";
  if (descriptor.kind === "histogram") return ", cumulative, in buckets";
  return descriptor.monotonic ? ", cumulative, grows" : ", cumulative, goes up and down";
}

/** The page about one metric. */
export function explanation(facts: MetricFacts): string {
  const { descriptor, collectors, isOn, collectorName, convention } = facts;
  return [
    descriptor.name,
    ...entry("", `${descriptor.description}.`),
    ...entry("from", descriptor.source),
    ...entry("instrument", `${instrumentOf(facts)}, ${descriptor.valueType}${startOf(facts)}`),
    ...entry("unit", descriptor.unit),
    ...attributeLines(facts),
    ...entry("collector", collectors.join(", ")),
    ...entry("default", isOn ? "on" : `off: SONDE_METRICS=${descriptor.name}`),
    ...(collectorName === undefined ? [] : entry("Collector", `${collectorName} in SONDE_NAMING=collector`)),
    ...entry("convention", convention ?? "none: the Collector's name or sonde's own"),
    "",
  ].join("\n");
}

/** The names nearest to a word, nearest first. */
function suggestions(word: string, facts: readonly MetricFacts[]): string[] {
  const typed = word.slice(0, 80);
  return facts.map(({ descriptor }) => descriptor.name)
    .map((name) => [name, name.includes(typed) ? 0 : editDistance(typed, name)] as const)
    .sort(([, a], [, b]) => a - b).slice(0, SUGGESTIONS).map(([name]) => name);
}

/** Explains the metric named, in whichever naming; 64 for one that does not exist. */
export function run(context: Context): Promise<number> {
  const [name] = context.operands;
  if (name === undefined) {
    throw new UsageError("explain needs the name of a metric", "type sonde explain system.cpu.time");
  }
  const parameter = name.startsWith(SYSCTL) ? name.slice(SYSCTL.length) : "";
  const facts = metricFacts(/^[\w.-]+$/.test(parameter) ? [parameter] : []);
  const found = facts.find(({ descriptor, collectorName }) =>
    descriptor.name === name || collectorName === name
  );
  if (found === undefined) {
    const hint = `did you mean ${suggestions(name, facts).join(", ")}`;
    throw new UsageError(`unknown metric "${name.slice(0, 120)}"`, hint);
  }
  context.stdout(explanation(found));
  return Promise.resolve(0);
}
