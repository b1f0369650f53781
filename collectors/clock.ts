/**
 * Whether this host's clock can be trusted: the kernel's own word on synchronisation, its distance from the
 * backends' clocks, and jumps. Nothing under /proc tells; the kernel is asked by the kept adjtimex(2) call, the
 * distance is handed in by whoever reads the Date header of answers.
 * @module
 */
import type { Collector, Cycle, Prepared } from "./collector.ts";
import { type Descriptor, series } from "./metric.ts";

const synchronized: Descriptor = {
  name: "system.clock.linux.synchronized",
  kind: "gauge",
  unit: "1",
  valueType: "int",
  description: "1 while the kernel considers its clock synchronised, else 0",
  source: "adjtimex(2) with modes 0: any state but TIME_ERROR",
};
const offset: Descriptor = {
  name: "system.clock.offset",
  kind: "gauge",
  unit: "s",
  valueType: "double",
  description: "What would have to be added to this host's clock, by source",
  source: "http_date: Date header of answers, within a second; adjtimex: the correction under way",
};
const steps: Descriptor = {
  name: "system.clock.linux.steps",
  kind: "sum",
  monotonic: true,
  unit: "{step}",
  valueType: "int",
  description: "Jumps of the clock by more than a second between two cycles, since start",
  source: "change of (wall clock - /proc/uptime)",
};

const synchronizedSeries = series(synchronized);
const stepsSeries = series(steps);
const byAdjtimex = series(offset, { source: "adjtimex" });
const byHttpDate = series(offset, { source: "http_date" });

/** A smaller change is discipline or rounding, not a jump. */
const STEP_SECONDS = 1;

/** What others know about this host's clock. */
export interface ClockOptions {
  /** What would have to be added to the clock by the Date header of answers, in seconds; undefined: not known lately. */
  readonly httpOffset?: () => number | undefined;
}

/** Boot instant by the wall clock, in seconds; moves only when the wall clock is set. */
function bootInstant(cycle: Cycle): number | undefined {
  return cycle.uptime === undefined ? undefined : Number(cycle.timeNs / 1000n) / 1e6 - cycle.uptime;
}

/** The clock of this host. */
export function clock(options: ClockOptions = {}): Collector {
  return {
    name: "clock",
    descriptors: [synchronized, offset, steps],
    prepare(host): Prepared {
      let lastBoot: number | undefined;
      let stepCount = 0;
      return {
        files: [],
        collect(_texts, out) {
          const state = host.adjtimex();
          if (state !== undefined) out.add(synchronizedSeries, state.synchronized ? 1 : 0);
          // Some daemons discipline the clock without telling the kernel and leave 0 there: that is no measurement.
          if (state?.synchronized === true && state.offset !== 0) out.add(byAdjtimex, state.offset);
          const httpOffset = options.httpOffset?.();
          if (httpOffset !== undefined) out.add(byHttpDate, httpOffset);
          const boot = bootInstant(out.cycle);
          if (boot !== undefined && lastBoot !== undefined && Math.abs(boot - lastBoot) > STEP_SECONDS) {
            stepCount++;
          }
          lastBoot = boot ?? lastBoot;
          out.add(stepsSeries, stepCount);
        },
      };
    },
  };
}
