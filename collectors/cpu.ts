/**
 * CPU time by mode from /proc/stat, the share of each mode, and how many CPUs there are. Semantic conventions want
 * one sum over all CPUs and hard and soft interrupts as one mode; the Collector wants every CPU and both apart.
 * @module
 */
import type { Collector, Cycle, Prepared, Recorder } from "./collector.ts";
import { coreOf, readTopology } from "./cpu_topology.ts";
import {
  type CpuBlock,
  cpuBlock,
  cpuNumber,
  DIP_SECONDS,
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
import { type Attributes, type Descriptor, type Naming, type Series, series } from "./metric.ts";
import { slept } from "./suspend.ts";
import { lineAfter, quote } from "./text.ts";

const STAT = "/proc/stat";
const COLUMNS = "1 user, 2 nice, 3 system, 4 idle, 5 iowait, 6+7 interrupt (irq + softirq), 8 steal";

const time: Descriptor = {
  name: "system.cpu.time",
  kind: "sum",
  monotonic: true,
  fall: { rule: "dip", tolerance: DIP_SECONDS },
  unit: "s",
  valueType: "double",
  description: "Seconds all CPUs together spent in each mode; guest time is inside user and nice",
  source: `${STAT}, line "cpu", columns ${COLUMNS}, ticks / AT_CLKTCK`,
};
const utilization: Descriptor = {
  name: "system.cpu.utilization",
  kind: "gauge",
  unit: "1",
  valueType: "double",
  description: "Share of CPU time spent in each mode since the last cycle; the modes add up to 1",
  source: `${STAT}, line "cpu": ticks of a mode since the last cycle / ticks of the eight modes`,
  on: false,
};
const logicalCount: Descriptor = {
  name: "system.cpu.logical.count",
  kind: "sum",
  monotonic: false,
  unit: "{cpu}",
  valueType: "int",
  description: "Logical CPUs that are online",
  source: `${STAT}, number of lines "cpuN"`,
};
const physicalCount: Descriptor = {
  name: "system.cpu.physical.count",
  kind: "sum",
  monotonic: false,
  unit: "{cpu}",
  valueType: "int",
  description: "Cores that have an online CPU",
  source: "/sys/devices/system/cpu/cpuN/topology: distinct (physical_package_id, core_id) of online CPUs",
};
const guestTime: Descriptor = {
  name: "system.cpu.linux.guest.time",
  kind: "sum",
  monotonic: true,
  fall: { rule: "dip", tolerance: DIP_SECONDS },
  unit: "s",
  valueType: "double",
  description: "Seconds spent running guests; the same time is inside user and nice of system.cpu.time",
  source: `${STAT}, line "cpu", columns 9 guest (user) and 10 guest_nice (nice), ticks / AT_CLKTCK`,
  on: false,
};

/** What the operator decides; read again in every cycle. */
export interface CpuOptions {
  /** Times per CPU instead of their sum (the Collector's naming always has them). */
  readonly perCpu?: boolean;
}

/** One mode of one line: its series and the columns that add up to it. */
interface Mode {
  readonly columns: readonly number[];
  readonly time: Series;
  readonly share: Series;
}

/** Modes that are one column and have one name everywhere but for the table of renamings. */
const PLAIN: readonly (readonly [string, number])[] = [
  ["user", USER],
  ["nice", NICE],
  ["system", SYSTEM],
  ["idle", IDLE],
  ["iowait", IOWAIT],
  ["steal", STEAL],
];

/** The modes of one line; `joined` namings take interrupts as one mode, `apart` namings as two. */
function modes(attributes: Attributes, joined: readonly Naming[], apart: readonly Naming[]): Mode[] {
  const mode = (
    name: string,
    columns: readonly number[],
    only: Pick<Series, "namings" | "collectorAttributes">,
  ): Mode => {
    const all = { ...attributes, "cpu.mode": name };
    return { columns, time: series(time, all, only), share: series(utilization, all, only) };
  };
  const split = (state: string) => ({ namings: apart, collectorAttributes: { state } });
  const found = PLAIN.map(([name, column]) => mode(name, [column], { namings: [...joined, ...apart] }));
  if (joined.length > 0) found.push(mode("interrupt", [IRQ, SOFTIRQ], { namings: joined }));
  found.push(mode("interrupt", [IRQ], split("interrupt")), mode("interrupt", [SOFTIRQ], split("softirq")));
  return found;
}

/** One line's modes with the memory its shares need. */
interface Line {
  readonly modes: readonly Mode[];
  readonly shares: Shares;
}

/** The lines of /proc/stat of one host, from cycle to cycle. */
class CpuLines {
  readonly #ticksPerSecond: number;
  readonly #options: CpuOptions;
  readonly #total: Line;
  readonly #single = new Map<number, Line>();
  readonly #guest: readonly (readonly [number, Series])[] = [
    [GUEST, series(guestTime, { "cpu.mode": "user" })],
    [GUEST_NICE, series(guestTime, { "cpu.mode": "nice" })],
  ];
  #perCpu: boolean | undefined;
  /** One per-CPU series: whether it is wanted says whether the lines need to be parsed at all. */
  #probe: Mode | undefined;

  constructor(ticksPerSecond: number, options: CpuOptions) {
    this.#ticksPerSecond = ticksPerSecond;
    this.#options = options;
    this.#total = { modes: modes({}, ["semconv"], ["dup"]), shares: new Shares(ticksPerSecond) };
  }

  collect(stat: string, block: CpuBlock, out: Recorder): void {
    this.#follow(this.#options.perCpu ?? false);
    this.#collectTotal(stat, out);
    const probe = this.#probe;
    if (probe === undefined || !(out.wants(probe.time) || out.wants(probe.share))) return;
    const seen = new Set<number>();
    for (const text of block.lines) {
      const number = cpuNumber(text);
      if (number === undefined) {
        out.fault(`Cannot parse "${STAT}": no CPU number in ${quote(text)}`);
        continue;
      }
      seen.add(number);
      this.#add(this.#lineOf(number), parseTicks(text.slice(text.indexOf(" "))), out);
    }
    for (const number of this.#single.keys()) if (!seen.has(number)) this.#single.delete(number);
  }

  forget(): void {
    this.#total.shares.forget();
    for (const line of this.#single.values()) line.shares.forget();
  }

  #follow(perCpu: boolean): void {
    if (perCpu === this.#perCpu) return;
    this.#perCpu = perCpu;
    this.#single.clear();
    this.#probe = this.#modesOf(0)[0];
  }

  #modesOf(number: number): Mode[] {
    const attributes = { "cpu.logical_number": number };
    return this.#perCpu
      ? modes(attributes, ["semconv"], ["collector", "dup"])
      : modes(attributes, [], ["collector"]);
  }

  #lineOf(number: number): Line {
    let line = this.#single.get(number);
    if (line === undefined) {
      line = { modes: this.#modesOf(number), shares: new Shares(this.#ticksPerSecond) };
      this.#single.set(number, line);
    }
    return line;
  }

  #collectTotal(stat: string, out: Recorder): void {
    const text = lineAfter(stat, "\ncpu ");
    if (text === undefined) {
      out.fault(`Cannot parse "${STAT}": line "cpu" is missing`);
      return;
    }
    const ticks = parseTicks(text);
    if (ticks.length < 4 || ticks.includes(undefined)) {
      out.fault(`Cannot parse "${STAT}": cpu line is ${quote(text)}, expected at least 4 numbers`);
    }
    if (!this.#perCpu) this.#add(this.#total, ticks, out);
    for (const [column, guest] of this.#guest) {
      const value = ticks[column];
      if (value !== undefined) out.add(guest, value / this.#ticksPerSecond);
    }
  }

  #add(line: Line, ticks: Ticks, out: Recorder): void {
    const shares = out.wants(utilization) ? line.shares.next(ticks) : undefined;
    for (const mode of line.modes) {
      const sum = sumOf(mode.columns, ticks);
      if (sum !== undefined) out.add(mode.time, sum / this.#ticksPerSecond);
      const share = shares === undefined ? undefined : sumOf(mode.columns, shares);
      if (share !== undefined) out.add(mode.share, share);
    }
  }
}

/** The sum of columns; undefined when one of them is: half a mode would be a wrong number. */
function sumOf(columns: readonly number[], values: Ticks): number | undefined {
  let sum = 0;
  for (const column of columns) {
    const value = values[column];
    if (value === undefined) return undefined;
    sum += value;
  }
  return sum;
}

const LOGICAL: Series = series(logicalCount);
const PHYSICAL: Series = series(physicalCount);

/** CPU times and counts. */
export function cpu(options: CpuOptions = {}): Collector {
  return {
    name: "cpu",
    descriptors: [time, utilization, logicalCount, physicalCount, guestTime],
    prepare(host): Prepared {
      const lines = new CpuLines(host.ticksPerSecond, options);
      const cores = coreOf(readTopology(host));
      let last: Cycle | undefined;
      return {
        files: [STAT],
        collect([text], out) {
          if (text === undefined) return;
          const block = cpuBlock(text);
          if (slept(last, out.cycle)) lines.forget();
          last = out.cycle;
          lines.collect("\n" + text, block, out);
          if (!block.isComplete || block.lines.length === 0) {
            out.fault(`Cannot count CPUs in "${STAT}": the end of their lines is missing`);
            return;
          }
          out.add(LOGICAL, block.lines.length);
          const physical = cores(block.lines);
          if (physical !== undefined) out.add(PHYSICAL, physical);
        },
      };
    },
  };
}
