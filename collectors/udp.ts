/**
 * UDP datagrams and why they were lost, by address family: version 4 from snmp, version 6 from snmp6.
 *
 *     Udp: InDatagrams NoPorts InErrors …            Udp6InDatagrams                 	0
 *     Udp: 55 0 0 …
 * @module
 */
import type { Collector } from "./collector.ts";
import type { Descriptor } from "./metric.ts";
import { bothFamilies, type ColumnMetric } from "./net_protocol.ts";

const datagrams: Descriptor = {
  name: "system.network.linux.udp.datagrams",
  kind: "sum",
  monotonic: true,
  unit: "{datagram}",
  valueType: "int",
  description: "Datagrams delivered and sent",
  source: "/proc/net/snmp Udp InDatagrams, OutDatagrams; /proc/net/snmp6 Udp6InDatagrams, Udp6OutDatagrams",
  fall: { rule: "ulong" },
};
const errors: Descriptor = {
  name: "system.network.linux.udp.errors",
  kind: "sum",
  monotonic: true,
  unit: "{datagram}",
  valueType: "int",
  description: "Datagrams lost by cause",
  source: "/proc/net/snmp Udp NoPorts, RcvbufErrors, SndbufErrors, InCsumErrors; the same of Udp6 in snmp6",
  fall: { rule: "ulong" },
};

const COLUMNS: readonly ColumnMetric[] = [
  ["InDatagrams", datagrams, { "network.io.direction": "receive" }],
  ["OutDatagrams", datagrams, { "network.io.direction": "transmit" }],
  ["NoPorts", errors, { type: "no_port" }],
  ["RcvbufErrors", errors, { type: "receive_buffer" }],
  ["SndbufErrors", errors, { type: "send_buffer" }],
  ["InCsumErrors", errors, { type: "checksum" }],
];

/** UDP counters of the host. */
export const udp: Collector = {
  name: "udp",
  descriptors: [datagrams, errors],
  prepare: bothFamilies("Udp", COLUMNS),
};
