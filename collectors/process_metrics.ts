/**
 * The metrics of one process and their series. Its sums begin when it starts, and a new life under the same name is
 * another process: both follow from the start time in clock ticks since boot.
 * @module
 */
import { type Attributes, type Descriptor, type Series, series } from "./metric.ts";

const STAT = "/proc/self/stat";

type Words = readonly [name: string, unit: string, description: string, source: string];
const counter = ([name, unit, description, source]: Words, valueType: "int" | "double"): Descriptor => ({
  name,
  kind: "sum",
  monotonic: true,
  unit,
  valueType,
  description,
  source,
});
const level = ([name, unit, description, source]: Words): Descriptor => ({
  name,
  kind: "sum",
  monotonic: false,
  unit,
  valueType: "int",
  description,
  source,
});
const gauge = ([name, unit, description, source]: Words): Descriptor => ({
  name,
  kind: "gauge",
  unit,
  valueType: "double",
  description,
  source,
});

/** CPU time, by mode; of the agent itself, or of the busiest processes. */
export const cpuTime: Descriptor = counter(
  [
    "process.cpu.time",
    "s",
    "CPU time by mode",
    `${STAT} fields 14, 15 and 42, divided by the tick rate; with process.executable.name: the sums over its processes`,
  ],
  "double",
);
/** Resident memory; of the agent itself, or of the busiest processes. */
export const usage: Descriptor = level([
  "process.memory.usage",
  "By",
  "Physical memory in use",
  `${STAT} field 24 * page size`,
]);
const virtual = level(["process.memory.virtual", "By", "Virtual memory committed", `${STAT} field 23`]);
/** Bytes to and from storage; of the agent itself, or of the busiest processes. */
export const diskIo: Descriptor = counter(
  ["process.disk.io", "By", "Bytes moved to and from storage", "/proc/self/io read_bytes, write_bytes"],
  "int",
);
const uptime: Descriptor = {
  ...gauge(["process.uptime", "s", "Time since the process started", `/proc/uptime - ${STAT} field 22`]),
  on: false,
};
const utilization: Descriptor = {
  ...gauge([
    "process.cpu.utilization",
    "1",
    "CPU time by mode, as a share of all CPUs",
    `${STAT} fields 14, 15`,
  ]),
  on: false,
};
const faults: Descriptor = {
  ...counter(["process.paging.faults", "{fault}", "Page faults by type", `${STAT} fields 10, 12`], "int"),
  on: false,
};
const threads: Descriptor = {
  ...level(["process.thread.count", "{thread}", "Threads", `${STAT} field 20`]),
  on: false,
};
const diskOperations: Descriptor = {
  ...counter(
    ["process.disk.operations", "{operation}", "Read and write calls", "/proc/self/io syscr, syscw"],
    "int",
  ),
  on: false,
};
const signals: Descriptor = {
  ...level([
    "process.signals_pending",
    "{signal}",
    "Signals waiting",
    "/proc/self/status SigQ, first number",
  ]),
  on: false,
};
const switches: Descriptor = {
  ...counter(
    [
      "process.context_switches",
      "{context_switch}",
      "Context switches by type",
      "getrusage(2) ru_nvcsw, ru_nivcsw, all threads; of a recording: /proc/self/status *_ctxt_switches, the first one",
    ],
    "int",
  ),
  on: false,
};

const memoryShare: Descriptor = {
  ...gauge([
    "process.memory.utilization",
    "1",
    "Physical memory in use, as a share of the host's",
    `${STAT} field 24 * page size / /proc/meminfo MemTotal`,
  ]),
  on: false,
};
const descriptors: Descriptor = {
  ...level([
    "process.unix.file_descriptor.count",
    "{file_descriptor}",
    "Files open",
    "size of the folder /proc/self/fd, Linux 6.2 and later",
  ]),
  on: false,
};

/** Every metric of a process. */
export const PROCESS_DESCRIPTORS: readonly Descriptor[] = [
  cpuTime,
  usage,
  virtual,
  diskIo,
  uptime,
  utilization,
  faults,
  threads,
  diskOperations,
  signals,
  switches,
  memoryShare,
  descriptors,
];

/** A key of a file in "key: number" form and the series it fills. */
export type KeyedSeries = readonly [key: string, series: Series];

/** The series of one process. */
export interface ProcessSeries {
  readonly startTicks: number;
  readonly cpu: Readonly<Record<"user" | "system" | "wait", Series>>;
  readonly share: Readonly<Record<"user" | "system", Series>>;
  readonly usage: Series;
  readonly virtual: Series;
  readonly uptime: Series;
  readonly memoryShare: Series;
  readonly descriptors: Series;
  readonly threads: Series;
  readonly minor: Series;
  readonly major: Series;
  /** Of /proc/[pid]/io. */
  readonly io: readonly KeyedSeries[];
  /** Of /proc/[pid]/status. */
  readonly status: readonly KeyedSeries[];
  /** Of the same file, where the process as a whole cannot be asked. */
  readonly switches: readonly [voluntary: KeyedSeries, involuntary: KeyedSeries];
}

/** Makes the series of a process that started so many ticks after boot. */
export function processSeries(startTicks: number, ticksPerSecond: number): ProcessSeries {
  const life = { identity: String(startTicks), beganSeconds: startTicks / ticksPerSecond };
  const of = (descriptor: Descriptor, attributes: Attributes = {}): Series =>
    series(descriptor, attributes, life);
  const mode = (descriptor: Descriptor, value: string) => of(descriptor, { "cpu.mode": value });
  const way = (descriptor: Descriptor, value: string) => of(descriptor, { "disk.io.direction": value });
  const fault = (value: string) => of(faults, { "system.paging.fault.type": value });
  const switching = (value: string) => of(switches, { "process.context_switch.type": value });
  return {
    startTicks,
    cpu: { user: mode(cpuTime, "user"), system: mode(cpuTime, "system"), wait: mode(cpuTime, "wait") },
    share: { user: mode(utilization, "user"), system: mode(utilization, "system") },
    usage: of(usage),
    virtual: of(virtual),
    uptime: of(uptime),
    memoryShare: of(memoryShare),
    descriptors: of(descriptors),
    threads: of(threads),
    minor: fault("minor"),
    major: fault("major"),
    io: [
      ["read_bytes", way(diskIo, "read")],
      ["write_bytes", way(diskIo, "write")],
      ["syscr", way(diskOperations, "read")],
      ["syscw", way(diskOperations, "write")],
    ],
    status: [["SigQ", of(signals)]],
    switches: [
      ["voluntary_ctxt_switches", switching("voluntary")],
      ["nonvoluntary_ctxt_switches", switching("involuntary")],
    ],
  };
}
