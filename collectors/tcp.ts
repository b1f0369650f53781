/**
 * Health of TCP over both address families: what is sent again, refused, dropped or given up. Columns are found by
 * their header names, since every kernel has others (host-metrics P34). Kernel: Documentation/networking/snmp_counter.rst.
 *
 *     Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens …
 *     Tcp: 1 200 120000 -1 28 …
 * @module
 */
import type { Collector, Prepared } from "./collector.ts";
import { type Attributes, type Descriptor, series } from "./metric.ts";
import { addBlock, type ColumnSeries, ProtocolBlock } from "./net_protocol.ts";
import { netFolder } from "./net_text.ts";

type Words = readonly [name: string, unit: string, description: string, column: string];

const counter = ([name, unit, description]: Words, source: string): Descriptor => ({
  name: `system.network.linux.tcp.${name}`,
  kind: "sum",
  monotonic: true,
  unit,
  valueType: "int",
  description,
  source,
  fall: { rule: "ulong" },
});

const segments = counter(
  ["segments", "{segment}", "Segments received and sent", "InSegs"],
  "/proc/net/snmp Tcp InSegs, OutSegs",
);
const established: Descriptor = {
  name: "system.network.linux.tcp.established",
  kind: "sum",
  monotonic: false,
  unit: "{connection}",
  valueType: "int",
  description: "Connections established or waiting to close",
  source: "/proc/net/snmp Tcp CurrEstab",
};

const snmp = (words: Words) => [words[3], counter(words, `/proc/net/snmp Tcp ${words[3]}`)] as const;
const extended = (words: Words) =>
  [words[3], counter(words, `/proc/net/netstat TcpExt ${words[3]}`)] as const;

const SNMP = [
  snmp(["retransmits", "{segment}", "Segments sent again", "RetransSegs"]),
  snmp(["resets_sent", "{segment}", "Segments sent with the reset flag", "OutRsts"]),
  snmp(["active_opens", "{connection}", "Connections opened by this host", "ActiveOpens"]),
  snmp(["passive_opens", "{connection}", "Connections opened by others", "PassiveOpens"]),
  snmp(["attempt_fails", "{connection}", "Connection attempts that failed", "AttemptFails"]),
];
const EXTENDED = [
  extended([
    "listen_overflows",
    "{connection}",
    "Connections refused by a full accept queue",
    "ListenOverflows",
  ]),
  extended(["listen_drops", "{connection}", "Connections that listening sockets dropped", "ListenDrops"]),
  extended(["timeouts", "{timeout}", "Retransmission timers that ran out", "TCPTimeouts"]),
  extended(["syn_retransmits", "{segment}", "Connection requests and answers sent again", "TCPSynRetrans"]),
  extended(["receive_queue_drops", "{packet}", "Packets dropped for want of receive buffer", "TCPRcvQDrop"]),
  extended(["memory_pressures", "{event}", "Times TCP came under memory pressure", "TCPMemoryPressures"]),
];

const direction = (value: string): Attributes => ({ "network.io.direction": value });
const snmpRows: readonly ColumnSeries[] = [
  ["InSegs", series(segments, direction("receive"))],
  ["OutSegs", series(segments, direction("transmit"))],
  ["CurrEstab", series(established)],
  ...SNMP.map(([column, descriptor]): ColumnSeries => [column, series(descriptor)]),
];
const extendedRows: readonly ColumnSeries[] = EXTENDED.map((
  [column, descriptor],
) => [column, series(descriptor)]);

/** TCP counters of the host. */
export const tcp: Collector = {
  name: "tcp",
  descriptors: [segments, established, ...[...SNMP, ...EXTENDED].map(([, descriptor]) => descriptor)],
  prepare(host): Prepared {
    const folder = netFolder(host);
    const [block, extendedBlock] = [new ProtocolBlock("Tcp"), new ProtocolBlock("TcpExt")];
    return {
      files: [`${folder}/snmp`, `${folder}/netstat`],
      collect([text, extendedText], out) {
        addBlock(block, text, { columns: snmpRows, out });
        addBlock(extendedBlock, extendedText, { columns: extendedRows, out });
      },
    };
  },
};
