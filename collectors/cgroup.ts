/**
 * The control group this process lives in: which of its files say what, in version 2 and in version 1. A limit set
 * anywhere above holds here too, so the effective one is the least of all. Kernel: Documentation/admin-guide/cgroup-v2.rst.
 *
 *     /proc/self/cgroup: "0::/a/b" (version 2), "4:memory:/a/b" (version 1)
 *     memory.max: "max" or bytes; cpu.max: "50000 100000" (quota and period in µs)
 * @module
 */
import type { Host } from "./collector.ts";
import { count, fields, unsigned, wholeLines, wholeValue } from "./text.ts";

/** Figures of a control group; what is not known or not limited is absent. */
export interface CgroupFigures {
  /** Seconds. */
  readonly cpuUser: number | undefined;
  readonly cpuSystem: number | undefined;
  readonly throttled: number | undefined;
  /** CPUs. */
  readonly cpuLimit: number | undefined;
  /** Bytes. */
  readonly memoryUsage: number | undefined;
  readonly inactiveFile: number | undefined;
  readonly memoryLimit: number | undefined;
  readonly oomKills: number | undefined;
}

/** A control group's files and how their texts are read. */
export interface Cgroup {
  readonly files: readonly string[];
  /** Texts in the order of `files`. */
  read(texts: readonly (string | undefined)[]): CgroupFigures;
}

const ROOT = "/sys/fs/cgroup";
/** Groups above ours that are looked at. */
const DEPTH_MAX = 16;
/** Version 1 writes "no limit" as the largest multiple of the page size. */
const NO_LIMIT = 2 ** 62;

type TextOf = (path: string) => string | undefined;

/** Value of a key in lines of keys and values. */
function keyed(text: string | undefined, key: string): number | undefined {
  if (text === undefined) return undefined;
  const line = wholeLines(text).find((line) => line.startsWith(`${key} `));
  return line === undefined ? undefined : count(fields(line)[1]);
}

const scaled = (value: number | undefined, divisor: number): number | undefined =>
  value === undefined ? undefined : value / divisor;

/** The folder and all above it within the hierarchy, nearest first. */
function ancestors(hierarchy: string, folder: string): string[] {
  const found: string[] = [];
  for (let at = folder; at.startsWith(hierarchy) && found.length < DEPTH_MAX;) {
    found.push(at);
    at = at.slice(0, at.lastIndexOf("/"));
  }
  return found;
}

/** The least limit; unknown when one of the files cannot be read, for it might hold a lesser one. */
function least(
  paths: readonly string[],
  textOf: TextOf,
  parse: (text: string) => number | undefined,
): number | undefined {
  let lowest = Infinity;
  for (const path of paths) {
    const text = textOf(path);
    const value = text === undefined ? undefined : parse(text);
    if (value === undefined) return undefined;
    lowest = Math.min(lowest, value);
  }
  return lowest < NO_LIMIT ? lowest : undefined;
}

/** Bytes, Infinity for "max", undefined for text that is neither. */
function parseBytes(text: string): number | undefined {
  const value = wholeValue(text);
  if (value === "max") return Infinity;
  const bytes = unsigned(value);
  return bytes === undefined ? undefined : Number(bytes);
}

/** CPUs of "quota period", Infinity for "max 100000". */
function parseCpuMax(text: string): number | undefined {
  const [quota, period] = fields(wholeValue(text) ?? "");
  const [part, whole] = [quota === "max" ? Infinity : count(quota), count(period)];
  return part === undefined || whole === undefined || whole === 0 ? undefined : part / whole;
}

/** Our group's path in a hierarchy; "" stands for the unified one. */
function groupPath(text: string, controller: string): string | undefined {
  for (const line of wholeLines(text)) {
    const [id = "", controllers = "", ...path] = line.split(":");
    const isIt = controller === ""
      ? id === "0" && controllers === ""
      : controllers.split(",").includes(controller);
    if (isIt) return path.join(":").replace(/\/$/, "");
  }
  return undefined;
}

/** Where a group's files are: a container often sees its own group as the root of the hierarchy. */
function locate(host: Host, { hierarchy, path, file }: Record<"hierarchy" | "path" | "file", string>) {
  return [hierarchy + path, hierarchy].find((folder) => host.exists(`${folder}/${file}`));
}

