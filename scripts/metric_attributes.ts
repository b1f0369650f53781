/**
 * The attributes of every metric, as the fixtures show them: keys, and the values of keys that take few. Written to
 * commands/metric_attributes.json, where `explain` reads them.
 * @module
 */
import { agent } from "../collectors/agent.ts";
import type { Collector } from "../collectors/collector.ts";
import type { AttributeValue } from "../collectors/metric.ts";
import { type CollectorOptions, collectors } from "../collectors/registry.ts";
import { hostOf, readJson, readTree, type Recording, turn } from "../tests/fixture_host.ts";
import { root } from "./terminal.ts";

const FIXTURES = `${root}/tests/fixtures/collectors`;

/** Last words of keys whose values are words of a convention, not names of things. */
const ENUMERATED = /(^|\.)(mode|state|direction|type|stall_type|status|source|transport|outcome|level)$/;
/** Named after things all the same. */
const NAMES: ReadonlySet<string> = new Set([
  ...["system.filesystem.type", "hw.sensor_location", "system.filesystem.mode"],
]);

type Values = Map<string, Map<string, Set<string>>>;

const folders = (path: string): string[] =>
  [...Deno.readDirSync(path)].filter((entry) => entry.isDirectory).map((entry) => entry.name).sort();

function note(values: Values, recording: Recording): void {
  for (const { series } of recording.points) {
    // Another naming's keys are told by its own table.
    if (series.namings?.includes("semconv") === false) continue;
    const keys = values.get(series.descriptor.name) ?? new Map<string, Set<string>>();
    values.set(series.descriptor.name, keys);
    for (const [key, value] of Object.entries(series.attributes)) noteValue(keys, key, value);
  }
}

function noteValue(keys: Map<string, Set<string>>, key: string, value: AttributeValue): void {
  const known = keys.get(key) ?? new Set();
  keys.set(key, known);
  if (ENUMERATED.test(key) && !NAMES.has(key) && typeof value === "string") known.add(value);
}

async function collectCase(name: string, path: string, values: Values): Promise<void> {
  const options = readJson<CollectorOptions>(`${path}/options.json`) ?? {};
  for (const perCpu of [false, true]) {
    const collector = collectors({ ...options, perCpu }).find((one) => one.name === name);
    if (collector === undefined) continue;
    const steps = folders(path).filter((step) => /^t\d$/.test(step)).map((step) => `${path}/${step}`);
    const [first = path, ...later] = steps;
    const prepared = collector.prepare(hostOf(readTree(first)));
    for (const [at, step] of [first, ...later].entries()) {
      const moment = { uptime: 1000 + 10 * at, monotonicMs: 1_000_000 + 10_000 * at };
      note(values, await turn(prepared, readTree(step), moment));
    }
  }
}

/** sonde's own figures come from its courier, so there is no recording of them. */
const AGENT: Collector = agent(() => ({
  collectors: [{ name: "disk", durationMs: 1, points: 1, faults: 1 }],
  omissions: 1,
  discarded: { non_finite: 1 },
  lanes: [{
    destination: "default",
    signal: "metrics",
    produced: 1,
    delivered: 1,
    rejected: 1,
    merged: 1,
    quarantined: 1,
    dropped: { age: 1 },
    attempts: { "200": 1, timeout: 1 },
    durations: [
      { status: 200, errorType: "rejected", bucketCounts: [1], sum: 0.1 },
      { errorType: "timeout", bucketCounts: [1], sum: 10 },
    ],
    queued: 1,
    queuedBytes: 1,
    spoolBytes: 1,
    requestBytes: 1,
    breaker: "closed",
    lastAcceptedMs: 1,
    clockSkew: 0,
  }],
}));

/** The file's text as it should be. */
export async function metricAttributes(): Promise<string> {
  const values: Values = new Map();
  for (const collector of folders(FIXTURES)) {
    for (const name of folders(`${FIXTURES}/${collector}`)) {
      await collectCase(collector, `${FIXTURES}/${collector}/${name}`, values);
    }
  }
  const empty = hostOf({ files: new Map(), links: new Map(), folders: new Set(), statfs: {}, facts: {} });
  note(values, await turn(AGENT.prepare(empty), readTree(`${FIXTURES}/cpu`)));
  const entries = [...values].sort().map(([metric, keys]) => {
    const sorted = [...keys].sort().map(([key, known]) => [key, [...known].sort()] as const);
    return [metric, Object.fromEntries(sorted)] as const;
  });
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
