/**
 * The agent's own process: what sonde itself costs this host. Kernel: Documentation/filesystems/proc.rst 1.1.
 *
 *     /proc/self/io: "read_bytes: 4096"      /proc/self/status: "SigQ: 0/96365"
 * @module
 */
import type { Collector, Cycle, Host, Prepared, Recorder } from "./collector.ts";
import type { Series } from "./metric.ts";
import { PROCESS_DESCRIPTORS, type ProcessSeries, processSeries } from "./process_metrics.ts";
import { parseProcessStat, type ProcessStat } from "./process_stat.ts";
import { slept } from "./suspend.ts";
import { fields, times, unsigned, wholeLines } from "./text.ts";

const STAT = "/proc/self/stat";

function addStat(stat: ProcessStat, own: ProcessSeries, { host, out }: Sinks): void {
  const seconds = (ticks: number): number => ticks / host.ticksPerSecond;
  out.add(own.cpu.user, seconds(stat.userTicks));
  out.add(own.cpu.system, seconds(stat.systemTicks));
  if (stat.waitTicks !== undefined) out.add(own.cpu.wait, seconds(stat.waitTicks));
  out.add(own.usage, times(stat.residentPages, host.pageSize));
  out.add(own.virtual, stat.virtualBytes);
  out.add(own.threads, stat.threads);
  out.add(own.minor, stat.minorFaults);
  out.add(own.major, stat.majorFaults);
  const now = out.cycle.uptime;
  const age = now === undefined ? -1 : now - seconds(stat.startTicks);
  if (age >= 0) out.add(own.uptime, age);
}

/** Adds the figures of "key: number" lines. */
function addKeyed(
  text: string | undefined,
  rows: readonly (readonly [string, Series])[],
  out: Recorder,
): void {
  if (text === undefined || !rows.some(([, target]) => out.wants(target))) return;
  const values = new Map(
    wholeLines(text).map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
  for (const [key, target] of rows) {
    // "SigQ: 0/96365" has its limit behind a slash.
    const value = unsigned(fields(values.get(key)?.split("/")[0] ?? "")[0]);
    if (value !== undefined) out.add(target, value);
  }
}

/** Context switches; the file tells of the first thread alone, so it stands in only where nothing better can be asked. */
function addSwitches(status: string | undefined, { switches }: ProcessSeries, { host, out }: Sinks): void {
  if (host.contextSwitches === undefined) return addKeyed(status, switches, out);
  const [[, voluntary], [, involuntary]] = switches;
  if (!out.wants(voluntary)) return;
  const counts = host.contextSwitches();
  if (counts === undefined) return;
  out.add(voluntary, counts.voluntary);
  out.add(involuntary, counts.involuntary);
}

interface Before {
  readonly stat: ProcessStat;
  readonly uptime: number;
  readonly cycle: Cycle;
}

interface Sinks {
  readonly host: Host;
  readonly out: Recorder;
}

/** Shares of all CPUs since the cycle before; none without time between. */
function addShares(before: Before, now: Before, { own, cpus, host, out }: Sinks & {
  readonly own: ProcessSeries;
  readonly cpus: number;
}): void {
  const elapsed = now.uptime - before.uptime;
  if (elapsed <= 0 || cpus === 0 || slept(before.cycle, now.cycle)) return;
  const share = (ticks: number): number => ticks / host.ticksPerSecond / elapsed / cpus;
  const [user, system] = [
    now.stat.userTicks - before.stat.userTicks,
    now.stat.systemTicks - before.stat.systemTicks,
  ];
  if (user < 0 || system < 0) return;
  out.add(own.share.user, share(user));
  out.add(own.share.system, share(system));
}

/** Bytes of memory of the host, 0 when it cannot be read. */
function memoryTotal(meminfo: string | undefined): number {
  return Number(/^MemTotal: +(\d+) kB$/m.exec(meminfo ?? "")?.[1] ?? 0) * 1024;
}

const cpuLines = (text: string | undefined): number => text?.match(/^cpu\d+ /gm)?.length ?? 0;
const moment = (stat: ProcessStat, cycle: Cycle): Before | undefined =>
  cycle.uptime === undefined ? undefined : { stat, uptime: cycle.uptime, cycle };

/** The agent's own process. */
export const ownProcess: Collector = {
  name: "process",
  descriptors: PROCESS_DESCRIPTORS,
  prepare(host): Prepared {
    const cpus = cpuLines(host.read("/proc/stat"));
    const total = memoryTotal(host.read("/proc/meminfo"));
    const countFiles = host.openFileCounter();
    let own: ProcessSeries | undefined;
    let before: Before | undefined;
    return {
      files: [STAT, "/proc/self/io", "/proc/self/status"],
      collect([text, io, status], out) {
        if (text === undefined) return;
        const stat = parseProcessStat(text);
        if (own === undefined || own.startTicks !== stat.startTicks) {
          own = processSeries(stat.startTicks, host.ticksPerSecond);
          before = undefined;
        }
        addStat(stat, own, { host, out });
        if (total > 0) out.add(own.memoryShare, stat.residentPages * host.pageSize / total);
        const files = countFiles?.();
        if (files !== undefined) out.add(own.descriptors, files);
        addKeyed(io, own.io, out);
        addKeyed(status, own.status, out);
        addSwitches(status, own, { host, out });
        const now = moment(stat, out.cycle);
        if (before !== undefined && now !== undefined) addShares(before, now, { own, cpus, host, out });
        before = now;
      },
    };
  },
};
