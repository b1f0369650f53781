/**
 * How fast each CPU runs now. Asking may wake idle CPUs, so it happens twice a minute and off the cycle's path;
 * what is reported in between is the last answer.
 *
 *     scaling_cur_freq: 1800000 (kHz)        /proc/cpuinfo: "cpu MHz : 2300.000" (x86 only)
 * @module
 */
import type { Collector, FileReader, Host, Prepared } from "./collector.ts";
import { cpuNumbers } from "./cpu_topology.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { count, decimal, wholeLines, wholeValue } from "./text.ts";

const FOLDER = "/sys/devices/system/cpu";
const CPUINFO = "/proc/cpuinfo";
const REFRESH_MS = 30_000;

const frequency: Descriptor = {
  name: "system.cpu.frequency",
  kind: "gauge",
  unit: "Hz",
  valueType: "int",
  description: "Clock frequency of each logical CPU, asked for every 30 s",
  source: `${FOLDER}/cpuN/cpufreq/scaling_cur_freq, kHz * 1000; else ${CPUINFO}, "cpu MHz" * 1e6`,
};

const speedLimit: Descriptor = {
  name: "hw.cpu.speed.limit",
  kind: "gauge",
  unit: "Hz",
  valueType: "int",
  description: "Highest clock frequency each logical CPU is made for",
  source: `${FOLDER}/cpuN/cpufreq/cpuinfo_max_freq, kHz * 1000, looked up at start`,
};

/** Hertz by CPU number. */
type Frequencies = Map<number, number>;

const pathOf = (number: number): string => `${FOLDER}/cpu${number}/cpufreq/scaling_cur_freq`;

async function readCpufreq(numbers: readonly number[], read: FileReader): Promise<Frequencies> {
  const found: Frequencies = new Map();
  for (const number of numbers) {
    // An offline CPU's file answers with an error: it has no frequency then.
    const text = await read(pathOf(number)).catch(() => undefined);
    const kilohertz = count(wholeValue(text));
    if (kilohertz !== undefined && kilohertz > 0) found.set(number, kilohertz * 1000);
  }
  return found;
}

/** The limits, which are the hardware's and do not change. */
function speedLimits(numbers: readonly number[], host: Host): { one: Series; hertz: number }[] {
  return numbers.flatMap((number) => {
    const kilohertz = count(wholeValue(host.read(`${FOLDER}/cpu${number}/cpufreq/cpuinfo_max_freq`)));
    if (kilohertz === undefined || kilohertz === 0) return [];
    const attributes = { "hw.id": `cpu${number}`, "hw.limit_type": "max" };
    return [{ one: series(speedLimit, attributes), hertz: kilohertz * 1000 }];
  });
}

/** Reads "processor : N" and "cpu MHz : F" pairs; other architectures have no such lines. */
function parseCpuinfo(text: string): Frequencies {
  const found: Frequencies = new Map();
  let number: number | undefined;
  for (const line of wholeLines(text)) {
    const value = line.slice(line.indexOf(":") + 1).trim();
    if (line.startsWith("processor")) number = count(value);
    const megahertz = line.startsWith("cpu MHz") ? decimal(value) : undefined;
    if (number !== undefined && megahertz !== undefined) found.set(number, Math.round(megahertz * 1e6));
  }
  return found;
}

/** CPU frequency; opt-in. */
export const cpuFrequency: Collector = {
  name: "cpu_frequency",
  on: false,
  descriptors: [frequency, speedLimit],
  prepare(host): Prepared {
    const numbers = cpuNumbers(host).filter((number) => host.exists(pathOf(number)));
    const limits = speedLimits(numbers, host);
    const known = new Map<number, Series>();
    const seriesOf = (number: number): Series => {
      const one = known.get(number) ?? series(frequency, { "cpu.logical_number": number });
      known.set(number, one);
      return one;
    };
    let latest: Frequencies = new Map();
    return {
      files: [],
      slowFiles: numbers.length > 0 ? numbers.map(pathOf) : [CPUINFO],
      refreshMs: REFRESH_MS,
      async refresh(read) {
        latest = numbers.length > 0
          ? await readCpufreq(numbers, read)
          : parseCpuinfo(await read(CPUINFO).catch(() => ""));
      },
      collect(_texts, out) {
        for (const [number, hertz] of latest) out.add(seriesOf(number), hertz);
        for (const { one, hertz } of limits) out.add(one, hertz);
      },
    };
  },
};
