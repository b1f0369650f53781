/**
 * Which interface a name means. A veth pair comes and goes under the same name, so a counter belongs to name and
 * ifindex (host-metrics P5). No table of /proc/net has all interfaces with their index on every kernel: igmp6 does
 * wherever IPv6 is compiled in, dev_mcast and igmp have most of them elsewhere.
 *
 *     4    eth0            ff020000000000000000000000000001     1 0000000C 0     (igmp6)
 *     4    eth0            1     0     333300000001                              (dev_mcast)
 *     4	eth0      :     2      V3                                              (igmp)
 * @module
 */
import type { Host } from "./collector.ts";
import { netFolder } from "./net_text.ts";

/** Interfaces left out unless the operator says otherwise (host-metrics P36). */
export const NETWORK_EXCLUDE: readonly string[] = ["lo", "veth*", "cali*", "flannel*", "br-*", "ifb*"];

/** Most interfaces reported; the rest is named in one omission. */
export const INTERFACES_MAX = 64;

const BEST_TABLE = "igmp6";
const OTHER_TABLES = ["dev_mcast", "igmp"] as const;
const ROW = /^(\d+)\s+([^\s:]+)\s*[\s:].*\n/gm;

/** The index tables of this host, to be kept open. */
export function indexTables(host: Host): string[] {
  const folder = netFolder(host);
  if (host.exists(`${folder}/${BEST_TABLE}`)) return [`${folder}/${BEST_TABLE}`];
  return OTHER_TABLES.map((name) => `${folder}/${name}`).filter((path) => host.exists(path));
}

/** Interface indexes by name. Parses only when a table has changed. */
export class InterfaceIndex {
  #texts: readonly (string | undefined)[] = [];
  #byName: ReadonlyMap<string, string> = new Map();

  /** Takes the tables' text of this cycle. */
  follow(texts: readonly (string | undefined)[]): void {
    if (texts.length === this.#texts.length && texts.every((text, at) => text === this.#texts[at])) return;
    this.#texts = texts;
    const byName = new Map<string, string>();
    for (const text of texts) {
      for (const [, index, name] of (text ?? "").matchAll(ROW)) {
        if (index !== undefined && name !== undefined) byName.set(name, index);
      }
    }
    this.#byName = byName;
  }

  /** The index of an interface, or undefined when no table names it. */
  of(name: string): string | undefined {
    return this.#byName.get(name);
  }
}
