/**
 * The agent's own process: what sonde itself costs this host. Kernel: Documentation/filesystems/proc.rst 1.1.
 *
 *     /proc/self/io: "read_bytes: 4096"      /proc/self/status: "voluntary_ctxt_switches:	17"
 * @module
 */
import type { Collector, Cycle, Host, Prepared, Recorder } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { parseProcessStat, type ProcessStat } from "./process_stat.ts";
import { fields, times, unsigned, wholeLines } from "./text.ts";

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

const cpuTime = counter(
  ["process.cpu.time", "s", "CPU time by mode", `${STAT} fields 14, 15 and 42, divided by the tick rate`],
  "double",
);
const usage = level(["process.memory.usage", "By", "Physical memory in use", `${STAT} field 24 * page size`]);
const virtual = level(["process.memory.virtual", "By", "Virtual memory committed", `${STAT} field 23`]);
const diskIo = counter(
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
      "/proc/self/status *_ctxt_switches",
    ],
    "int",
  ),
  on: false,
};

const withMode = (descriptor: Descriptor, mode: string): Series => series(descriptor, { "cpu.mode": mode });
const withDirection = (descriptor: Descriptor, way: string): Series =>
  series(descriptor, { "disk.io.direction": way });

const cpuSeries = {
  user: withMode(cpuTime, "user"),
  system: withMode(cpuTime, "system"),
  wait: withMode(cpuTime, "wait"),
};
const shareSeries = { user: withMode(utilization, "user"), system: withMode(utilization, "system") };
const statSeries = {
  usage: series(usage),
  virtual: series(virtual),
  uptime: series(uptime),
  threads: series(threads),
  minor: series(faults, { "system.paging.fault.type": "minor" }),
  major: series(faults, { "system.paging.fault.type": "major" }),
};
const ioRows: readonly (readonly [key: string, series: Series])[] = [
  ["read_bytes", withDirection(diskIo, "read")],
  ["write_bytes", withDirection(diskIo, "write")],
  ["syscr", withDirection(diskOperations, "read")],
  ["syscw", withDirection(diskOperations, "write")],
];
const statusRows: readonly (readonly [key: string, series: Series])[] = [
  ["SigQ", series(signals)],
  ["voluntary_ctxt_switches", series(switches, { "process.context_switch.type": "voluntary" })],
  ["nonvoluntary_ctxt_switches", series(switches, { "process.context_switch.type": "involuntary" })],
];

function addStat(stat: ProcessStat, host: Host, out: Recorder): void {
  const seconds = (ticks: number): number => ticks / host.ticksPerSecond;
  out.add(cpuSeries.user, seconds(stat.userTicks));
  out.add(cpuSeries.system, seconds(stat.systemTicks));
  if (stat.waitTicks !== undefined) out.add(cpuSeries.wait, seconds(stat.waitTicks));
  out.add(statSeries.usage, times(stat.residentPages, host.pageSize));
  out.add(statSeries.virtual, stat.virtualBytes);
  out.add(statSeries.threads, stat.threads);
  out.add(statSeries.minor, stat.minorFaults);
  out.add(statSeries.major, stat.majorFaults);
  const now = out.cycle.uptime;
  const age = now === undefined ? -1 : now - seconds(stat.startTicks);
  if (age >= 0) out.add(statSeries.uptime, age);
}

/** Adds the figures of "key: number" lines. */
function addKeyed(
  text: string | undefined,
  rows: readonly (readonly [string, Series])[],
  out: Recorder,
): void {
  if (text === undefined || !rows.some(([, target]) => out.wants(target))) return;
  const values = new Map(
    wholeLines(text).map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1)];
    }),
  );
  for (const [key, target] of rows) {
    // "SigQ: 0/96365" has its limit behind a slash.
    const value = unsigned(fields(values.get(key)?.split("/")[0] ?? "")[0]);
    if (value !== undefined) out.add(target, value);
  }
}

interface Before {
  readonly stat: ProcessStat;
  readonly uptime: number;
}

/** Shares of all CPUs since the cycle before; none for another process or without time between. */
function addShares(before: Before | undefined, now: Before, { cpus, host, out }: {
  readonly cpus: number;
  readonly host: Host;
  readonly out: Recorder;
}): void {
  const elapsed = now.uptime - (before?.uptime ?? now.uptime);
  if (before === undefined || elapsed <= 0 || cpus === 0) return;
  if (before.stat.startTicks !== now.stat.startTicks) return;
  const share = (ticks: number): number => ticks / host.ticksPerSecond / elapsed / cpus;
  const [user, system] = [
    now.stat.userTicks - before.stat.userTicks,
    now.stat.systemTicks - before.stat.systemTicks,
  ];
  if (user < 0 || system < 0) return;
  out.add(shareSeries.user, share(user));
  out.add(shareSeries.system, share(system));
}

const cpuLines = (text: string | undefined): number => text?.match(/^cpu\d+ /gm)?.length ?? 0;
const moment = (stat: ProcessStat, { uptime }: Cycle): Before | undefined =>
  uptime === undefined ? undefined : { stat, uptime };

/** The agent's own process. */
export const ownProcess: Collector = {
  name: "process",
  descriptors: [
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
  ],
  prepare(host): Prepared {
    const cpus = cpuLines(host.read("/proc/stat"));
    let before: Before | undefined;
    return {
      files: [STAT, "/proc/self/io", "/proc/self/status"],
      collect([text, io, status], out) {
        addKeyed(io, ioRows, out);
        addKeyed(status, statusRows, out);
        if (text === undefined) return;
        const stat = parseProcessStat(text);
        addStat(stat, host, out);
        const now = moment(stat, out.cycle);
        if (now !== undefined) addShares(before, now, { cpus, host, out });
        before = now;
      },
    };
  },
};
