/**
 * Which folder shows the host's own network namespace, and the 32-bit counters per CPU that some files below
 * /proc/net print in hexadecimal (softnet_stat, nf_conntrack).
 * @module
 */
import type { Host } from "./collector.ts";

/** The host's network folder: "self" of a foreign /proc is the reader's namespace (host-metrics P21). */
export function netFolder(host: Host): string {
  return host.isForeign && host.exists("/proc/1/net/dev") ? "/proc/1/net" : "/proc/net";
}

/** True when files of /proc/sys/net would show this process's network namespace instead of the host's. */
export function isForeignNamespace(host: Host): boolean {
  const [own, first] = [host.link("/proc/self/ns/net"), host.link("/proc/1/ns/net")];
  return host.isForeign && own !== undefined && first !== undefined && own !== first;
}

const HEX_WORD = /^[0-9a-f]{8}$/i;

/** A 32-bit hexadecimal word with all its digits. */
export function hexWord(token: string | undefined): number | undefined {
  return token !== undefined && HEX_WORD.test(token) ? parseInt(token, 16) : undefined;
}

/** A sum over CPUs in which a CPU that goes offline keeps its share, so that the sum falls only when a word wraps. */
export class CpuSum {
  readonly #last = new Map<number, number>();

  /** Takes this cycle's readings by CPU; the ledger undoes the wraps (fall rule "u32"). */
  add(readings: ReadonlyMap<number, number>): number {
    for (const [cpu, raw] of readings) this.#last.set(cpu, raw);
    let sum = 0;
    for (const raw of this.#last.values()) sum += raw;
    return sum;
  }
}

/** How many CPUs a list such as "0-3,5" names; undefined when it is absent or no list. */
export function cpuCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d+(-\d+)?(,\d+(-\d+)?)*\n$/.test(text)) return undefined;
  return text.trim().split(",").reduce((sum, part) => {
    const [first = "", last = first] = part.split("-");
    return sum + Number(last) - Number(first) + 1;
  }, 0);
}
