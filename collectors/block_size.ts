/**
 * Sizes of block devices from sysfs: how large each disk is, and how much memory a zram device really takes.
 *
 *     /sys/block/vda/size: 67108864 (sectors of 512 bytes)
 *     /sys/block/zram0/mm_stat: 4096 98 12288 0 12288 0 0 0 0 (third: memory used in all)
 * @module
 */
import type { Collector, Host } from "./collector.ts";
import { DiskChoice } from "./disk_choice.ts";
import { SECTOR } from "./disk_metrics.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { quote, times, unsigned } from "./text.ts";

const FOLDER = "/sys/block";

const limit: Descriptor = {
  name: "system.disk.limit",
  kind: "sum",
  monotonic: false,
  unit: "By",
  valueType: "int",
  description: "Size of the disk",
  source: `${FOLDER}/<disk>/size * 512`,
};
const zramUsage: Descriptor = {
  name: "system.memory.linux.zram.usage",
  kind: "sum",
  monotonic: false,
  unit: "By",
  valueType: "int",
  description: "Memory a compressed memory device takes, its own bookkeeping included",
  source: `${FOLDER}/zramN/mm_stat, field 3 mem_used_total`,
};

interface Figure {
  readonly path: string;
  readonly one: Series;
  /** Finds the figure; it must be followed by something, or it may be cut off. */
  readonly pattern: RegExp;
  readonly factor: number;
}

const FIRST = /^(\d+)\s/;
const THIRD = /^\s*\d+\s+\d+\s+(\d+)\s/;

/** Disks and zram devices that were there at start; later ones have no open file. */
function figures(host: Host): Figure[] {
  const choice = new DiskChoice(host);
  return host.list(FOLDER).flatMap((folder): Figure[] => {
    const name = folder.replaceAll("!", "/");
    const device = { "system.device": name };
    if (/^zram\d/.test(name)) {
      return [{
        path: `${FOLDER}/${folder}/mm_stat`,
        one: series(zramUsage, device),
        pattern: THIRD,
        factor: 1,
      }];
    }
    const major = Number.parseInt(host.read(`${FOLDER}/${folder}/dev`) ?? "1");
    if (!choice.takes(name, major, () => false)) return [];
    return [{ path: `${FOLDER}/${folder}/size`, one: series(limit, device), pattern: FIRST, factor: SECTOR }];
  });
}

/** Sizes of disks and of zram; opt-in. */
export const blockSize: Collector = {
  name: "block_size",
  on: false,
  descriptors: [limit, zramUsage],
  prepare(host) {
    const all = figures(host);
    return {
      files: all.map(({ path }) => path),
      collect(texts, out) {
        for (const [at, { path, one, pattern, factor }] of all.entries()) {
          const text = texts[at];
          // A device that was unplugged takes its files away.
          if (text === undefined) continue;
          const value = unsigned(pattern.exec(text)?.[1]);
          if (value === undefined) out.fault(`Cannot parse "${path}": ${quote(text)}, expected numbers`);
          else out.add(one, times(value, factor));
        }
      },
    };
  },
};
