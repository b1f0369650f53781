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

/**
 * A sum of 32-bit counters, one per CPU, that never wraps: each CPU's step is taken modulo 2^32, and a CPU that
 * goes offline leaves its share behind (host-metrics V25).
 */
export class WrappingSum {
  #total = 0;
  readonly #last = new Map<number, number>();

  /** Takes this cycle's readings by CPU; the result only grows. */
  add(readings: ReadonlyMap<number, number>): number {
    for (const [cpu, raw] of readings) {
      const last = this.#last.get(cpu);
      // A CPU that comes online later brings its count since boot, like those seen at start.
      this.#total += last === undefined ? raw : (raw - last + 2 ** 32) % 2 ** 32;
      this.#last.set(cpu, raw);
    }
    return this.#total;
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
