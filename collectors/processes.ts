/**
 * Processes and threads as /proc/stat counts them, without walking /proc. States per process need files that cannot
 * be opened any more; what the kernel counts itself is how many threads run or are blocked.
 *
 *     processes 6438 / procs_running 2 / procs_blocked 0
 * @module
 */
import type { Collector, Recorder } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { lineAfter, quote, unsigned } from "./text.ts";

const STAT = "/proc/stat";

const created: Descriptor = {
  name: "system.process.created",
  kind: "sum",
  monotonic: true,
  fall: { rule: "ulong" },
  unit: "{process}",
  valueType: "int",
  description: "Processes and threads created since boot",
  source: `${STAT}, line "processes"`,
};
const runnable: Descriptor = {
  name: "system.process.linux.runnable",
  kind: "sum",
  monotonic: false,
  unit: "{thread}",
  valueType: "int",
  description: "Threads that run or wait for a CPU",
  source: `${STAT}, line "procs_running"`,
};
const blocked: Descriptor = {
  name: "system.process.linux.blocked",
  kind: "sum",
  monotonic: false,
  unit: "{thread}",
  valueType: "int",
  description: "Threads that wait for a disk",
  source: `${STAT}, line "procs_blocked"`,
};
const processCount: Descriptor = {
  name: "system.process.count",
  kind: "sum",
  monotonic: false,
  unit: "{process}",
  valueType: "int",
  description:
    "Processes by state; in the Collector's naming running and blocked are the kernel's counts of threads",
  source: `${STAT}, lines "procs_running" and "procs_blocked" (Collector naming only)`,
};
const statusOf = (status: string): Series =>
  series(processCount, { status }, { namings: ["collector"], collectorAttributes: { status } });

/** Labels of /proc/stat and the series each of them feeds. */
const LINES: readonly (readonly [string, readonly Series[]])[] = [
  ["\nprocesses ", [series(created)]],
  ["\nprocs_running ", [series(runnable), statusOf("running")]],
  ["\nprocs_blocked ", [series(blocked), statusOf("blocked")]],
];

function collectStat(stat: string, out: Recorder): void {
  const text = "\n" + stat;
  for (const [label, all] of LINES) {
    const word = lineAfter(text, label);
    const value = unsigned(word);
    if (value === undefined) {
      out.fault(`Cannot parse "${STAT}": ${label.trim()} is ${quote(word ?? "")}, expected a number`);
    } else for (const one of all) out.add(one, value);
  }
}

/** Processes created, threads that run or are blocked. */
export const processes: Collector = {
  name: "processes",
  descriptors: [created, runnable, blocked, processCount],
  prepare: () => ({
    files: [STAT],
    collect([stat], out) {
      if (stat !== undefined) collectStat(stat, out);
    },
  }),
};
