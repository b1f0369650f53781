/**
 * Pressure stall information of the own control group: how long its tasks waited, whatever the rest of the host did.
 * Version 2 alone has it; unlike the whole system's, its "full" of cpu says something. Kernel:
 * Documentation/admin-guide/cgroup-v2.rst.
 *
 *     /sys/fs/cgroup/a/b/cpu.pressure: "some avg10=1.21 avg60=1.43 avg300=0.85 total=8023529"
 * @module
 */
import { ownGroupFiles } from "./cgroup.ts";
import type { Collector, Prepared } from "./collector.ts";
import { collectPressure, pressureFile } from "./pressure.ts";

const FILES = (["cpu", "memory", "io"] as const).map((resource) => {
  const name = `${resource}.pressure`;
  const stallTypes = ["some", "full"] as const;
  return { name, ...pressureFile({ area: "container", resource, stallTypes, source: `cgroup ${name}` }) };
});

/** Pressure stall totals and averages of the own control group. */
export const containerPressure: Collector = {
  name: "container_pressure",
  on: false,
  descriptors: FILES.flatMap(({ descriptors }) => descriptors),
  prepare(host): Prepared {
    const open = FILES.flatMap((file) =>
      ownGroupFiles(host, [file.name]).map((path) => ({ ...file, path })).filter(({ path }) =>
        // The kernel refuses to read it until PSI is switched on at boot (host-metrics P30).
        host.read(path) !== undefined
      )
    );
    return {
      files: open.map(({ path }) => path),
      collect(texts, out) {
        for (const [at, file] of open.entries()) {
          const text = texts[at];
          if (text !== undefined) collectPressure(file, text, out);
        }
      },
    };
  },
};
