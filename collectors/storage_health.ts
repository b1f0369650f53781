/**
 * Wear of eMMC storage, on wherever there is one. Kernel: Documentation/driver-api/mmc/mmc-dev-attrs.rst.
 *
 *     /sys/block/mmcblk0/device/life_time: 0x02 0x01      (steps of 10 % used, for the two kinds of memory inside)
 * @module
 */
import type { Collector, Prepared } from "./collector.ts";
import { type Descriptor, series } from "./metric.ts";
import { quote, wholeValue } from "./text.ts";

const endurance: Descriptor = {
  name: "hw.physical_disk.endurance_utilization",
  kind: "gauge",
  unit: "1",
  valueType: "double",
  description: "Share of the storage's expected life that is left at least",
  source: "/sys/block/mmcblk*/device/life_time, the worse of both: 1 - n / 10",
};

const LIFE_TIME = /^0x([0-9a-f]{2}) 0x([0-9a-f]{2})$/i;
const DISKS_MAX = 16;
/** 0x01 to 0x0A are tenths used, 0x0B is past the end; 0 says that nothing is known. */
const STEPS = 10;

/** Wear of the host's eMMC storage. */
export const storageHealth: Collector = {
  name: "storage_health",
  descriptors: [endurance],
  prepare(host): Prepared {
    const disks = host.list("/sys/block")
      .filter((name) => /^mmcblk\d+$/.test(name) && host.exists(`/sys/block/${name}/device/life_time`))
      .slice(0, DISKS_MAX);
    const targets = disks.map((name) =>
      series(endurance, { "hw.id": name, "hw.name": name, "hw.physical_disk.state": "remaining" })
    );
    return {
      files: disks.map((name) => `/sys/block/${name}/device/life_time`),
      collect(texts, out) {
        for (const [at, target] of targets.entries()) {
          const value = wholeValue(texts[at]);
          if (value === undefined) continue;
          const found = LIFE_TIME.exec(value);
          if (found === null) {
            out.fault(`Cannot parse life time ${quote(value)}: expected two hexadecimal bytes`);
            continue;
          }
          const worse = Math.max(parseInt(found[1] ?? "", 16), parseInt(found[2] ?? "", 16));
          if (worse > 0) out.add(target, Math.max(0, STEPS - worse) / STEPS);
        }
      },
    };
  },
};
