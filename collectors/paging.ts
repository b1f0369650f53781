/**
 * Swap space per device from /proc/swaps; page faults and page traffic from /proc/vmstat. The kernel's pgpgin and
 * pgpgout count KiB of block I/O, not pages and not paging; they are turned into pages here, so that both kinds
 * of operation have one unit.
 *
 *     Filename            Type        Size     Used    Priority
 *     /dev/dm-1           partition   2097148  524288  -2
 * @module
 */
import type { Collector, Prepared, Recorder } from "./collector.ts";
import { type Descriptor, type FallRule, type Series, series } from "./metric.ts";
import { unescapeOctal } from "./mountinfo.ts";
import { count, fields, lineAfter, quote, wholeLines } from "./text.ts";

const SWAPS = "/proc/swaps";
const VMSTAT = "/proc/vmstat";
const KIB = 1024;

const usage: Descriptor = {
  name: "system.paging.usage",
  kind: "sum",
  monotonic: false,
  unit: "By",
  valueType: "int",
  description: "Swap space per device by state",
  source: `${SWAPS}: used Used * 1024, free (Size - Used) * 1024`,
};
const utilization: Descriptor = {
  name: "system.paging.utilization",
  kind: "gauge",
  unit: "1",
  valueType: "double",
  description: "Share of a device's swap space by state",
  source: `${SWAPS}: Used / Size, (Size - Used) / Size; none when Size is 0`,
  on: false,
};
const operations: Descriptor = {
  name: "system.paging.operations",
  kind: "sum",
  monotonic: true,
  // Sectors are the raw unit of pgpgin and pgpgout, eight to a page; 32-bit kernels have pages of 4 KiB.
  fall: { rule: "ulong", scale: 1 / 8 },
  unit: "{operation}",
  valueType: "int",
  description: "Pages moved: major from and to swap, minor all block I/O of the page cache, in pages",
  source:
    `${VMSTAT}: major pswpin (in) and pswpout (out), minor pgpgin and pgpgout in KiB / (AT_PAGESZ / 1024)`,
};
const faults: Descriptor = {
  name: "system.paging.faults",
  kind: "sum",
  monotonic: true,
  fall: { rule: "ulong" } satisfies FallRule,
  unit: "{fault}",
  valueType: "int",
  description: "Page faults: major ones waited for disk, minor ones did not",
  source: `${VMSTAT}: major pgmajfault, minor pgfault - pgmajfault`,
};

function operationOf(direction: "in" | "out", type: "major" | "minor"): Series {
  return series(operations, { "system.paging.direction": direction, "system.paging.fault.type": type });
}
const MAJOR_FAULTS = series(faults, { "system.paging.fault.type": "major" });
const MINOR_FAULTS = series(faults, { "system.paging.fault.type": "minor" });
/** Series and labels; `isKiB` where the kernel counts KiB. */
const OPERATIONS = [
  { one: operationOf("in", "major"), label: "\npswpin ", isKiB: false },
  { one: operationOf("out", "major"), label: "\npswpout ", isKiB: false },
  { one: operationOf("in", "minor"), label: "\npgpgin ", isKiB: true },
  { one: operationOf("out", "minor"), label: "\npgpgout ", isKiB: true },
];

/** A counter of vmstat. Undefined when this kernel has none; a fault when it is no number. */
function vmstatCount(text: string, label: string, out: Recorder): number | undefined {
  const word = lineAfter(text, label);
  const value = count(word);
  if (word !== undefined && value === undefined) {
    out.fault(`Cannot parse "${VMSTAT}": ${label.trim()} is ${quote(word)}, expected a number`);
  }
  return value;
}

function collectVmstat(text: string, kibPerPage: number, out: Recorder): void {
  for (const { one, label, isKiB } of OPERATIONS) {
    const value = vmstatCount(text, label, out);
    if (value !== undefined) out.add(one, isKiB ? Math.floor(value / kibPerPage) : value);
  }
  const all = vmstatCount(text, "\npgfault ", out);
  const major = vmstatCount(text, "\npgmajfault ", out);
  if (major !== undefined) out.add(MAJOR_FAULTS, major);
  if (major !== undefined && all !== undefined && all >= major) out.add(MINOR_FAULTS, all - major);
}

/** The four series of one swap device. */
interface Swap {
  readonly used: Series;
  readonly free: Series;
  readonly usedShare: Series;
  readonly freeShare: Series;
}

function swapOf(device: string): Swap {
  const used = { "system.device": device, "system.paging.state": "used" };
  const free = { "system.device": device, "system.paging.state": "free" };
  return {
    used: series(usage, used),
    free: series(usage, free),
    usedShare: series(utilization, used),
    freeShare: series(utilization, free),
  };
}

function addSwap(swap: Swap, [size, used]: readonly [number, number], out: Recorder): void {
  out.add(swap.used, used * KIB);
  out.add(swap.free, (size - used) * KIB);
  if (size === 0) return;
  out.add(swap.usedShare, used / size);
  out.add(swap.freeShare, (size - used) / size);
}

/** Swap devices reported at most; more are counted as a fault. */
const SWAPS_MAX = 64;

function collectSwaps(text: string, known: Map<string, Swap>, out: Recorder): void {
  const lines = wholeLines(text).slice(1);
  if (lines.length > SWAPS_MAX) {
    out.fault(`Cannot report ${lines.length} swap devices: limit is ${SWAPS_MAX}`);
  }
  const seen = new Set<string>();
  for (const line of lines.slice(0, SWAPS_MAX)) {
    const [name, , size, used] = fields(line);
    const figures = [count(size), count(used)] as const;
    const [all, taken] = figures;
    if (name === undefined || all === undefined || taken === undefined || taken > all) {
      out.fault(`Cannot parse "${SWAPS}": ${quote(line)}, expected name, type, size, used`);
      continue;
    }
    seen.add(name);
    const swap = known.get(name) ?? swapOf(unescapeOctal(name));
    known.set(name, swap);
    addSwap(swap, [all, taken], out);
  }
  for (const name of known.keys()) if (!seen.has(name)) known.delete(name);
}

/** Swap space and paging. */
export const paging: Collector = {
  name: "paging",
  descriptors: [usage, utilization, operations, faults],
  prepare(host): Prepared {
    const kibPerPage = host.pageSize / KIB;
    const swaps = new Map<string, Swap>();
    return {
      files: [SWAPS, VMSTAT],
      collect([swapText, vmstat], out) {
        if (swapText !== undefined) collectSwaps(swapText, swaps, out);
        if (vmstat !== undefined) collectVmstat("\n" + vmstat, kibPerPage, out);
      },
    };
  },
};
