/**
 * What redundancy hides: RAID arrays that run short of disks, and memory errors that were corrected. Off by default.
 * Kernel: Documentation/admin-guide/md.rst, Documentation/admin-guide/RAS.
 *
 *     /sys/block/md0/md/degraded: 1      /sys/devices/system/edac/mc/mc0/{ce_count: 12, ue_count: 0}
 * @module
 */
import type { Collector, Host, Prepared, Recorder } from "./collector.ts";
import { type Descriptor, series } from "./metric.ts";
import { statusSeries } from "./power_supply.ts";
import { quote, unsigned, wholeValue } from "./text.ts";

const status: Descriptor = {
  name: "hw.status",
  kind: "sum",
  monotonic: false,
  unit: "1",
  valueType: "int",
  description: "1 for the state the component is in, 0 for the others",
  source: "/sys/block/md*/md/degraded: number of missing disks, 0 is ok",
};
const errors: Descriptor = {
  name: "hw.errors",
  kind: "sum",
  monotonic: true,
  unit: "{error}",
  valueType: "int",
  description: "Memory errors by kind",
  source: "/sys/devices/system/edac/mc/mc*/ce_count and ue_count",
};

const EDAC = "/sys/devices/system/edac/mc";
const DEVICES_MAX = 64;

type Add = (value: number | bigint, out: Recorder) => void;

function arrays(host: Host): (readonly [path: string, add: Add])[] {
  const names = host.list("/sys/block").filter((name) => host.exists(`/sys/block/${name}/md/degraded`));
  return names.slice(0, DEVICES_MAX).map((name) => {
    const [ok, degraded] = statusSeries(status, {
      "hw.id": name,
      "hw.name": name,
      "hw.type": "logical_disk",
    });
    return [`/sys/block/${name}/md/degraded`, (value, out) => {
      out.add(ok, Number(value) === 0 ? 1 : 0);
      out.add(degraded, Number(value) === 0 ? 0 : 1);
    }];
  });
}

function memoryErrors(host: Host): (readonly [path: string, add: Add])[] {
  const controllers = host.list(EDAC).filter((name) => /^mc\d+$/.test(name)).slice(0, DEVICES_MAX);
  return controllers.flatMap((name) =>
    [["ce_count", "corrected"], ["ue_count", "uncorrected"]].map(([file, type = ""]) => {
      const target = series(errors, { "hw.id": name, "hw.type": "memory", "error.type": type });
      return [`${EDAC}/${name}/${file}`, (value, out) => out.add(target, value)] as const;
    })
  );
}

/** RAID arrays and memory errors of the host. */
export const redundancy: Collector = {
  name: "redundancy",
  on: false,
  descriptors: [status, errors],
  prepare(host): Prepared {
    const rows = [...arrays(host), ...memoryErrors(host)];
    return {
      files: rows.map(([path]) => path),
      collect(texts, out) {
        for (const [at, [path, add]] of rows.entries()) {
          const value = unsigned(wholeValue(texts[at]));
          if (value !== undefined) add(value, out);
          else if (texts[at] !== undefined) {
            out.fault(`Cannot parse number ${quote(texts[at] ?? "")} of "${path}"`);
          }
        }
      },
    };
  },
};
