/**
 * How every metric of the Collector's hostmetrics receiver compares with sonde's, on the same host at the same
 * moment: one row a metric, checked by collector_host_test.ts and printed in docs/collector-comparison.md.
 * @module
 */

/** How two values of one moment are compared; sonde looks once before the Collector and once after it. */
export type Agreement =
  /** A counter: the Collector's value lies between sonde's two, after it has been divided. */
  | { readonly as: "between"; readonly divisor?: number }
  | { readonly as: "equal" }
  /** A level that moves: within this share of the larger value, or this much; the Collector's divided first. */
  | { readonly as: "near"; readonly share: number; readonly slack?: number; readonly divisor?: number }
  /** Over each one's own interval, or of one instant: both are there and within 0 to `max`. */
  | { readonly as: "range"; readonly max: number };

/** One metric by the Collector's name. */
export interface Comparison {
  readonly collector: string;
  /** Name in semantic-conventions naming; absent: the same. */
  readonly semconv?: string;
  readonly agreement: Agreement;
  /** What differs and why; absent: nothing. */
  readonly difference?: string;
  /** Values of the Collector's `state` or `status` that sonde does not have, each for the reason given above. */
  readonly unmatched?: readonly string[];
}

const between: Agreement = { as: "between" };
const equal: Agreement = { as: "equal" };
const near = (share: number, slack = 0): Agreement => ({ as: "near", share, slack });

const PAGING =
  "The Collector multiplies /proc/vmstat by 4096 although the unit is a count; sonde does not, and its " +
  "minor operations are pages where the Collector's are KiB of all block I/O times 4096";

const CPU: readonly Comparison[] = [
  {
    collector: "system.cpu.time",
    agreement: between,
    difference:
      "semconv naming: one total of all CPUs, interrupt includes softirq; per CPU with SONDE_PER_CPU",
  },
  {
    collector: "system.cpu.utilization",
    agreement: { as: "range", max: 1 },
    difference: "each over its own interval; off by default in both",
  },
  { collector: "system.cpu.logical.count", agreement: equal },
  { collector: "system.cpu.physical.count", agreement: equal },
  {
    collector: "system.cpu.frequency",
    agreement: { as: "range", max: 1e10 },
    difference: "of the instant; asked for every 30 s, because asking wakes idle CPUs",
  },
  { collector: "system.cpu.load_average.1m", agreement: near(0.1, 0.2) },
  { collector: "system.cpu.load_average.5m", agreement: near(0.1, 0.2) },
  { collector: "system.cpu.load_average.15m", agreement: near(0.1, 0.2) },
];

const MEMORY: readonly Comparison[] = [
  {
    collector: "system.memory.usage",
    agreement: near(0.02, 64 * 2 ** 20),
    difference: "semconv naming: cached is Cached alone, slab is a metric of its own; states overlap in both",
  },
  {
    collector: "system.memory.utilization",
    agreement: near(0.02, 0.01),
    difference: "as system.memory.usage",
  },
  { collector: "system.memory.limit", agreement: equal },
  { collector: "system.memory.page_size", agreement: equal },
  {
    collector: "system.linux.memory.available",
    semconv: "system.memory.linux.available",
    agreement: near(0.02, 64 * 2 ** 20),
  },
  {
    collector: "system.linux.memory.dirty",
    semconv: "system.memory.linux.dirty",
    agreement: near(1),
    difference: "moves within milliseconds",
  },
  { collector: "system.memory.linux.shared", agreement: near(0.5, 2 ** 20) },
  { collector: "system.memory.linux.hugepages.limit", agreement: equal },
  { collector: "system.memory.linux.hugepages.reserved", agreement: equal },
  { collector: "system.memory.linux.hugepages.surplus", agreement: equal },
  { collector: "system.memory.linux.hugepages.page_size", agreement: equal },
  { collector: "system.memory.linux.hugepages.usage", agreement: equal },
];

const DEVICES: readonly Comparison[] = [
  {
    collector: "system.disk.io",
    agreement: between,
    difference: "sonde leaves out partitions, loop, ram, zram and never used devices",
  },
  { collector: "system.disk.operations", agreement: between },
  { collector: "system.disk.merged", agreement: between },
  {
    collector: "system.disk.operation_time",
    agreement: between,
    difference: "sonde unwraps the kernel's 32 bits",
  },
  { collector: "system.disk.io_time", agreement: between, difference: "sonde unwraps the kernel's 32 bits" },
  {
    collector: "system.disk.weighted_io_time",
    agreement: between,
    difference: "sonde unwraps the kernel's 32 bits",
  },
  {
    collector: "system.disk.pending_operations",
    agreement: { as: "range", max: 1e6 },
    difference: "of the instant",
  },
  { collector: "system.filesystem.usage", agreement: near(0.01, 256 * 2 ** 20) },
  { collector: "system.filesystem.inodes.usage", agreement: near(0.01, 50_000) },
  {
    collector: "system.filesystem.utilization",
    agreement: near(0.02, 0.01),
    difference: "semconv naming: a point per state, of the whole; the Collector: used / (used + free), as df",
  },
  {
    collector: "system.network.io",
    agreement: between,
    difference: "sonde leaves out `lo`, `veth*`, `br-*`, `ifb*` and the like by default",
  },
  { collector: "system.network.packets", semconv: "system.network.packet.count", agreement: between },
  { collector: "system.network.errors", agreement: between },
  { collector: "system.network.dropped", semconv: "system.network.packet.dropped", agreement: between },
];

