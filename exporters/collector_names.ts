/**
 * What the OpenTelemetry Collector's hostmetrics receiver (v0) calls the things that semantic conventions 1.44.0
 * call otherwise: metric names, units, attribute keys and values (host-metrics 1.2, as seen live in collector-live).
 * Metrics that are not in the table have the same form everywhere: those that only one side knows, sonde's own
 * `system.<area>.linux.*`, and what an operator names.
 * @module
 */
import type { AttributeValue } from "../collectors/metric.ts";

/** How one attribute changes. */
export interface KeyRenaming {
  readonly from: string;
  readonly to: string;
  /** Values that change too; others stay. */
  readonly value?: (value: AttributeValue) => AttributeValue;
}

/** How one metric changes; what is absent stays. */
export interface Renaming {
  readonly name?: string;
  readonly unit?: string;
  readonly valueType?: "double";
  readonly keys?: readonly KeyRenaming[];
}

/** A value renaming by table. */
function values(table: Readonly<Record<string, string>>): (value: AttributeValue) => AttributeValue {
  return (value) => typeof value === "string" ? table[value] ?? value : value;
}

const cpu: KeyRenaming = { from: "cpu.logical_number", to: "cpu", value: (number) => `cpu${number}` };
const cpuState: KeyRenaming = { from: "cpu.mode", to: "state", value: values({ iowait: "wait" }) };
const memoryState: KeyRenaming = {
  from: "system.memory.state",
  to: "state",
  value: values({ buffers: "buffered" }),
};
const device: KeyRenaming = { from: "system.device", to: "device" };
const diskDirection: KeyRenaming = { from: "disk.io.direction", to: "direction" };
const networkInterface: KeyRenaming = { from: "network.interface.name", to: "device" };
const networkDirection: KeyRenaming = { from: "network.io.direction", to: "direction" };
const protocol: KeyRenaming = { from: "network.transport", to: "protocol" };
const connectionState: KeyRenaming = {
  from: "network.connection.state",
  to: "state",
  value: values({
    closed: "CLOSE",
    close_wait: "CLOSE_WAIT",
    closing: "CLOSING",
    established: "ESTABLISHED",
    fin_wait_1: "FIN_WAIT1",
    fin_wait_2: "FIN_WAIT2",
    last_ack: "LAST_ACK",
    listen: "LISTEN",
    syn_received: "SYN_RECV",
    syn_sent: "SYN_SENT",
    time_wait: "TIME_WAIT",
  }),
};
const pagingState: KeyRenaming = { from: "system.paging.state", to: "state" };
const pagingDirection: KeyRenaming = {
  from: "system.paging.direction",
  to: "direction",
  value: values({ in: "page_in", out: "page_out" }),
};
const faultType: KeyRenaming = { from: "system.paging.fault.type", to: "type" };
const processStatus: KeyRenaming = {
  from: "process.state",
  to: "status",
  value: values({ defunct: "zombies" }),
};
const switchType: KeyRenaming = { from: "process.context_switch.type", to: "type" };

const disk = [device, diskDirection];
const filesystem: readonly KeyRenaming[] = [
  device,
  { from: "system.filesystem.mountpoint", to: "mountpoint" },
  { from: "system.filesystem.type", to: "type" },
  { from: "system.filesystem.mode", to: "mode" },
  { from: "system.filesystem.state", to: "state" },
];
/** `packet.count` carries the interface under both keys (host-metrics 1.2, network). */
const network = [networkInterface, device, networkDirection];
const paging = [device, pagingState];

/** Renamings by semantic-conventions name. */
export const collectorNames: ReadonlyMap<string, Renaming> = new Map<string, Renaming>([
  ["system.cpu.time", { keys: [cpu, cpuState] }],
  ["system.cpu.utilization", { keys: [cpu, cpuState] }],
  ["system.cpu.frequency", { valueType: "double", keys: [cpu] }],
  ["system.memory.usage", { keys: [memoryState] }],
  ["system.memory.utilization", { keys: [memoryState] }],
  ["system.memory.linux.available", { name: "system.linux.memory.available" }],
  ["system.memory.linux.dirty", { name: "system.linux.memory.dirty" }],
  ["system.disk.io", { keys: disk }],
  ["system.disk.operations", { unit: "{operations}", keys: disk }],
  ["system.disk.merged", { unit: "{operations}", keys: disk }],
  ["system.disk.operation_time", { keys: disk }],
  ["system.disk.io_time", { keys: disk }],
  ["system.disk.weighted_io_time", { keys: disk }],
  ["system.disk.pending_operations", { unit: "{operations}", keys: disk }],
  ["system.filesystem.usage", { keys: filesystem }],
  ["system.filesystem.inodes.usage", { unit: "{inodes}", keys: filesystem }],
  ["system.filesystem.utilization", { keys: filesystem }],
  ["system.network.io", { keys: network }],
  ["system.network.packet.count", { name: "system.network.packets", unit: "{packets}", keys: network }],
  ["system.network.errors", { unit: "{errors}", keys: network }],
  ["system.network.packet.dropped", { name: "system.network.dropped", unit: "{packets}", keys: network }],
  ["system.network.connection.count", {
    name: "system.network.connections",
    unit: "{connections}",
    keys: [protocol, connectionState],
  }],
  ["system.network.conntrack.count", { unit: "{entries}" }],
  ["system.network.conntrack.max", { unit: "{entries}" }],
  ["system.paging.usage", { keys: paging }],
  ["system.paging.utilization", { keys: paging }],
  ["system.paging.operations", { unit: "{operations}", keys: [pagingDirection, faultType] }],
  ["system.paging.faults", { unit: "{faults}", keys: [faultType] }],
  ["system.process.created", { name: "system.processes.created", unit: "{processes}" }],
  ["system.process.count", { name: "system.processes.count", unit: "{processes}", keys: [processStatus] }],
  ["process.cpu.time", { keys: [cpuState] }],
  ["process.cpu.utilization", { keys: [cpuState] }],
  ["process.disk.io", { keys: [diskDirection] }],
  ["process.disk.operations", { unit: "{operations}", keys: [diskDirection] }],
  ["process.paging.faults", { unit: "{faults}", keys: [faultType] }],
  ["process.signals_pending", { unit: "{signals}" }],
  ["process.thread.count", { name: "process.threads", unit: "{threads}" }],
  ["process.unix.file_descriptor.count", { name: "process.open_file_descriptors", unit: "{count}" }],
  ["process.context_switches", { unit: "{count}", keys: [switchType] }],
]);
