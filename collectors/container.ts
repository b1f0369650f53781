/**
 * What the own control group may use and uses. In a container these figures stand beside those of the host, which
 * the container sees but does not own (host-metrics P21); outside they are collected only when asked for. What the
 * container, or a service manager's sandbox, hides of the host is listed.
 * @module
 */
import { type CgroupFigures, isContainer, openCgroup } from "./cgroup.ts";
import type { Collector, Prepared, Recorder } from "./collector.ts";
import { confinement } from "./confinement.ts";
import { type Descriptor, series } from "./metric.ts";

const level = (name: string, words: readonly [description: string, source: string]): Descriptor => ({
  name,
  kind: "sum",
  monotonic: false,
  unit: "By",
  valueType: "int",
  description: words[0],
  source: words[1],
});

const seconds = (name: string, words: readonly [description: string, source: string]): Descriptor => ({
  name,
  kind: "sum",
  monotonic: true,
  unit: "s",
  valueType: "double",
  description: words[0],
  source: words[1],
});

const cpuTime = seconds("container.cpu.time", [
  "CPU time used by mode",
  "cgroup cpu.stat user_usec, system_usec; version 1: cpuacct.stat",
]);
const throttled = seconds("container.cpu.throttled.time", [
  "Time spent waiting because the CPU limit was used up",
  "cgroup cpu.stat throttled_usec; version 1: throttled_time",
]);
const cpuLimit: Descriptor = {
  name: "container.cpu.limit",
  kind: "gauge",
  unit: "{cpu}",
  valueType: "double",
  description: "CPUs that may be used at most",
  source: "cgroup cpu.max quota / period, the least of all groups above; version 1: cpu.cfs_quota_us",
};
const usage = level("container.memory.usage", [
  "Memory in use, page cache included",
  "cgroup memory.current; version 1: memory.usage_in_bytes",
]);
const workingSet = level("container.memory.working_set", [
  "Memory in use that cannot be given back at once",
  "cgroup memory.current - inactive_file of memory.stat",
]);
const available = level("container.memory.available", [
  "Memory left below the limit, reclaimable cache counted as free",
  "the limit - the working set",
]);
const memoryLimit = level("container.memory.limit", [
  "Memory that may be used at most",
  "cgroup memory.max, the least of all groups above; version 1: memory.limit_in_bytes",
]);
const oomKills: Descriptor = {
  name: "container.memory.oom_kills",
  kind: "sum",
  monotonic: true,
  unit: "{kill}",
  valueType: "int",
  description: "Processes killed because the memory limit was reached",
  source: "cgroup memory.events oom_kill; version 1: memory.oom_control",
};

const DESCRIPTORS = [cpuTime, throttled, cpuLimit, usage, workingSet, available, memoryLimit, oomKills];

const user = series(cpuTime, { "cpu.mode": "user" });
const system = series(cpuTime, { "cpu.mode": "system" });
const simple = {
  throttled: series(throttled),
  cpuLimit: series(cpuLimit),
  usage: series(usage),
  workingSet: series(workingSet),
  available: series(available),
  memoryLimit: series(memoryLimit),
  oomKills: series(oomKills),
};

function addFigures(figures: CgroupFigures, out: Recorder): void {
  const { memoryUsage, inactiveFile, memoryLimit } = figures;
  // Both are read at slightly different moments, so the difference can dip below zero.
  const working = memoryUsage === undefined || inactiveFile === undefined
    ? undefined
    : Math.max(0, memoryUsage - inactiveFile);
  const left = memoryLimit === undefined || working === undefined
    ? undefined
    : Math.max(0, memoryLimit - working);
  const rows = [
    [user, figures.cpuUser],
    [system, figures.cpuSystem],
    [simple.throttled, figures.throttled],
    [simple.cpuLimit, figures.cpuLimit],
    [simple.usage, memoryUsage],
    [simple.workingSet, working],
    [simple.available, left],
    [simple.memoryLimit, memoryLimit],
    [simple.oomKills, figures.oomKills],
  ] as const;
  for (const [target, value] of rows) {
    if (value !== undefined) out.add(target, value);
  }
}

/** What the operator decides about the own control group. */
export interface ContainerOptions {
  /** Collect outside a container as well: set when these metrics or this collector are asked for by name. */
  readonly containerEverywhere?: boolean;
}

/** The own control group's use and limits. */
export function container(options: ContainerOptions = {}): Collector {
  return {
    name: "container",
    descriptors: DESCRIPTORS,
    prepare(host): Prepared {
      const isWanted = options.containerEverywhere === true || isContainer(host);
      const group = isWanted ? openCgroup(host) : undefined;
      const hidden = confinement(host);
      return {
        files: group?.files ?? [],
        collect(texts, out) {
          for (const { what, why } of hidden) out.omit(what, why);
          if (group !== undefined) addFigures(group.read(texts), out);
        },
      };
    },
  };
}
