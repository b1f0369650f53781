/**
 * How often heat slowed the CPUs down (x86). CPUs of one core or package share a counter, so it is read from the
 * first of them only.
 *
 *     cpu0/thermal_throttle/core_throttle_count: 12
 * @module
 */
import type { Collector, Host } from "./collector.ts";
import { cpuNumbers, readTopology } from "./cpu_topology.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { count, quote, wholeValue } from "./text.ts";

const FOLDER = "/sys/devices/system/cpu";

const throttles: Descriptor = {
  name: "system.cpu.linux.throttles",
  kind: "sum",
  monotonic: true,
  fall: { rule: "ulong" },
  unit: "{event}",
  valueType: "int",
  description: "Times a core or a whole package was slowed down because of heat",
  source: `${FOLDER}/cpuN/thermal_throttle/core_throttle_count and package_throttle_count, one CPU of each`,
};

interface Counter {
  readonly path: string;
  readonly one: Series;
}

/** One counter per core and one per package, of those CPUs that have any. */
function counters(host: Host): Counter[] {
  const cores = readTopology(host);
  const found = new Map<string, Counter>();
  for (const number of cpuNumbers(host)) {
    const core = cores.get(number) ?? String(number);
    const packageNumber = core.includes("/") ? core.slice(0, core.indexOf("/")) : "0";
    for (const [level, owner] of [["core", core], ["package", packageNumber]] as const) {
      const path = `${FOLDER}/cpu${number}/thermal_throttle/${level}_throttle_count`;
      if (found.has(`${level} ${owner}`) || !host.exists(path)) continue;
      const attributes = {
        "system.cpu.linux.throttle.level": level,
        "system.cpu.linux.throttle.owner": owner,
      };
      found.set(`${level} ${owner}`, { path, one: series(throttles, attributes) });
    }
  }
  return [...found.values()];
}

/** Thermal throttling; opt-in. */
export const cpuThrottle: Collector = {
  name: "cpu_throttle",
  on: false,
  descriptors: [throttles],
  prepare(host) {
    const all = counters(host);
    return {
      files: all.map(({ path }) => path),
      collect(texts, out) {
        for (const [at, { path, one }] of all.entries()) {
          const text = texts[at];
          // An offline CPU takes its files away.
          if (text === undefined) continue;
          const value = count(wholeValue(text));
          if (value !== undefined) out.add(one, value);
          else out.fault(`Cannot parse "${path}": ${quote(text)}, expected a number`);
        }
      },
    };
  },
};
