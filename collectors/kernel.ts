/**
 * Single figures of /proc/sys/kernel that tell of trouble: tasks that hung, randomness that ran out, threads that
 * may run out.
 * @module
 */
import type { Collector, Recorder } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { count, quote, wholeValue } from "./text.ts";

const HUNG = "/proc/sys/kernel/hung_task_detect_count";
const THREADS_MAX = "/proc/sys/kernel/threads-max";
const PID_MAX = "/proc/sys/kernel/pid_max";
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

const limit: Descriptor = {
  name: "system.process.limit",
  kind: "sum",
  monotonic: false,
  unit: "{thread}",
  valueType: "int",
  description: "Threads the kernel allows",
  source: `the smaller of ${THREADS_MAX} and ${PID_MAX}`,
};

const FIGURES: readonly (readonly [string, Series])[] = [
  [HUNG, series(hungTasks)],
  [ENTROPY, series(entropy)],
];

const LIMIT = series(limit);

/** A figure of its own file; a fault when there is text and no number. */
function figureOf(path: string, text: string | undefined, out: Recorder): number | undefined {
  const value = count(wholeValue(text));
  if (text !== undefined && value === undefined) {
    out.fault(`Cannot parse "${path}": ${quote(text)}, expected a number`);
  }
  return value;
}

/** Hung tasks, entropy and the limit of threads; opt-in. */
export const kernel: Collector = {
  name: "kernel",
  on: false,
  descriptors: [hungTasks, entropy, limit],
  prepare: () => ({
    files: [THREADS_MAX, PID_MAX, ...FIGURES.map(([path]) => path)],
    collect([threadsMax, pidMax, ...texts], out) {
      const [threads, pids] = [figureOf(THREADS_MAX, threadsMax, out), figureOf(PID_MAX, pidMax, out)];
      if (threads !== undefined && pids !== undefined) out.add(LIMIT, Math.min(threads, pids));
      for (const [at, [path, one]] of FIGURES.entries()) {
        const value = figureOf(path, texts[at], out);
        if (value !== undefined) out.add(one, value);
      }
    },
  }),
};
