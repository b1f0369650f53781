/**
 * Single figures of /proc/sys/kernel that tell of trouble: tasks that hung, randomness that ran out.
 * @module
 */
import type { Collector } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { count, quote, wholeValue } from "./text.ts";

const HUNG = "/proc/sys/kernel/hung_task_detect_count";
const ENTROPY = "/proc/sys/kernel/random/entropy_avail";

const hungTasks: Descriptor = {
  name: "system.process.linux.hung_tasks",
  kind: "sum",
  monotonic: true,
  unit: "{task}",
  valueType: "int",
  description: "Tasks the kernel found hanging in uninterruptible sleep",
  source: `${HUNG} (Linux 6.14)`,
};
const entropy: Descriptor = {
  name: "system.random.linux.entropy.available",
  kind: "gauge",
  unit: "bit",
  valueType: "int",
  description: "Randomness the kernel has gathered; always 256 since Linux 5.18",
  source: ENTROPY,
};

const FIGURES: readonly (readonly [string, Series])[] = [
  [HUNG, series(hungTasks)],
  [ENTROPY, series(entropy)],
];

/** Hung tasks and entropy; opt-in. */
export const kernel: Collector = {
  name: "kernel",
  on: false,
  descriptors: [hungTasks, entropy],
  prepare: () => ({
    files: FIGURES.map(([path]) => path),
    collect(texts, out) {
      for (const [at, [path, one]] of FIGURES.entries()) {
        const text = texts[at];
        if (text === undefined) continue;
        const value = count(wholeValue(text));
        if (value !== undefined) out.add(one, value);
        else out.fault(`Cannot parse "${path}": ${quote(text)}, expected a number`);
      }
    },
  }),
};
