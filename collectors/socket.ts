/**
 * Sockets in use, cheaply: counts the kernel keeps anyway. All TCP figures cover both address families except
 * `inuse`, to which sockstat6 adds its own. Kernel: net/ipv4/proc.c sockstat_seq_show.
 *
 *     TCP: inuse 5 orphan 0 tw 2 alloc 7 mem 3
 *     TCP6: inuse 1
 * @module
 */
import type { Collector, Prepared, Recorder } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { netFolder } from "./net_text.ts";
import { fields, quote, times, unsigned, wholeLines } from "./text.ts";

const count: Descriptor = {
  name: "system.network.linux.socket.count",
  kind: "sum",
  monotonic: false,
  unit: "{socket}",
  valueType: "int",
  description: "Sockets by transport and state",
  source: "/proc/net/sockstat TCP inuse, orphan, tw, alloc and UDP inuse; inuse plus sockstat6",
};
const memory: Descriptor = {
  name: "system.network.linux.socket.memory",
  kind: "sum",
  monotonic: false,
  unit: "By",
  valueType: "int",
  description: "Memory of socket buffers by transport",
  source: "/proc/net/sockstat TCP mem and UDP mem, pages * page size",
};

const TRANSPORTS = [["tcp", "TCP"], ["udp", "UDP"]] as const;
const STATES = [["orphan", "orphan"], ["time_wait", "tw"], ["alloc", "alloc"]] as const;

const WANTED = /^(TCP|UDP)6?:/;

type Value = number | bigint | undefined;

/** Figures by protocol and key, "TCP tw"; a bad one is named and left out. */
function parse(text: string, out: Recorder): Map<string, number | bigint> {
  const figures = new Map<string, number | bigint>();
  for (const line of wholeLines(text)) {
    if (!WANTED.test(line)) continue;
    const [protocol = "", ...rest] = fields(line);
    for (let at = 0; at + 1 < rest.length; at += 2) {
      const value = unsigned(rest[at + 1]);
      const key = `${protocol.replace(/:$/, "")} ${rest[at]}`;
      // A name that comes twice belongs to another line whose end was lost.
      if (value === undefined || figures.has(key)) {
        out.fault(`Cannot parse sockets ${quote(line)}: expected names and numbers`);
        break;
      }
      figures.set(key, value);
    }
  }
  return figures;
}

/** The sum of two figures; unknown when one of them is. */
const plus = (a: Value, b: Value): Value =>
  a === undefined || b === undefined ? undefined : Number(a) + Number(b);

/** Counts and memory of TCP and UDP sockets. */
export const socket: Collector = {
  name: "socket",
  descriptors: [count, memory],
  prepare(host): Prepared {
    const folder = netFolder(host);
    // A kernel without IPv6 has no second file: then the first says all.
    const hasIpv6 = host.exists(`${folder}/sockstat6`);
    const of = (descriptor: Descriptor, transport: string, state?: string): Series =>
      series(descriptor, { "network.transport": transport, ...(state === undefined ? {} : { state }) });
    const rows = TRANSPORTS.map(([transport, protocol]) => ({
      protocol,
      inuse: of(count, transport, "inuse"),
      memory: of(memory, transport),
      states: transport === "tcp"
        ? STATES.map(([state, key]) => ({ key, series: of(count, transport, state) }))
        : [],
    }));
    return {
      files: hasIpv6 ? [`${folder}/sockstat`, `${folder}/sockstat6`] : [`${folder}/sockstat`],
      collect([text, text6], out) {
        if (text === undefined) return;
        const figures = parse(text, out);
        const figures6 = text6 === undefined ? undefined : parse(text6, out);
        const add = (target: Series, value: Value): void => {
          if (value !== undefined) out.add(target, value);
        };
        for (const { protocol, inuse, memory, states } of rows) {
          const inuse4 = figures.get(`${protocol} inuse`);
          add(inuse, hasIpv6 ? plus(inuse4, figures6?.get(`${protocol}6 inuse`)) : inuse4);
          for (const state of states) add(state.series, figures.get(`${protocol} ${state.key}`));
          const pages = figures.get(`${protocol} mem`);
          add(memory, pages === undefined ? undefined : times(pages, host.pageSize));
        }
      },
    };
  },
};
