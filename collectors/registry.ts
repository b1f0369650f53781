/**
 * Every collector, in the order their points appear. Adding one is one file in this folder, one line here and
 * one fixture folder; nothing else names a collector.
 * @module
 */
import { blockSize } from "./block_size.ts";
import type { Collector } from "./collector.ts";
import { cpu, type CpuOptions } from "./cpu.ts";
import { cpuEvents } from "./cpu_events.ts";
import { cpuFrequency } from "./cpu_frequency.ts";
import { cpuThrottle } from "./cpu_throttle.ts";
import { disk, type DiskOptions } from "./disk.ts";
import { fileHandles } from "./file_handles.ts";
import { hugepages } from "./hugepages.ts";
import { kernel } from "./kernel.ts";
import { loadAverage } from "./load_average.ts";
import { memory } from "./memory.ts";
import { paging } from "./paging.ts";
import { pressure } from "./pressure.ts";
import { processes } from "./processes.ts";
import { reclaim } from "./reclaim.ts";
import { sysctl, type SysctlOptions } from "./sysctl.ts";
import { uptime } from "./uptime.ts";

/** What the operator may decide about single collectors; every part has a default and may change between cycles. */
export interface CollectorOptions extends CpuOptions, DiskOptions, SysctlOptions {}

/** All collectors, enabled or not. Throws RangeError for options that cannot be right. */
export function collectors(options: CollectorOptions = {}): Collector[] {
  return [
    cpu(options),
    cpuEvents,
    cpuFrequency,
    cpuThrottle,
    loadAverage,
    memory,
    hugepages,
    reclaim,
    paging,
    disk(options),
    blockSize,
    processes,
    pressure,
    fileHandles,
    kernel,
    sysctl(options),
    uptime,
  ];
}
