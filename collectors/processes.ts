/**
 * Processes and threads as the kernel counts them itself, without walking /proc. How many processes there are, the
 * link count of /proc says; in which states they are, only the walk knows (process_table.ts), so without it the
 * count has no state. procs_running and procs_blocked count threads and never stand for a state of processes.
 *
 *     /proc/stat: processes 6438 / procs_running 2 / procs_blocked 0
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

/** The number of processes: of all states together, or with the walk one series a state. */
export const processCount: Descriptor = {
  name: "system.process.count",
  kind: "sum",
  monotonic: false,
  unit: "{process}",
  valueType: "int",
  description: "Processes, zombies included; by state where the collector process_table is on",
  source:
    "link count of the folder /proc - 2 - its folders that are no processes; by state: /proc/[pid]/stat field 3. " +
    `Collector naming without process_table: running and blocked are threads, ${STAT} lines "procs_running" and ` +
    '"procs_blocked", as the Collector itself counts them',
};

/** A status as the Collector names it; semantic conventions know fewer states. */
export const collectorStatus = (status: string): Series =>
  series(processCount, { status }, { namings: ["collector"], collectorAttributes: { status } });

const total = series(processCount, {}, { namings: ["semconv", "dup"] });

/** What the operator decides about the count of processes. */
export interface ProcessesOptions {
  /** The walk is on and counts by state; another count beside it would count twice. */
  readonly processStates?: boolean;
}

type Line = readonly [label: string, targets: readonly Series[]];

/** Labels of /proc/stat and the series each of them feeds. */
function linesOf(options: ProcessesOptions): readonly Line[] {
  const status = (name: string) => options.processStates === true ? [] : [collectorStatus(name)];
  return [
    ["\nprocesses ", [series(created)]],
    ["\nprocs_running ", [series(runnable), ...status("running")]],
    ["\nprocs_blocked ", [series(blocked), ...status("blocked")]],
  ];
}

function collectStat(stat: string, lines: readonly Line[], out: Recorder): void {
  const text = "\n" + stat;
  for (const [label, all] of lines) {
    const word = lineAfter(text, label);
    const value = unsigned(word);
    if (value === undefined) {
      out.fault(`Cannot parse "${STAT}": ${label.trim()} is ${quote(word ?? "")}, expected a number`);
    } else for (const one of all) out.add(one, value);
  }
}

/** Processes there are and were created, threads that run or are blocked. */
export function processes(options: ProcessesOptions = {}): Collector {
  return {
    name: "processes",
    descriptors: [created, runnable, blocked, processCount],
    prepare(host) {
      const lines = linesOf(options);
      const countProcesses = options.processStates === true ? undefined : host.processCounter();
      return {
        files: [STAT],
        collect([stat], out) {
          if (stat !== undefined) collectStat(stat, lines, out);
          const processes = countProcesses?.();
          if (processes !== undefined) out.add(total, processes);
        },
      };
    },
  };
}
