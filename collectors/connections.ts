/**
 * TCP connections by state. The kernel walks its whole table of sockets for this, so it is off by default and never
 * read more often than once a minute, beside the cycle. Kernel: Documentation/networking/proc_net_tcp.rst.
 *
 *     0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 …
 *     slot: local address:port remote address:port state …
 * @module
 */
import type { Collector, Prepared } from "./collector.ts";
import { type Descriptor, series } from "./metric.ts";
import { netFolder } from "./net_text.ts";
import { SlowRead } from "./slow_read.ts";

const count: Descriptor = {
  name: "system.network.connection.count",
  kind: "sum",
  monotonic: false,
  unit: "{connection}",
  valueType: "int",
  description: "TCP connections by state, both address families",
  source: "/proc/net/tcp and tcp6, column st; every 60 s",
};

const REFRESH_MS = 60_000;
const LIMIT_MS = 10_000;

/** include/net/tcp_states.h; a request that is not yet a connection counts as one received. */
const STATES: Readonly<Record<string, string>> = {
  "01": "established",
  "02": "syn_sent",
  "03": "syn_received",
  "04": "fin_wait_1",
  "05": "fin_wait_2",
  "06": "time_wait",
  "07": "closed",
  "08": "close_wait",
  "09": "last_ack",
  "0A": "listen",
  "0B": "closing",
  "0C": "syn_received",
};

const ROW = /^ *\d+: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) .*\n/gm;

/** What one reading gave: counts by state, zeros included, and codes nobody knows. */
interface Counts {
  readonly byState: ReadonlyMap<string, number>;
  readonly unknown: readonly string[];
}

/** Counts connections. Throws `SyntaxError` when a line cannot be read: the counts would be too small. */
export function countConnections(texts: readonly string[]): Counts {
  const byState = new Map(Object.values(STATES).map((state) => [state, 0]));
  const unknown = new Set<string>();
  for (const text of texts) {
    const rows = [...text.matchAll(ROW)];
    // The header is one line more; so is what follows the last line end, be it nothing or a line cut off.
    const lines = text.split("\n").length - (text.endsWith("\n") ? 2 : 1);
    if (rows.length !== lines) {
      throw new SyntaxError(`Cannot parse TCP table: ${rows.length} of ${lines} lines can be read`);
    }
    for (const [, code = ""] of rows) {
      const state = STATES[code];
      if (state === undefined) unknown.add(code);
      else byState.set(state, (byState.get(state) ?? 0) + 1);
    }
  }
  return { byState, unknown: [...unknown] };
}

/** TCP connections of the host by state. */
export const connections: Collector = {
  name: "connections",
  on: false,
  descriptors: [count],
  prepare(host): Prepared {
    const folder = netFolder(host);
    const files = [`${folder}/tcp`, `${folder}/tcp6`].filter((path) => host.exists(path));
    const targets = new Map(
      Object.values(STATES).map((state) => [
        state,
        series(count, { "network.transport": "tcp", "network.connection.state": state }),
      ]),
    );
    const counts = new SlowRead<Counts>();
    return {
      files: [],
      slowFiles: files,
      refreshMs: REFRESH_MS,
      refresh: (read) =>
        counts.ask(
          async () => countConnections(await Promise.all(files.map((path) => read(path)))),
          LIMIT_MS,
        ),
      collect(_texts, out) {
        if (counts.failure !== undefined) out.fault(counts.failure);
        for (const code of counts.value?.unknown ?? []) {
          out.fault(`Cannot name TCP state "${code}": not known`);
        }
        for (const [state, target] of targets) {
          const value = counts.value?.byState.get(state);
          if (value !== undefined && files.length > 0) out.add(target, value);
        }
      },
    };
  },
};
