/**
 * Seconds since boot. They count time in suspend; the boot instant behind every counter's start comes from the same
 * file (boot_clock.ts).
 *
 *     845.00 1639.90                  uptime, idle time of all CPUs
 * @module
 */
import type { Collector } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { decimal, quote, wordAfter } from "./text.ts";

const UPTIME = "/proc/uptime";

const uptimeSeconds: Descriptor = {
  name: "system.uptime",
  kind: "gauge",
  unit: "s",
  valueType: "double",
  description: "Time since the system booted, suspended time included",
  source: `${UPTIME}, field 1`,
};
const since: Series = series(uptimeSeconds);

/** Time since boot. */
export const uptime: Collector = {
  name: "uptime",
  descriptors: [uptimeSeconds],
  prepare: () => ({
    files: [UPTIME],
    collect([text], out) {
      if (text === undefined) return;
      const seconds = decimal(wordAfter(text, ""));
      if (seconds === undefined) out.fault(`Cannot parse "${UPTIME}": ${quote(text)}`);
      else out.add(since, seconds);
    },
  }),
};
