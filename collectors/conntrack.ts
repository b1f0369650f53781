/**
 * The table of tracked connections: how full it is, and packets lost because it was. Present only where the kernel
 * tracks connections. Kernel: Documentation/networking/nf_conntrack-sysctl.rst.
 *
 *     entries  clashres found new invalid … drop early_drop …
 *     00000007  00000000 00000000 … (one line per possible CPU, 32-bit words)
 * @module
 */
import type { Collector, Prepared } from "./collector.ts";
import { type Descriptor, series } from "./metric.ts";
import { cpuCount, CpuSum, hexWord, isForeignNamespace, netFolder } from "./net_text.ts";
import { fields, quote, unsigned, wholeLines, wholeValue } from "./text.ts";

const level = (name: string, description: string, file: string): Descriptor => ({
  name: `system.network.conntrack.${name}`,
  kind: "sum",
  monotonic: false,
  unit: "{entry}",
  valueType: "int",
  description,
  source: `/proc/sys/net/netfilter/${file}`,
});

const count = level("count", "Connections tracked now", "nf_conntrack_count");
const max = level("max", "Most connections that can be tracked", "nf_conntrack_max");
const drops: Descriptor = {
  name: "system.network.linux.conntrack.drops",
  kind: "sum",
  monotonic: true,
  unit: "{packet}",
  valueType: "int",
  description: "Packets dropped because no entry could be made",
  source: "/proc/net/stat/nf_conntrack: hexadecimal column drop by header, summed over CPUs",
  fall: { rule: "u32", scale: 1 },
};

const [countSeries, maxSeries, dropsSeries] = [series(count), series(max), series(drops)];

/** Drops by line; each possible CPU has one, so the line number tells them apart. Throws `SyntaxError`. */
function parseDrops(text: string): Map<number, number> {
  const [header = "", ...rows] = wholeLines(text);
  const at = fields(header).indexOf("drop");
  if (at < 0) {
    throw new SyntaxError(`Cannot parse conntrack header ${quote(header)}: expected a column "drop"`);
  }
  return new Map(rows.map((row, cpu) => {
    const value = hexWord(fields(row)[at]);
    if (value === undefined) {
      throw new SyntaxError(`Cannot parse conntrack line ${quote(row)}: expected hex words`);
    }
    return [cpu, value];
  }));
}

const POSSIBLE = "/sys/devices/system/cpu/possible";

/** Connection tracking of the host's own network namespace. */
export const conntrack: Collector = {
  name: "conntrack",
  descriptors: [count, max, drops],
  prepare(host): Prepared {
    const sysctl = "/proc/sys/net/netfilter";
    const isElsewhere = isForeignNamespace(host);
    const sum = new CpuSum();
    const files = [
      `${netFolder(host)}/stat/nf_conntrack`,
      POSSIBLE,
      ...(isElsewhere ? [] : [`${sysctl}/nf_conntrack_count`, `${sysctl}/nf_conntrack_max`]),
    ];
    const isPresent = host.exists(`${sysctl}/nf_conntrack_count`);
    return {
      files: isPresent ? files : [],
      seldom: [POSSIBLE, `${sysctl}/nf_conntrack_max`],
      collect([table, possible, countText, maxText], out) {
        if (!isPresent) return;
        if (isElsewhere) {
          out.omit("system.network.conntrack.*", "/proc/sys/net shows this container's own network");
        }
        for (const [target, text] of [[countSeries, countText], [maxSeries, maxText]] as const) {
          const value = unsigned(wholeValue(text));
          if (value !== undefined) out.add(target, value);
        }
        if (table === undefined) return;
        const readings = parseDrops(table);
        const expected = cpuCount(possible) ?? readings.size;
        // Fewer lines than CPUs would make the sum too small (see softnet.ts).
        if (readings.size < expected || readings.size === 0 || !table.endsWith("\n")) {
          out.fault(
            `Cannot parse conntrack: ${readings.size} lines, expected one for each of ${expected} CPUs`,
          );
        } else out.add(dropsSeries, sum.add(readings));
      },
    };
  },
};
