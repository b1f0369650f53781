/**
 * A host at a glance in flat names: percentages of CPU time, bytes of memory and swap, totals of all disks. For
 * dashboards built on an older agent's names, which the caller gives as a prefix (host-metrics 1.1, V26); the figures
 * follow the same rules as everywhere here: guest time counts once, stacked devices do not count again.
 * @module
 */
import { availableKiB, lowWatermarkKiB } from "./available_memory.ts";
import type { Collector, Prepared, Recorder } from "./collector.ts";
import {
  GUEST,
  GUEST_NICE,
  IDLE,
  IOWAIT,
  IRQ,
  NICE,
  parseTicks,
  Shares,
  SOFTIRQ,
  STEAL,
  SYSTEM,
  type Ticks,
  USER,
} from "./cpu_times.ts";
import { DISK_EXCLUDE } from "./disk_choice.ts";
import type { Gauge, Series } from "./metric.ts";
import { series } from "./metric.ts";
import { overviewDiskDescriptors, OverviewDisks } from "./overview_disks.ts";
import { count, lineAfter, wordAfter } from "./text.ts";

const [STAT, MEMINFO, DISKSTATS] = ["/proc/stat", "/proc/meminfo", "/proc/diskstats"];
const KIB = 1024;

/** What the operator decides. */
export interface OverviewOptions {
  /** Goes in front of every name; absent: the collector does not exist. */
  readonly overviewPrefix?: string;
  readonly diskExclude?: readonly string[];
}

const MODES: readonly (readonly [mode: string, column: number])[] = [
  ["guest", GUEST],
  ["guest_nice", GUEST_NICE],
  ["idle", IDLE],
  ["iowait", IOWAIT],
  ["irq", IRQ],
  ["nice", NICE],
  ["softirq", SOFTIRQ],
  ["steal", STEAL],
  ["system", SYSTEM],
  ["user", USER],
];

function gauge(
  name: string,
  unit: "percent" | "bytes",
  about: { description: string; source: string },
): Gauge {
  return { name, kind: "gauge", unit, valueType: unit === "percent" ? "double" : "int", ...about };
}

const percent = (share: number): number => Math.round(share * 10_000) / 100;

/** CPU time between two cycles in percent of all time. */
class CpuPercent {
  readonly descriptors: readonly Gauge[];
  readonly #usage: Series;
  readonly #modes: readonly (readonly [series: Series, column: number])[];
  readonly #shares: Shares;
  #guests: readonly number[] | undefined;
  #all = 0;

  constructor(prefix: string, ticksPerSecond: number) {
    const usage = gauge(`${prefix}cpu_usage_percent`, "percent", {
      description: "CPU time not spent idle or waiting for disks",
      source: `${STAT}, line "cpu": 100 * (1 - (idle + iowait) / all eight modes), since the last cycle`,
    });
    const time = gauge(`${prefix}cpu_time_percent`, "percent", {
      description: "CPU time by mode; guest time is inside user and nice as well",
      source: `${STAT}, line "cpu": 100 * ticks of the mode / ticks of the eight modes, since the last cycle`,
    });
    this.descriptors = [usage, time];
    this.#usage = series(usage);
    this.#modes = MODES.map(([mode, column]) => [series(time, { mode }), column]);
    this.#shares = new Shares(ticksPerSecond);
  }

  collect(stat: string, out: Recorder): void {
    const ticks = parseTicks(lineAfter(`\n${stat}`, "\ncpu ") ?? "");
    const shares = this.#shares.next(ticks);
    const guests = this.#guestShares(ticks);
    if (shares === undefined) return;
    const columns = [...shares, ...guests];
    out.add(this.#usage, percent(1 - (shares[IDLE] ?? 0) - (shares[IOWAIT] ?? 0)));
    for (const [mode, column] of this.#modes) {
      const share = columns[column];
      if (share !== undefined) out.add(mode, percent(share));
    }
  }

  /** The two guest columns, which `Shares` leaves out because they are no time of their own. */
  #guestShares(ticks: Ticks): number[] {
    const all = ticks.slice(USER, GUEST).reduce<number>((sum, value) => sum + (value ?? 0), 0);
    const now = [ticks[GUEST] ?? 0, ticks[GUEST_NICE] ?? 0];
    const passed = all - this.#all;
    const before = this.#guests ?? now;
    this.#guests = now;
    this.#all = all;
    return passed <= 0 ? [0, 0] : now.map((value, at) => Math.max(0, value - (before[at] ?? 0)) / passed);
  }
}

/** Memory and swap now. */
class MemoryBytes {
  readonly descriptors: readonly Gauge[];
  readonly #low: number | undefined;
  readonly #series: readonly Series[];

  constructor(prefix: string, lowKiB: number | undefined) {
    const row = (name: string, description: string, fields: string) =>
      gauge(`${prefix}memory_${name}_bytes`, "bytes", {
        description,
        source: `${MEMINFO}, ${fields}, * 1024`,
      });
    this.descriptors = [
      row("virtual_used", "Memory that is not available", "MemTotal - MemAvailable"),
      row("virtual_available", "Memory that programs can have without swapping", "MemAvailable"),
      row("virtual_total", "Memory there is", "MemTotal"),
      row("swap_used", "Swap in use", "SwapTotal - SwapFree"),
      row("swap_total", "Swap there is", "SwapTotal"),
    ];
    this.#series = this.descriptors.map((each) => series(each));
    this.#low = lowKiB;
  }

  collect(meminfo: string, out: Recorder): void {
    const text = `\n${meminfo}`;
    const kib = (label: string) => count(wordAfter(text, `\n${label}:`));
    const [total, swapTotal, swapFree] = [kib("MemTotal"), kib("SwapTotal"), kib("SwapFree")];
    const available = total === undefined ? undefined : availableKiB(kib, { total, low: this.#low }).kib;
    const used = total === undefined || available === undefined ? undefined : total - available;
    const swapUsed = swapTotal === undefined || swapFree === undefined ? undefined : swapTotal - swapFree;
    for (const [at, value] of [used, available, total, swapUsed, swapTotal].entries()) {
      const one = this.#series[at];
      if (value !== undefined && one !== undefined && value >= 0) out.add(one, value * KIB);
    }
  }
}

/** The collector, or none without a prefix. */
export function overview(options: OverviewOptions = {}): Collector[] {
  const prefix = options.overviewPrefix;
  if (prefix === undefined) return [];
  const { descriptors: cpu } = new CpuPercent(prefix, 1);
  const { descriptors: memory } = new MemoryBytes(prefix, undefined);
  const disk = overviewDiskDescriptors(prefix);
  return [{
    name: "overview",
    descriptors: [...cpu, ...memory, ...disk],
    prepare(host): Prepared {
      const percents = new CpuPercent(prefix, host.ticksPerSecond);
      const bytes = new MemoryBytes(prefix, lowWatermarkKiB(host));
      const disks = new OverviewDisks(disk, host);
      return {
        files: [STAT, MEMINFO, DISKSTATS],
        collect([stat, meminfo, diskstats], out) {
          if (stat !== undefined) percents.collect(stat, out);
          if (meminfo !== undefined) bytes.collect(meminfo, out);
          if (diskstats !== undefined) disks.collect(diskstats, options.diskExclude ?? DISK_EXCLUDE, out);
        },
      };
    },
  }];
}
