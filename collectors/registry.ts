/**
 * Every collector, in the order their points appear. Adding one is one file in this folder, one line here and
 * one fixture folder; nothing else names a collector.
 * @module
 */
import { blockSize } from "./block_size.ts";
import { clock, type ClockOptions } from "./clock.ts";
import type { Collector } from "./collector.ts";
import { connections } from "./connections.ts";
import { conntrack } from "./conntrack.ts";
import { container, type ContainerOptions } from "./container.ts";
import { containerPressure } from "./container_pressure.ts";
import { cpu, type CpuOptions } from "./cpu.ts";
import { cpuEvents } from "./cpu_events.ts";
import { cpuFrequency } from "./cpu_frequency.ts";
import { cpuThrottle } from "./cpu_throttle.ts";
import { disk, type DiskOptions } from "./disk.ts";
import { fileHandles } from "./file_handles.ts";
import { filesystem, type FilesystemOptions } from "./filesystem.ts";
import { hardware } from "./hardware.ts";
import { hugepages } from "./hugepages.ts";
import { ip } from "./ip.ts";
import { kernel } from "./kernel.ts";
import { link } from "./link.ts";
import { loadAverage } from "./load_average.ts";
import { memory } from "./memory.ts";
import { network, type NetworkOptions } from "./network.ts";
import { overview, type OverviewOptions } from "./overview.ts";
import { paging } from "./paging.ts";
import { powerSupply } from "./power_supply.ts";
import { pressure } from "./pressure.ts";
import { ownProcess } from "./process.ts";
import { processTable, type ProcessTableOptions } from "./process_table.ts";
import { processes, type ProcessesOptions } from "./processes.ts";
import { reclaim } from "./reclaim.ts";
import { redundancy } from "./redundancy.ts";
import { socket } from "./socket.ts";
import { softnet } from "./softnet.ts";
import { storageHealth } from "./storage_health.ts";
import { sysctl, type SysctlOptions } from "./sysctl.ts";
import { tcp } from "./tcp.ts";
import { temperatures } from "./temperature.ts";
import { udp } from "./udp.ts";
import { uptime } from "./uptime.ts";
import { wireless } from "./wireless.ts";

/** What the operator may decide about single collectors; every part has a default and may change between cycles. */
export interface CollectorOptions
  extends
    CpuOptions,
    DiskOptions,
    SysctlOptions,
    NetworkOptions,
    FilesystemOptions,
    ContainerOptions,
    ProcessesOptions,
    ProcessTableOptions,
    ClockOptions,
    OverviewOptions {}

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
    processes(options),
    processTable(options),
    pressure,
    fileHandles,
    kernel,
    sysctl(options),
    uptime,
    filesystem(options),
    network(options),
    link(options),
    socket,
    tcp,
    udp,
    ip,
    softnet,
    conntrack,
    connections,
    wireless,
    temperatures,
    hardware,
    powerSupply,
    storageHealth,
    redundancy,
    container(options),
    containerPressure,
    clock(options),
    ownProcess,
    ...overview(options),
  ];
}
