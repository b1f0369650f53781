/**
 * Processes by state, and the busiest ones: what only a walk over all of /proc can tell. Off by default, for files
 * of processes that come later cannot be opened after the drop: a walker has to be kept that can (`sandbox` names it).
 *
 *     /proc/[pid]/stat field 3: R running, S D I sleeping, T t stopped, Z X defunct
 * @module
 */
import type { Collector, Host, Prepared, Recorder } from "./collector.ts";
import { type Series, series } from "./metric.ts";
import { type Group, ProcessGroups } from "./process_groups.ts";
import { cpuTime, diskIo, usage } from "./process_metrics.ts";
import { parseWalk, type WalkedProcess } from "./process_walk.ts";
import { collectorStatus, processCount } from "./processes.ts";
import { times } from "./text.ts";

/** How often it walks. */
const REFRESH_MS = 10_000;

/** What the operator decides; fixed at start. */
export interface ProcessTableOptions {
  /** How many of the busiest by CPU, memory and I/O are reported; 0: none. */
  readonly processesTop?: number;
  /** What is one of them. */
  readonly processesBy?: "executable" | "pid" | "command_line";
}

const stateSeries = (state: string): Series =>
  series(processCount, { "process.state": state }, { namings: ["semconv", "dup"] });
const RUNNING = stateSeries("running");
const SLEEPING = stateSeries("sleeping");
const STOPPED = stateSeries("stopped");
const DEFUNCT = stateSeries("defunct");

/** As the Collector names them. */
const running = collectorStatus("running");
const sleeping = collectorStatus("sleeping");
const blocked = collectorStatus("blocked");
const idle = collectorStatus("idle");
const stopped = collectorStatus("stopped");
const zombies = collectorStatus("zombies");

/** Letters of the kernel, with the state of each naming. */
const STATES: Readonly<Record<string, readonly [Series, Series]>> = {
  R: [RUNNING, running],
  S: [SLEEPING, sleeping],
  D: [SLEEPING, blocked],
  I: [SLEEPING, idle],
  T: [STOPPED, stopped],
  t: [STOPPED, stopped],
  Z: [DEFUNCT, zombies],
  X: [DEFUNCT, zombies],
};

type Counts = ReadonlyMap<Series, number>;

/** Processes by state; states without one are 0, so that a last zombie's end is seen. */
function countStates(processes: readonly WalkedProcess[]): Counts {
  const counts = new Map(Object.values(STATES).flat().map((one) => [one, 0]));
  for (const { state } of processes) {
    for (const one of STATES[state] ?? []) counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return counts;
}

function addGroup(group: Group, host: Host, out: Recorder): void {
  out.add(group.cpu.user, group.userTicks / host.ticksPerSecond);
  out.add(group.cpu.system, group.systemTicks / host.ticksPerSecond);
  out.add(group.memory, times(group.residentPages, host.pageSize));
  if (group.readBytes !== undefined) out.add(group.io.read, group.readBytes);
  if (group.writtenBytes !== undefined) out.add(group.io.write, group.writtenBytes);
}

/** What the last walk gave. */
class ProcessTable {
  readonly #host: Host;
  readonly #own: number;
  readonly #top: number;
  readonly #groups: ProcessGroups;
  #counts: Counts = new Map();
  #reported: readonly Group[] = [];
  #failure: string | undefined;

  constructor(host: Host, options: ProcessTableOptions) {
    this.#host = host;
    // The agent's own figures are in the process collector, and not twice.
    this.#own = Number(host.read("/proc/self/stat")?.split(" ", 1)[0] ?? 0);
    this.#top = options.processesTop ?? 0;
    this.#groups = new ProcessGroups(options.processesBy ?? "executable");
  }

  async walk(): Promise<void> {
    try {
      if (this.#host.walk === undefined) throw new Error("no shell to walk it with");
      const { processes, uptime } = parseWalk(await this.#host.walk());
      this.#failure = processes.length === 0 ? "no process could be read" : undefined;
      this.#counts = countStates(processes);
      if (this.#top === 0) return;
      const time = { uptime, ticksPerSecond: this.#host.ticksPerSecond };
      this.#groups.follow(processes.filter(({ pid }) => pid !== this.#own), time);
      this.#reported = this.#groups.top(this.#top);
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
    }
  }

  collect(out: Recorder): void {
    if (this.#failure !== undefined) return out.omit("system.process.count by state", this.#failure);
    for (const [one, value] of this.#counts) out.add(one, value);
    for (const group of this.#reported) addGroup(group, this.#host, out);
  }
}

/** Processes by state, and the busiest ones. */
export function processTable(options: ProcessTableOptions = {}): Collector {
  const isAsked = (options.processesTop ?? 0) > 0;
  return {
    name: "process_table",
    ...(isAsked ? {} : { on: false }),
    descriptors: isAsked ? [processCount, cpuTime, usage, diskIo] : [],
    prepare(host): Prepared {
      const table = new ProcessTable(host, options);
      return {
        files: [],
        refreshMs: REFRESH_MS,
        refresh: () => table.walk(),
        collect: (_texts, out) => table.collect(out),
      };
    },
  };
}
