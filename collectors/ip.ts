/**
 * Packets that the Internet layer gave up, by address family. Off by default.
 *
 *     Ip: Forwarding … InDiscards … OutDiscards OutNoRoutes …        Ip6InDiscards                   	0
 * @module
 */
import type { Collector } from "./collector.ts";
import type { Descriptor } from "./metric.ts";
import { bothFamilies, type ColumnMetric } from "./net_protocol.ts";

const discards: Descriptor = {
  name: "system.network.linux.ip.discards",
  kind: "sum",
  monotonic: true,
  unit: "{packet}",
  valueType: "int",
  description: "Packets without a fault that were discarded, for want of memory for example",
  source: "/proc/net/snmp Ip InDiscards, OutDiscards; /proc/net/snmp6 Ip6InDiscards, Ip6OutDiscards",
  fall: { rule: "ulong" },
};
const noRoutes: Descriptor = {
  name: "system.network.linux.ip.no_routes",
  kind: "sum",
  monotonic: true,
  unit: "{packet}",
  valueType: "int",
  description: "Packets discarded because no route led to their destination",
  source: "/proc/net/snmp Ip OutNoRoutes; /proc/net/snmp6 Ip6OutNoRoutes",
  fall: { rule: "ulong" },
};

const COLUMNS: readonly ColumnMetric[] = [
  ["InDiscards", discards, { "network.io.direction": "receive" }],
  ["OutDiscards", discards, { "network.io.direction": "transmit" }],
  ["OutNoRoutes", noRoutes, {}],
];

/** Discards of the Internet layer. */
export const ip: Collector = {
  name: "ip",
  on: false,
  descriptors: [discards, noRoutes],
  prepare: bothFamilies("Ip", COLUMNS),
};
