/**
 * Memory by state from /proc/meminfo. "Used" is what is not available (host-metrics P14), so the states overlap and
 * do not add up: reclaimable slab and page cache are counted as available too.
 *
 *     MemTotal:        8000000 kB
 * @module
 */
import { availableKiB, lowWatermarkKiB } from "./available_memory.ts";
import type { Collector, Prepared, Recorder } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { count, quote, wordAfter } from "./text.ts";

const MEMINFO = "/proc/meminfo";
const KIB = 1024;

/** A metric that is one field of meminfo, in kB. */
function field(name: string, label: string, about: { description: string; on?: false }): Descriptor {
  const source = `${MEMINFO}, ${label} * 1024`;
  return { name, kind: "sum", monotonic: false, unit: "By", valueType: "int", source, ...about };
}

const usage: Descriptor = {
  name: "system.memory.usage",
  kind: "sum",
  monotonic: false,
  unit: "By",
  valueType: "int",
  description: "Memory by state; used is what is not available, so the states overlap and do not add up",
  source: `${MEMINFO} * 1024: used MemTotal - MemAvailable, free MemFree, buffers Buffers, cached Cached ` +
    "(Collector naming: Cached + SReclaimable, and the two slab states)",
};
const utilization: Descriptor = {
  name: "system.memory.utilization",
  kind: "gauge",
  unit: "1",
  valueType: "double",
  description: "Share of memory by state; the states overlap like those of system.memory.usage",
  source: `${MEMINFO}: each state of system.memory.usage / MemTotal`,
  on: false,
};
const slab: Descriptor = {
  name: "system.memory.linux.slab.usage",
  kind: "sum",
  monotonic: false,
  unit: "By",
  valueType: "int",
  description: "Memory of the kernel's own objects, by whether it can be taken back",
  source: `${MEMINFO}, SReclaimable and SUnreclaim * 1024`,
};
const available: Descriptor = field("system.memory.linux.available", "MemAvailable", {
  description: "Memory that programs can get without swapping, as the kernel estimates it",
});
const pageSize: Descriptor = {
  name: "system.memory.page_size",
  kind: "gauge",
  unit: "By",
  valueType: "int",
  description: "Size of a memory page",
  source: "AT_PAGESZ of /proc/self/auxv",
  on: false,
};

/** Metrics that are one field each. */
const FIELDS: readonly (readonly [string, Series])[] = [
  [
    "MemTotal",
    series(field("system.memory.limit", "MemTotal", { description: "Memory there is", on: false })),
  ],
  [
    "Shmem",
    series(
      field("system.memory.linux.shared", "Shmem", { description: "Shared memory and tmpfs", on: false }),
    ),
  ],
  [
    "Dirty",
    series(
      field("system.memory.linux.dirty", "Dirty", { description: "Memory that waits to be written to disk" }),
    ),
  ],
  [
    "Writeback",
    series(field("system.memory.linux.writeback", "Writeback", {
      description: "Memory that is being written to disk",
      on: false,
    })),
  ],
  [
    "Committed_AS",
    series(field("system.memory.linux.committed", "Committed_AS", {
      description: "Memory that programs were promised",
      on: false,
    })),
  ],
  [
    "CommitLimit",
    series(field("system.memory.linux.commit_limit", "CommitLimit", {
      description: "Memory that may be promised when overcommit is strict",
      on: false,
    })),
  ],
];

/** One state in bytes and as a share. */
interface State {
  readonly usage: Series;
  readonly share: Series;
}

function state(name: string, only: Pick<Series, "namings" | "collectorAttributes"> = {}): State {
  const attributes = { "system.memory.state": name };
  return { usage: series(usage, attributes, only), share: series(utilization, attributes, only) };
}

/** States only the Collector has: its own names, no renaming needed. */
function collectorState(name: string): State {
  const attributes = { state: name };
  const only = { namings: ["collector"], collectorAttributes: attributes } as const;
  return { usage: series(usage, attributes, only), share: series(utilization, attributes, only) };
}

