/**
 * The eleven metrics of the Heka agent under their own names, for dashboards that know no others: same units and
 * labels, right sums. Guest time is not counted twice (host-metrics V2), and the total of all disks leaves out devices
 * that only pass on to others (V26). Off by default: `SONDE_COMPAT_HEKA`.
 * @module
 */
import type { Collector, Host, Recorder } from "./collector.ts";
import { parseTicks, Shares } from "./cpu_times.ts";
import { DISK_EXCLUDE, DiskChoice } from "./disk_choice.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { fields, lineAfter, times, unsigned, wholeLines } from "./text.ts";

/** What the operator decides; fixed at start. */
export interface HekaOptions {
  readonly compatHeka?: boolean;
}

const CPU = '/proc/stat, line "cpu": shares of the time since the cycle before';
const MEMORY = "/proc/meminfo";
const DISK = "/proc/diskstats, with and without device";

const gauge = (name: string, unit: string, source: string): Descriptor => ({
  ...{ name, unit, source, kind: "gauge", valueType: unit === "percent" ? "double" : "int" },
  description: "The Heka agent's metric of this name",
});
const counter = (name: string, unit: string, source: string): Descriptor => ({
  ...{ name, unit, source, kind: "sum", monotonic: true, valueType: "int" },
  description: "The Heka agent's metric of this name",
});

const cpuUsage = gauge("heka_cpu_usage_percent", "percent", `${CPU}, all but idle and iowait`);
const cpuTime = gauge("heka_cpu_time_percent", "percent", `${CPU}, by mode`);
const used = gauge("heka_memory_virtual_used_bytes", "bytes", `${MEMORY} MemTotal - MemAvailable`);
const available = gauge("heka_memory_virtual_available_bytes", "bytes", `${MEMORY} MemAvailable`);
const total = gauge("heka_memory_virtual_total_bytes", "bytes", `${MEMORY} MemTotal`);
const swapUsed = gauge("heka_memory_swap_used_bytes", "bytes", `${MEMORY} SwapTotal - SwapFree`);
const swapTotal = gauge("heka_memory_swap_total_bytes", "bytes", `${MEMORY} SwapTotal`);
const readBytes = counter("heka_disk_read_bytes_total", "bytes", `${DISK}: column 6 * 512`);
const writeBytes = counter("heka_disk_write_bytes_total", "bytes", `${DISK}: column 10 * 512`);
const reads = counter("heka_disk_reads_total", "count", `${DISK}: column 4`);
const writes = counter("heka_disk_writes_total", "count", `${DISK}: column 8`);

const DESCRIPTORS = [
  ...[cpuUsage, cpuTime, used, available, total, swapUsed, swapTotal],
  ...[readBytes, writeBytes, reads, writes],
];

const of = (descriptor: Descriptor, labels: Readonly<Record<string, string>> = {}): Series =>
  series(descriptor, labels);

/** The first eight columns add up to all time; the last two are inside user and nice. */
const MODES = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"]
  .map((mode) => of(cpuTime, { mode }));
const WHOLE = 8;
const IDLE = 3, IOWAIT = 4;
const CPU_USAGE = of(cpuUsage);
const percent = (share: number): number => Math.round(share * 10_000) / 100;

/** Shares of CPU time from cycle to cycle. */
class CpuPercent {
  readonly #shares: Shares;
  #last: readonly (number | undefined)[] = [];

  constructor(ticksPerSecond: number) {
    this.#shares = new Shares(ticksPerSecond);
  }

  collect(stat: string, out: Recorder): void {
    const ticks = parseTicks(lineAfter("\n" + stat, "\ncpu ") ?? "");
    const shares = this.#shares.next(ticks);
    const last = this.#last;
    this.#last = ticks;
    if (shares === undefined) return;
    out.add(CPU_USAGE, percent(1 - (shares[IDLE] ?? 0) - (shares[IOWAIT] ?? 0)));
    const passed = sum(ticks) - sum(last);
    for (const [column, one] of MODES.entries()) {
      const guest = (ticks[column] ?? 0) - (last[column] ?? 0);
      const share = column < WHOLE ? shares[column] : passed > 0 ? guest / passed : undefined;
      if (share !== undefined && share >= 0) out.add(one, percent(share));
    }
  }
}

