/**
 * A synthetic set of series with at least one of every metric whose form depends on the naming, and some whose form
 * must not: the input of the naming goldens. One row a series: name, unit, instrument, attributes.
 * @module
 */
import type { Attributes, Descriptor, Series } from "../collectors/metric.ts";

/**
 * `NAME UNIT INSTRUMENT`, the instrument as host-metrics 1.2 writes it: C counter, U UpDownCounter, G gauge; i int,
 * d double.
 */
function row(text: string, attributes: Attributes = {}): Series {
  const [name = "", unit = "", instrument = ""] = text.split(" ");
  const valueType = instrument.endsWith("i") ? "int" : "double";
  const about = { name, unit, description: `About ${name}`, valueType, source: "synthetic" } as const;
  const descriptor: Descriptor = instrument.startsWith("G")
    ? { ...about, kind: "gauge" }
    : { ...about, kind: "sum", monotonic: instrument.startsWith("C") };
  return { descriptor, attributes };
}

const sda: Attributes = { "system.device": "sda" };
const sdaRead: Attributes = { ...sda, "disk.io.direction": "read" };
const eth0: Attributes = { "network.interface.name": "eth0", "network.io.direction": "receive" };
const eth0Both: Attributes = { "system.device": "eth0", ...eth0 };
const root: Attributes = {
  "system.device": "/dev/sda1",
  "system.filesystem.mountpoint": "/",
  "system.filesystem.type": "ext4",
  "system.filesystem.mode": "rw",
};
const swap: Attributes = { "system.device": "/dev/zram0", "system.paging.state": "used" };
const fault: Attributes = { "system.paging.fault.type": "major" };

/** Series that belong to some namings only, as collectors write them. */
const split: readonly Series[] = [
  { ...row("system.cpu.time s Cd", { "cpu.mode": "iowait" }), namings: ["semconv", "dup"] },
  {
    ...row("system.cpu.time s Cd", { "cpu.mode": "interrupt" }),
    namings: ["dup"],
    collectorAttributes: { state: "softirq" },
  },
  {
    ...row("system.cpu.time s Cd", { "cpu.logical_number": 3, "cpu.mode": "iowait" }),
    namings: ["collector"],
  },
  {
    ...row("system.memory.usage By Ui"),
    namings: ["collector"],
    collectorAttributes: { state: "slab_reclaimable" },
  },
  {
    ...row("system.memory.linux.slab.usage By Ui", {
      "system.memory.linux.slab.state": "reclaimable",
    }),
    namings: ["semconv", "dup"],
  },
];

/** Every series of the goldens. */
export const namingSeries: readonly Series[] = [
  ...split,
  row("system.cpu.utilization 1 Gd", { "cpu.logical_number": 12, "cpu.mode": "user" }),
  row("system.cpu.frequency Hz Gi", { "cpu.logical_number": 0 }),
  row("system.cpu.load_average.1m {thread} Gd"),
  row("system.memory.usage By Ui", { "system.memory.state": "buffers" }),
  row("system.memory.utilization 1 Gd", { "system.memory.state": "free" }),
  row("system.memory.linux.available By Ui"),
  row("system.memory.linux.dirty By Ui"),
  row("system.memory.linux.hugepages.usage {page} Ui", {
    "system.memory.linux.hugepages.state": "free",
  }),
  row("system.disk.io By Ci", sdaRead),
  row("system.disk.operations {operation} Ci", sdaRead),
  row("system.disk.merged {operation} Ci", sdaRead),
  row("system.disk.operation_time s Cd", sdaRead),
  row("system.disk.io_time s Cd", sda),
  row("system.disk.weighted_io_time s Cd", sda),
  row("system.disk.pending_operations {operation} Ui", sda),
  row("system.filesystem.usage By Ui", { ...root, "system.filesystem.state": "reserved" }),
  row("system.filesystem.inodes.usage {inode} Ui", { ...root, "system.filesystem.state": "used" }),
  row("system.filesystem.utilization 1 Gd", { ...root, "system.filesystem.state": "used" }),
  row("system.network.io By Ci", eth0),
  row("system.network.packet.count {packet} Ci", eth0Both),
  row("system.network.errors {error} Ci", eth0),
  row("system.network.packet.dropped {packet} Ci", eth0),
  row("system.network.connection.count {connection} Ui", {
    "network.transport": "tcp",
    "network.connection.state": "syn_received",
  }),
  row("system.network.conntrack.count {entry} Ui"),
  row("system.network.conntrack.max {entry} Ui"),
  row("system.network.linux.socket.count {socket} Ui", { "network.transport": "udp", state: "inuse" }),
  row("system.paging.usage By Ui", swap),
  row("system.paging.utilization 1 Gd", swap),
  row("system.paging.operations {operation} Ci", { ...fault, "system.paging.direction": "in" }),
  row("system.paging.faults {fault} Ci", fault),
  row("system.process.created {process} Ci"),
  row("system.process.count {process} Ui", { "process.state": "defunct" }),
  row("system.uptime s Gd"),
  row("process.cpu.time s Cd", { "cpu.mode": "user" }),
  row("process.cpu.utilization 1 Gd", { "cpu.mode": "wait" }),
  row("process.disk.io By Ci", { "disk.io.direction": "write" }),
  row("process.disk.operations {operation} Ci", { "disk.io.direction": "write" }),
  row("process.paging.faults {fault} Ci", fault),
  row("process.signals_pending {signal} Ui"),
  row("process.thread.count {thread} Ui"),
  row("process.unix.file_descriptor.count {file_descriptor} Ui"),
  row("process.context_switches {context_switch} Ci", {
    "process.context_switch.type": "voluntary",
  }),
];
