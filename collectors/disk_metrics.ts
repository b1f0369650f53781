/**
 * What disks are measured by, column by column of /proc/diskstats: descriptors, and the series of one disk.
 * Sectors are 512 bytes whatever the disk says; milliseconds are 32-bit numbers on every kernel (host-metrics P16).
 * @module
 */
import { type Descriptor, type FallRule, type Series, series } from "./metric.ts";

const DISKSTATS = "/proc/diskstats";
/** Bytes of a sector in diskstats, always. */
export const SECTOR = 512;
export const MS_PER_SECOND = 1000;

const MILLISECONDS: FallRule = { rule: "u32", scale: 1 / MS_PER_SECOND };
const WORDS: FallRule = { rule: "ulong" };
const SECTORS: FallRule = { rule: "ulong", scale: SECTOR };

/** Unit, rule and type that go together. */
const FORMS = {
  operations: { unit: "{operation}", valueType: "int", fall: WORDS },
  bytes: { unit: "By", valueType: "int", fall: SECTORS },
  seconds: { unit: "s", valueType: "double", fall: MILLISECONDS },
} as const;

function counter(
  name: string,
  form: keyof typeof FORMS,
  about: { description: string; columns: string; on?: false },
): Descriptor {
  const { columns, ...rest } = about;
  return { name, kind: "sum", monotonic: true, ...FORMS[form], source: `${DISKSTATS}, ${columns}`, ...rest };
}

const io = counter("system.disk.io", "bytes", {
  description: "Bytes read from and written to the disk",
  columns: "columns 6 read, 10 write, * 512",
});
const operations = counter("system.disk.operations", "operations", {
  description: "Reads and writes the disk completed",
  columns: "columns 4 read, 8 write",
});
const merged = counter("system.disk.merged", "operations", {
  description: "Reads and writes merged with a neighbour before they reached the disk",
  columns: "columns 5 read, 9 write",
});
const operationTime = counter("system.disk.operation_time", "seconds", {
  description: "Time of all reads and writes together; those that ran side by side add up",
  columns: "columns 7 read, 11 write, ms / 1000",
});
const ioTime = counter("system.disk.io_time", "seconds", {
  description: "Time in which the disk had something to do",
  columns: "column 13, ms / 1000",
});
const weightedIoTime = counter("system.disk.weighted_io_time", "seconds", {
  description: "Time the disk had something to do, times how much it had to do",
  columns: "column 14, ms / 1000",
});
const pendingOperations: Descriptor = {
  name: "system.disk.pending_operations",
  kind: "sum",
  monotonic: false,
  unit: "{operation}",
  valueType: "int",
  description: "Operations that wait in the disk's queue now",
  source: `${DISKSTATS}, column 12`,
};
const discards = counter("system.disk.linux.discards", "operations", {
  description: "Discards the disk completed",
  columns: "column 15 (Linux 4.18)",
  on: false,
});
const discardIo = counter("system.disk.linux.discard_io", "bytes", {
  description: "Bytes discarded",
  columns: "column 17 * 512 (Linux 4.18)",
  on: false,
});
const discardTime = counter("system.disk.linux.discard_time", "seconds", {
  description: "Time of all discards together",
  columns: "column 18, ms / 1000 (Linux 4.18)",
  on: false,
});
const flushes = counter("system.disk.linux.flushes", "operations", {
  description: "Cache flushes the disk completed",
  columns: "column 19 (Linux 5.5)",
  on: false,
});
const flushTime = counter("system.disk.linux.flush_time", "seconds", {
  description: "Time of all cache flushes together",
  columns: "column 20, ms / 1000 (Linux 5.5)",
  on: false,
});
const awaited: Descriptor = {
  name: "system.disk.linux.await",
  kind: "gauge",
  unit: "s",
  valueType: "double",
  description: "Mean time of an operation since the last cycle; none without operations",
  source:
    `${DISKSTATS}: increase of columns 7 read, 11 write, ms / 1000 / increase of columns 4 read, 8 write`,
  on: false,
};

/** Every metric of a disk. */
export const DISK_DESCRIPTORS: readonly Descriptor[] = [
  io,
  operations,
  merged,
  operationTime,
  ioTime,
  weightedIoTime,
  pendingOperations,
  discards,
  discardIo,
  discardTime,
  flushes,
  flushTime,
  awaited,
];

/** One series and the 0-based column it comes from. */
export interface Column {
  readonly at: number;
  readonly one: Series;
  readonly form: "plain" | "bytes" | "seconds";
}

/** The series of one disk. */
export interface DiskSeries {
  readonly columns: readonly Column[];
  readonly readAwait: Series;
  readonly writeAwait: Series;
}

/** 0-based columns of operations and their milliseconds, for mean latencies and for telling a replaced disk. */
export const READS = 3, READ_MS = 6, WRITES = 7, WRITE_MS = 10;

/** Makes the series of a disk; `identity` tells it from others that had or will have its name. */
export function diskSeries(name: string, identity: string): DiskSeries {
  const device = { "system.device": name };
  const read = { ...device, "disk.io.direction": "read" };
  const write = { ...device, "disk.io.direction": "write" };
  const only = { identity };
  const column = (at: number, descriptor: Descriptor, attributes = device): Column => {
    const form = descriptor.unit === "By" ? "bytes" : descriptor.unit === "s" ? "seconds" : "plain";
    return { at, one: series(descriptor, attributes, only), form };
  };
  return {
    columns: [
      column(5, io, read),
      column(9, io, write),
      column(READS, operations, read),
      column(WRITES, operations, write),
      column(4, merged, read),
      column(8, merged, write),
      column(READ_MS, operationTime, read),
      column(WRITE_MS, operationTime, write),
      column(12, ioTime),
      column(13, weightedIoTime),
      column(11, pendingOperations),
      column(14, discards),
      column(16, discardIo),
      column(17, discardTime),
      column(18, flushes),
      column(19, flushTime),
    ],
    readAwait: series(awaited, read, only),
    writeAwait: series(awaited, write, only),
  };
}