const USED = state("used");
const FREE = state("free");
const BUFFERS = state("buffers");
const CACHED = state("cached", { namings: ["semconv", "dup"] });
const CACHED_AND_SLAB = collectorState("cached");
const SLAB_RECLAIMABLE = collectorState("slab_reclaimable");
const SLAB_UNRECLAIMABLE = collectorState("slab_unreclaimable");
const slabOf = (name: string): Series =>
  series(slab, { "system.memory.linux.slab.state": name }, { namings: ["semconv", "dup"] });
const RECLAIMABLE = slabOf("reclaimable");
const UNRECLAIMABLE = slabOf("unreclaimable");
const AVAILABLE = series(available);
const PAGE_SIZE = series(pageSize);

/** The text of meminfo; its fields are found by name, since their set differs by kernel. */
class Meminfo {
  readonly #text: string;
  readonly #out: Recorder;
  /** Fields that were complained about: some are asked for twice. */
  readonly #bad = new Set<string>();

  constructor(text: string, out: Recorder) {
    this.#text = "\n" + text;
    this.#out = out;
  }

  /** kB of a field. Undefined when this kernel has no such field; a fault when it is no number. */
  kib(label: string): number | undefined {
    const word = wordAfter(this.#text, `\n${label}:`);
    const kib = count(word);
    if (word !== undefined && kib === undefined && !this.#bad.has(label)) {
      this.#bad.add(label);
      this.#out.fault(`Cannot parse "${MEMINFO}": ${label} is ${quote(word)}, expected kB`);
    }
    return kib;
  }
}

function addState(state: State, kib: number | undefined, turn: { out: Recorder; total: number }): void {
  if (kib === undefined) return;
  turn.out.add(state.usage, kib * KIB);
  if (turn.total > 0) turn.out.add(state.share, kib / turn.total);
}

/** Both or nothing: half a sum would be a wrong number. */
function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

function addStates(info: Meminfo, total: number, out: Recorder): void {
  const turn = { out, total };
  const reclaimable = info.kib("SReclaimable");
  const unreclaimable = info.kib("SUnreclaim");
  const cached = info.kib("Cached");
  addState(FREE, info.kib("MemFree"), turn);
  addState(BUFFERS, info.kib("Buffers"), turn);
  addState(CACHED, cached, turn);
  addState(CACHED_AND_SLAB, plus(cached, reclaimable), turn);
  addState(SLAB_RECLAIMABLE, reclaimable, turn);
  addState(SLAB_UNRECLAIMABLE, unreclaimable, turn);
  if (reclaimable !== undefined) out.add(RECLAIMABLE, reclaimable * KIB);
  if (unreclaimable !== undefined) out.add(UNRECLAIMABLE, unreclaimable * KIB);
}

function collectMeminfo(text: string, low: number | undefined, out: Recorder): void {
  const info = new Meminfo(text, out);
  const total = info.kib("MemTotal");
  if (total === undefined) {
    out.fault(`Cannot parse "${MEMINFO}": MemTotal is missing or no number`);
    return;
  }
  const found = availableKiB((label) => info.kib(label), { total, low });
  if (found.why !== undefined) out.omit("system.memory.linux.available", found.why);
  if (found.isKernels) out.add(AVAILABLE, found.kib * KIB);
  if (found.kib !== undefined) addState(USED, total - found.kib, { out, total });
  addStates(info, total, out);
  for (const [label, one] of FIELDS) {
    const kib = out.wants(one) ? info.kib(label) : undefined;
    if (kib !== undefined) out.add(one, kib * KIB);
  }
}

/** Memory by state, and what else meminfo says in bytes. */
export const memory: Collector = {
  name: "memory",
  descriptors: [usage, utilization, available, slab, pageSize, ...FIELDS.map(([, one]) => one.descriptor)],
  prepare(host): Prepared {
    const low = lowWatermarkKiB(host);
    return {
      files: [MEMINFO],
      collect([meminfo], out) {
        out.add(PAGE_SIZE, host.pageSize);
        if (meminfo !== undefined) collectMeminfo(meminfo, low, out);
      },
    };
  },
};
