/**
 * Load averages and the number of threads of the host from one line. No convention names load averages, so the
 * Collector's names hold in every naming (host-metrics 1.2).
 *
 *     0.20 0.18 0.12 1/118 11240      1, 5, 15 minutes, runnable/all threads, last pid
 * @module
 */
import type { Collector } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { count, decimal, quote, wordAfter } from "./text.ts";

const LOADAVG = "/proc/loadavg";

function loadAverageOf(minutes: number): Descriptor {
  return {
    name: `system.cpu.load_average.${minutes}m`,
    kind: "gauge",
    unit: "{thread}",
    valueType: "double",
    description: `Threads that ran or waited for CPU or disk, averaged over ${minutes} min`,
    source: `${LOADAVG}, field ${[1, 5, 15].indexOf(minutes) + 1}`,
  };
}
const threads: Descriptor = {
  name: "system.process.linux.thread.count",
  kind: "sum",
  monotonic: false,
  unit: "{thread}",
  valueType: "int",
  description: "Threads of all processes, the kernel's own included",
  source: `${LOADAVG}, field 4 behind the "/"`,
};

const descriptors = [1, 5, 15].map(loadAverageOf);
const averages: readonly Series[] = descriptors.map((descriptor) => series(descriptor));
const threadCount: Series = series(threads);

/** Load averages and threads. */
export const loadAverage: Collector = {
  name: "load_average",
  descriptors: [...descriptors, threads],
  prepare: () => ({
    files: [LOADAVG],
    collect([text], out) {
      if (text === undefined) return;
      const words = text.split(" ");
      for (const [at, average] of averages.entries()) {
        // A word that ends the text may be cut off: it needs something behind it to be trusted.
        const value = words.length > at + 1 ? decimal(words[at]) : undefined;
        if (value === undefined) out.fault(`Cannot parse "${LOADAVG}": field ${at + 1} of ${quote(text)}`);
        else out.add(average, value);
      }
      const all = count(wordAfter(text, "/"));
      if (all === undefined) out.fault(`Cannot parse "${LOADAVG}": threads in ${quote(text)}`);
      else out.add(threadCount, all);
    },
  }),
};
