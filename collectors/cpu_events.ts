/**
 * What interrupts the CPUs: context switches, interrupts and softirqs from /proc/stat. The `intr` line has one number
 * per interrupt source, thousands on large hosts; only its first word, the sum, is ever looked at (host-metrics P23).
 *
 *     intr 213069 0 0 … / ctxt 428329 / softirq 166145 0 12859 4 2413 102822 0 5 27060 0 20982
 * @module
 */
import type { Collector, Recorder } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { count, fields, lineAfter, quote, unsigned, wordAfter } from "./text.ts";

const STAT = "/proc/stat";

const contextSwitches: Descriptor = {
  name: "system.cpu.linux.context_switches",
  kind: "sum",
  monotonic: true,
  unit: "{context_switch}",
  valueType: "int",
  description: "Context switches of all CPUs",
  source: `${STAT}, line "ctxt"`,
};
const interrupts: Descriptor = {
  name: "system.cpu.linux.interrupts",
  kind: "sum",
  monotonic: true,
  unit: "{interrupt}",
  valueType: "int",
  description: "Interrupts served by all CPUs",
  source: `${STAT}, line "intr", first number`,
};
const softirqs: Descriptor = {
  name: "system.cpu.linux.softirqs",
  kind: "sum",
  monotonic: true,
  // The kernel sums them up in 32 bits, also on 64-bit machines.
  fall: { rule: "u32", scale: 1 },
  unit: "{interrupt}",
  valueType: "int",
  description: "Softirqs served by all CPUs, by vector",
  source: `${STAT}, line "softirq", numbers 2 to 11`,
  on: false,
};

/** Softirq vectors in the order of the line, behind its sum. */
const VECTORS: readonly Series[] = [
  "hi",
  "timer",
  "net_tx",
  "net_rx",
  "block",
  "irq_poll",
  "tasklet",
  "sched",
  "hrtimer",
  "rcu",
].map((vector) => series(softirqs, { "system.cpu.linux.softirq.vector": vector }));

const LINES: readonly (readonly [string, Series])[] = [
  ["\nctxt ", series(contextSwitches)],
  ["\nintr ", series(interrupts)],
];

function collectSoftirqs(text: string, out: Recorder): void {
  const line = lineAfter(text, "\nsoftirq ");
  // Absent before Linux 2.6.31 and in some containers.
  if (line === undefined) return;
  const [, ...numbers] = fields(line);
  const values = VECTORS.map((_, at) => count(numbers[at]));
  if (values.includes(undefined)) {
    out.fault(`Cannot parse "${STAT}": softirq line is ${quote(line)}, expected 11 numbers`);
  }
  for (const [at, vector] of VECTORS.entries()) {
    const value = values[at];
    if (value !== undefined) out.add(vector, value);
  }
}

/** Context switches, interrupts, softirqs. */
export const cpuEvents: Collector = {
  name: "cpu_events",
  descriptors: [contextSwitches, interrupts, softirqs],
  prepare: () => ({
    files: [STAT],
    collect([stat], out) {
      if (stat === undefined) return;
      const text = "\n" + stat;
      for (const [label, one] of LINES) {
        const word = wordAfter(text, label);
        const value = unsigned(word);
        if (value !== undefined) out.add(one, value);
        else out.fault(`Cannot parse "${STAT}": ${label.trim()} is ${quote(word ?? "")}, expected a number`);
      }
      if (out.wants(softirqs)) collectSoftirqs(text, out);
    },
  }),
};
