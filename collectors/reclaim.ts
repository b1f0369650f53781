/**
 * Memory shortage as the kernel counts it in /proc/vmstat: processes killed, pages that came back soon after they
 * were taken away (refaults), and allocations that had to reclaim memory themselves.
 *
 *     oom_kill 2 / workingset_refault_anon 0 / workingset_refault_file 4051 / allocstall_normal 3
 * @module
 */
import type { Collector, Recorder } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { count, lineAfter, quote, wholeLines } from "./text.ts";

const VMSTAT = "/proc/vmstat";

const oomKills: Descriptor = {
  name: "system.memory.linux.oom_kills",
  kind: "sum",
  monotonic: true,
  fall: { rule: "ulong" },
  unit: "{kill}",
  valueType: "int",
  description: "Processes the kernel killed for want of memory, in any cgroup",
  source: `${VMSTAT}, oom_kill (Linux 4.13)`,
};
const refaults: Descriptor = {
  name: "system.memory.linux.refaults",
  kind: "sum",
  monotonic: true,
  fall: { rule: "ulong" },
  unit: "{page}",
  valueType: "int",
  description: "Pages read again soon after they were reclaimed, by kind of memory",
  source:
    `${VMSTAT}, workingset_refault_anon and workingset_refault_file (before Linux 5.9 workingset_refault, as file)`,
  on: false,
};
const directReclaim: Descriptor = {
  name: "system.memory.linux.direct_reclaim",
  kind: "sum",
  monotonic: true,
  fall: { rule: "ulong" },
  unit: "{stall}",
  valueType: "int",
  description: "Allocations that had to wait until they had reclaimed memory themselves",
  source: `${VMSTAT}, sum of allocstall_* (before Linux 4.10 allocstall)`,
  on: false,
};

const refaultOf = (type: string): Series => series(refaults, { "system.memory.linux.refault.type": type });
/** Labels of single counters; kernels have one or the other of the last two. */
const COUNTERS: readonly (readonly [string, Series])[] = [
  ["\noom_kill ", series(oomKills)],
  ["\nworkingset_refault_anon ", refaultOf("anon")],
  ["\nworkingset_refault_file ", refaultOf("file")],
  ["\nworkingset_refault ", refaultOf("file")],
];
const DIRECT_RECLAIM = series(directReclaim);
const STALL = "allocstall";

/** The sum over all zones. Their lines stand together: the block must be seen to end, or a part would pass for all. */
function stalls(text: string): number | undefined {
  const from = text.indexOf(`\n${STALL}`);
  if (from < 0) return undefined;
  let sum = 0;
  for (const line of wholeLines(text.slice(from + 1))) {
    if (!line.startsWith(STALL)) return sum;
    const value = count(line.slice(line.indexOf(" ") + 1));
    if (value === undefined) return undefined;
    sum += value;
  }
  return undefined;
}

function collectCounters(text: string, out: Recorder): void {
  for (const [label, one] of COUNTERS) {
    const word = out.wants(one) ? lineAfter(text, label) : undefined;
    if (word === undefined) continue;
    const value = count(word);
    if (value !== undefined) out.add(one, value);
    else out.fault(`Cannot parse "${VMSTAT}": ${label.trim()} is ${quote(word)}, expected a number`);
  }
}

/** Memory shortage. */
export const reclaim: Collector = {
  name: "reclaim",
  descriptors: [oomKills, refaults, directReclaim],
  prepare: () => ({
    files: [VMSTAT],
    collect([vmstat], out) {
      if (vmstat === undefined) return;
      const text = "\n" + vmstat;
      collectCounters(text, out);
      const waited = out.wants(DIRECT_RECLAIM) ? stalls(text) : undefined;
      if (waited !== undefined) out.add(DIRECT_RECLAIM, waited);
    },
  }),
};
