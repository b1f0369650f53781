/**
 * Which logical CPUs share a core, looked up once under /sys/devices/system/cpu. /proc/cpuinfo is no source: its
 * fields differ by architecture (host-metrics P35).
 * @module
 */
import type { Host } from "./collector.ts";
import { cpuNumber } from "./cpu_times.ts";
import { wholeValue } from "./text.ts";

const FOLDER = "/sys/devices/system/cpu";

/** The name of the core of each CPU that was there at start. */
export type Topology = ReadonlyMap<number, string>;

/** Numbers of the CPUs that sysfs knows, offline ones too, ascending. */
export function cpuNumbers(host: Host): number[] {
  return host.list(FOLDER)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => Number(name.slice(3)))
    .sort((a, b) => a - b);
}

/** Looks up the core of every CPU; empty where sysfs says nothing about topology. */
export function readTopology(host: Host): Topology {
  const cores = new Map<number, string>();
  for (const number of cpuNumbers(host)) {
    const core = readCore(host, `${FOLDER}/cpu${number}/topology`);
    if (core !== undefined) cores.set(number, core);
  }
  return cores;
}

function readCore(host: Host, folder: string): string | undefined {
  const read = (name: string) => wholeValue(host.read(`${folder}/${name}`));
  const socket = read("physical_package_id");
  const core = read("core_id");
  // Many ARM boards have no package number: CPUs of one core then share their list of siblings.
  if (socket !== undefined && socket !== "-1" && core !== undefined) return `${socket}/${core}`;
  return read("core_cpus_list") ?? read("thread_siblings_list");
}

/**
 * Counts the cores behind lines "cpuN …", remembering the answer while the CPUs stay the same. Undefined when a CPU
 * came after start, whose core nobody could look up; without any topology each CPU is its own core.
 */
export function coreOf(topology: Topology): (lines: readonly string[]) => number | undefined {
  let known = "";
  let answer: number | undefined;
  return (lines) => {
    const numbers = lines.map(cpuNumber);
    const key = numbers.join();
    if (key === known) return answer;
    known = key;
    const cores = numbers.map((number) => number === undefined ? undefined : topology.get(number));
    if (topology.size === 0) answer = lines.length;
    else answer = cores.includes(undefined) ? undefined : new Set(cores).size;
    return answer;
  };
}
