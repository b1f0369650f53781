/**
 * The kernel's receive queues: packets handled, dropped because a queue was full, and turns that ended before the
 * queue was empty. One line per online CPU, 32-bit words. Kernel: net/core/net-procfs.c softnet_seq_show.
 *
 *     000019b9 00000002 00000000 … 00000001
 *     processed dropped time_squeezed … (13th: CPU, since Linux 5.10)
 * @module
 */
import type { Collector, Prepared } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { cpuCount, CpuSum, hexWord, netFolder } from "./net_text.ts";
import { fields, quote, wholeLines } from "./text.ts";

type Words = readonly [name: string, unit: string, description: string, column: number];

const counter = ([name, unit, description, column]: Words): Descriptor => ({
  name: `system.network.linux.softnet.${name}`,
  kind: "sum",
  monotonic: true,
  unit,
  valueType: "int",
  description,
  source: `/proc/net/softnet_stat: hexadecimal column ${column}, summed over CPUs`,
  fall: { rule: "u32", scale: 1 },
});

const COLUMNS: readonly Descriptor[] = [
  counter(["processed", "{packet}", "Packets taken from the receive queues", 1]),
  counter(["dropped", "{packet}", "Packets dropped because a receive queue was full", 2]),
  counter(["time_squeezed", "{event}", "Turns that ended with packets left in the queue", 3]),
];
const CPU_COLUMN = 12;

/** Readings by CPU for each column. One bad line makes every sum wrong, hence throws `SyntaxError`. */
function parse(text: string): Map<number, number>[] {
  const readings = COLUMNS.map(() => new Map<number, number>());
  for (const [row, line] of wholeLines(text).entries()) {
    const words = fields(line);
    const cpu = words.length > CPU_COLUMN ? hexWord(words[CPU_COLUMN]) : row;
    for (const [at, values] of readings.entries()) {
      const value = hexWord(words[at]);
      if (cpu === undefined || value === undefined) {
        throw new SyntaxError(`Cannot parse softnet line ${quote(line)}: expected hexadecimal words`);
      }
      values.set(cpu, value);
    }
  }
  return readings;
}

/** Receive queue counters of the host, summed over CPUs. */
export const softnet: Collector = {
  name: "softnet",
  descriptors: COLUMNS,
  prepare(host): Prepared {
    const sums: { series: Series; sum: CpuSum }[] = COLUMNS.map((descriptor) => ({
      series: series(descriptor),
      sum: new CpuSum(),
    }));
    return {
      files: [`${netFolder(host)}/softnet_stat`, "/sys/devices/system/cpu/online"],
      collect([text, online], out) {
        if (text === undefined) return;
        const readings = parse(text);
        // A cut text lacks CPUs: their sum would be too small, and nothing else would show it.
        const expected = cpuCount(online) ?? readings[0]?.size ?? 0;
        if ((readings[0]?.size ?? 0) < expected || !text.endsWith("\n")) {
          throw new SyntaxError(
            `Cannot parse softnet: ${readings[0]?.size} lines, expected one for each of ${expected} CPUs`,
          );
        }
        for (const [at, { series, sum }] of sums.entries()) {
          const values = readings[at];
          if (values !== undefined && values.size > 0) out.add(series, sum.add(values));
        }
      },
    };
  },
};