function openUnified(host: Host, path: string): Cgroup | undefined {
  const folder = locate(host, { hierarchy: ROOT, path, file: "memory.current" }) ??
    locate(host, { hierarchy: ROOT, path, file: "cpu.max" });
  if (folder === undefined) return undefined;
  const above = ancestors(ROOT, folder);
  const present = (name: string) => above.map((at) => `${at}/${name}`).filter((file) => host.exists(file));
  const [memoryMax, cpuMax] = [present("memory.max"), present("cpu.max")];
  const own = ["memory.current", "memory.stat", "memory.events", "cpu.stat"].map((name) =>
    `${folder}/${name}`
  );
  const files = [...own, ...memoryMax, ...cpuMax];
  return {
    files,
    read(texts) {
      const textOf: TextOf = (path) => texts[files.indexOf(path)];
      const [current, stat, events, cpu] = texts;
      return {
        cpuUser: scaled(keyed(cpu, "user_usec"), 1e6),
        cpuSystem: scaled(keyed(cpu, "system_usec"), 1e6),
        throttled: scaled(keyed(cpu, "throttled_usec"), 1e6),
        cpuLimit: least(cpuMax, textOf, parseCpuMax),
        memoryUsage: count(wholeValue(current)),
        inactiveFile: keyed(stat, "inactive_file"),
        memoryLimit: least(memoryMax, textOf, parseBytes),
        oomKills: keyed(events, "oom_kill"),
      };
    },
  };
}

/** The folder of a version 1 controller, which may share its hierarchy with another. */
function controllerFolder(
  host: Host,
  groups: string,
  [controller, file]: readonly [string, string],
): string | undefined {
  const path = groupPath(groups, controller);
  if (path === undefined) return undefined;
  for (const mount of [controller, "cpu,cpuacct", "cpuacct,cpu"]) {
    const folder = locate(host, { hierarchy: `${ROOT}/${mount}`, path, file });
    if (folder !== undefined) return folder;
  }
  return undefined;
}

function parseQuota(quota: string | undefined, period: string | undefined): number | undefined {
  const [part, whole] = [count(wholeValue(quota)), count(wholeValue(period))];
  // -1 stands for "no quota" and is no count.
  return part === undefined || whole === undefined || whole === 0 ? undefined : part / whole;
}

function openVersion1(host: Host, groups: string): Cgroup | undefined {
  const memory = controllerFolder(host, groups, ["memory", "memory.usage_in_bytes"]);
  const cpu = controllerFolder(host, groups, ["cpu", "cpu.stat"]) ?? "";
  const account = controllerFolder(host, groups, ["cpuacct", "cpuacct.stat"]) ?? "";
  if (memory === undefined) return undefined;
  const limits = ancestors(`${ROOT}/memory`, memory).map((at) => `${at}/memory.limit_in_bytes`)
    .filter((file) => host.exists(file));
  const own = [
    `${memory}/memory.usage_in_bytes`,
    `${memory}/memory.stat`,
    `${memory}/memory.oom_control`,
    `${cpu}/cpu.stat`,
    `${cpu}/cpu.cfs_quota_us`,
    `${cpu}/cpu.cfs_period_us`,
    `${account}/cpuacct.stat`,
  ];
  const files = [...own, ...limits];
  return {
    files,
    read(texts) {
      const [usage, stat, oom, cpuStat, quota, period, times] = texts;
      return {
        cpuUser: scaled(keyed(times, "user"), host.ticksPerSecond),
        cpuSystem: scaled(keyed(times, "system"), host.ticksPerSecond),
        throttled: scaled(keyed(cpuStat, "throttled_time"), 1e9),
        cpuLimit: parseQuota(quota, period),
        memoryUsage: count(wholeValue(usage)),
        inactiveFile: keyed(stat, "total_inactive_file"),
        memoryLimit: least(limits, (path) => texts[files.indexOf(path)], parseBytes),
        oomKills: keyed(oom, "oom_kill"),
      };
    },
  };
}

/** Files of these names in this process's own group of version 2, those that are there. */
export function ownGroupFiles(host: Host, names: readonly string[]): string[] {
  const path = groupPath(host.read("/proc/self/cgroup") ?? "", "");
  if (path === undefined) return [];
  return names.flatMap((file) => {
    const folder = locate(host, { hierarchy: ROOT, path, file });
    return folder === undefined ? [] : [`${folder}/${file}`];
  });
}

/** This process's own control group, version 2 where it has controllers. */
export function openCgroup(host: Host): Cgroup | undefined {
  const groups = host.read("/proc/self/cgroup");
  if (groups === undefined) return undefined;
  const unified = groupPath(groups, "");
  return (unified === undefined ? undefined : openUnified(host, unified)) ?? openVersion1(host, groups);
}

/** Files that container engines leave inside. */
const MARKS = ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"] as const;
const ENGINES = /[/:-](docker|kubepods|libpod|containerd|crio|cri-o|lxc|garden|ecs)[/.:-]/;

/** True inside a container: by an engine's mark, by the group's name, or by a hierarchy whose root has limits. */
export function isContainer(host: Host): boolean {
  // Machine images made from container images keep the mark; kernel threads show that this is the machine itself.
  const isMachine = host.read("/proc/2/comm")?.trim() === "kthreadd";
  if (!isMachine && MARKS.some((path) => host.exists(path))) return true;
  const groups = host.read("/proc/self/cgroup") ?? "";
  // The true root group has no limits: a root that has some belongs to a container's own namespace.
  return ENGINES.test(groups) || groupPath(groups, "") === "" && host.exists(`${ROOT}/memory.max`);
}