const REST: readonly Comparison[] = [
  {
    collector: "system.network.connections",
    semconv: "system.network.connection.count",
    agreement: near(0.5, 200),
    difference:
      "the Collector fills FIN_WAIT_1, FIN_WAIT_2 and DELETE with zeros and counts connections in these " +
      "states under FIN_WAIT1 and FIN_WAIT2, as sonde does; off by default in sonde",
    unmatched: ["FIN_WAIT_1", "FIN_WAIT_2", "DELETE"],
  },
  { collector: "system.network.conntrack.count", agreement: near(0.5, 200) },
  { collector: "system.network.conntrack.max", agreement: equal },
  { collector: "system.paging.faults", agreement: { as: "between", divisor: 4096 }, difference: PAGING },
  { collector: "system.paging.operations", agreement: { as: "between", divisor: 4096 }, difference: PAGING },
  { collector: "system.paging.usage", agreement: near(0.02, 2 ** 20) },
  { collector: "system.paging.utilization", agreement: near(0.02, 0.01) },
  { collector: "system.processes.created", semconv: "system.process.created", agreement: between },
  {
    collector: "system.processes.count",
    semconv: "system.process.count",
    agreement: near(0.5, 60),
    difference:
      "the Collector's running and blocked are threads; sonde's states need the collector process_table, " +
      "without it the conventions' count has no state",
  },
  {
    collector: "system.uptime",
    agreement: near(0, 1.5),
    difference: "the Collector has whole seconds, sonde the kernel's hundredths",
  },
];

/** Of one process, which the Collector finds by its pid and sonde is itself. */
const PROCESS: readonly Comparison[] = [
  { collector: "process.cpu.time", agreement: between },
  {
    collector: "process.cpu.utilization",
    agreement: { as: "range", max: 1 },
    difference: "each over its own interval; sonde has no share of waiting; off by default in both",
    unmatched: ["wait"],
  },
  { collector: "process.memory.usage", agreement: near(0.25, 32 * 2 ** 20) },
  { collector: "process.memory.virtual", agreement: near(0.1, 512 * 2 ** 20) },
  {
    collector: "process.memory.utilization",
    agreement: { as: "near", share: 0.25, slack: 0.002, divisor: 100 },
    difference: "the Collector's is a percentage although the unit is 1; sonde's is a share of 1",
  },
  {
    collector: "process.disk.io",
    agreement: { as: "range", max: 1e15 },
    difference:
      "the Collector counts the bytes of all read and write calls, pipes, sockets and the page cache " +
      "included (rchar, wchar); sonde what went to and came from storage (read_bytes, write_bytes)",
  },
  { collector: "process.disk.operations", agreement: between },
  { collector: "process.paging.faults", agreement: between },
  {
    collector: "process.context_switches",
    agreement: { as: "range", max: 1e15 },
    difference:
      "sonde has those of all threads, ended ones included (getrusage); the Collector adds up the living",
  },
  { collector: "process.threads", semconv: "process.thread.count", agreement: near(0.5, 8) },
  {
    collector: "process.open_file_descriptors",
    semconv: "process.unix.file_descriptor.count",
    agreement: near(0.2, 16),
    difference: "sonde needs Linux 6.2 for it: it looks at one open folder instead of listing it",
  },
  { collector: "process.signals_pending", agreement: near(0, 16) },
  { collector: "process.uptime", agreement: near(0, 1.5) },
];

/** Every metric of the scrapers for the system and of the one for processes, default and optional. */
export const COMPARISONS: readonly Comparison[] = [...CPU, ...MEMORY, ...DEVICES, ...REST, ...PROCESS];

/** What cannot be compared value by value, for the docs. */
export const GENERAL: readonly string[] = [
  "Start times: the Collector's are btime, in whole seconds, and stand on gauges as well; sonde's are the boot " +
  "instant as first seen with a believable clock, on sums only.",
  "Times: the Collector reads the clock once a scraper, sonde once a cycle.",
  "Shape: the Collector sends one resource a scraper without attributes, sonde one resource with host.* and os.*.",
  "Ended series: sonde ends them with the no-recorded-value flag, the Collector just stops.",
  "process.*: the Collector has a resource for every process; sonde has its own process and, asked for, the first N by " +
  "CPU, memory and I/O. Compared is one process that both look at.",
  "Resets: the Collector passes on what the kernel shows; sonde tells resets, dips of idle and iowait and 32-bit " +
  "wraps apart, and a replaced device from the one before it.",
];