const sum = (ticks: readonly (number | undefined)[]): number =>
  ticks.slice(0, WHOLE).reduce((whole: number, value) => whole + (value ?? 0), 0);

const MEMORY_SERIES = {
  used: of(used),
  available: of(available),
  total: of(total),
  swapUsed: of(swapUsed),
  swapTotal: of(swapTotal),
};

function collectMemory(meminfo: string, out: Recorder): void {
  const bytes = (label: string): number | undefined => {
    const kib = /^ *(\d+) kB$/.exec(lineAfter("\n" + meminfo, `\n${label}:`) ?? "")?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  };
  const [all, free, swap, swapFree] = [
    bytes("MemTotal"),
    bytes("MemAvailable"),
    bytes("SwapTotal"),
    bytes("SwapFree"),
  ];
  const add = (one: Series, value: number | undefined) => {
    if (value !== undefined && value >= 0) out.add(one, value);
  };
  add(MEMORY_SERIES.total, all);
  add(MEMORY_SERIES.available, free);
  if (all !== undefined && free !== undefined) add(MEMORY_SERIES.used, all - free);
  add(MEMORY_SERIES.swapTotal, swap);
  if (swap !== undefined && swapFree !== undefined) add(MEMORY_SERIES.swapUsed, swap - swapFree);
}

/** Column of diskstats, factor, metric. */
const COLUMNS = [[5, 512, readBytes], [9, 512, writeBytes], [3, 1, reads], [7, 1, writes]] as const;
const TOTALS = COLUMNS.map(([, , descriptor]) => of(descriptor));

/** A sum that is unknown as soon as one of its parts is. */
function plus(
  sum: bigint | undefined,
  value: number | bigint | undefined,
  factor: number,
): bigint | undefined {
  return sum === undefined || value === undefined ? undefined : sum + BigInt(value) * BigInt(factor);
}

/** Whole disks, and their sum without those that stand on others. */
class DiskTotals {
  readonly #choice: DiskChoice;
  readonly #stacked: ReadonlySet<string>;
  readonly #known = new Map<string, readonly Series[]>();

  constructor(host: Host) {
    this.#choice = new DiskChoice(host);
    this.#choice.exclude(DISK_EXCLUDE);
    const names = host.list("/sys/block");
    this.#stacked = new Set(names.filter((name) => host.list(`/sys/block/${name}/slaves`).length > 0));
  }

  collect(diskstats: string, out: Recorder): void {
    const rows = wholeLines(diskstats).map(fields).filter((row) => row.length >= 14);
    const names = new Set(rows.map((row) => row[2]));
    const totals: (bigint | undefined)[] = COLUMNS.map(() => 0n);
    for (const row of rows) {
      const name = row[2] ?? "";
      if (!this.#choice.takes(name, Number(row[0]), (other) => names.has(other))) continue;
      for (const [at, [column, factor]] of COLUMNS.entries()) {
        const value = unsigned(row[column]);
        const one = this.#seriesOf(name)[at];
        if (value !== undefined && one !== undefined) out.add(one, times(value, factor));
        if (!this.#stacked.has(name)) totals[at] = plus(totals[at], value, factor);
      }
    }
    for (const [at, one] of TOTALS.entries()) {
      const total = totals[at];
      if (total !== undefined) out.add(one, total);
    }
  }

  #seriesOf(name: string): readonly Series[] {
    let all = this.#known.get(name);
    if (all === undefined) {
      this.#known.set(name, all = COLUMNS.map(([, , descriptor]) => of(descriptor, { device: name })));
    }
    return all;
  }
}

/** The Heka agent's metrics, when they are asked for. */
export function heka(options: HekaOptions = {}): Collector {
  const isAsked = options.compatHeka === true;
  return {
    name: "heka",
    ...(isAsked ? {} : { on: false }),
    descriptors: isAsked ? DESCRIPTORS : [],
    prepare(host) {
      if (!isAsked) return { files: [], collect: () => {} };
      const cpu = new CpuPercent(host.ticksPerSecond);
      const disks = new DiskTotals(host);
      return {
        files: ["/proc/stat", "/proc/meminfo", "/proc/diskstats"],
        collect([stat, meminfo, diskstats], out) {
          if (stat !== undefined) cpu.collect(stat, out);
          if (meminfo !== undefined) collectMemory(meminfo, out);
          if (diskstats !== undefined) disks.collect(diskstats, out);
        },
      };
    },
  };
}
