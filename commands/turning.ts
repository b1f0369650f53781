/**
 * One turn of `run` after the other: collect, hand over, note what happened.
 * @module
 */
import type { Log } from "../config/log.ts";
import { sleep } from "../exporters/clock.ts";
import type { Agent } from "./agent.ts";
import { ClockGuard } from "./clock_guard.ts";
import { crank } from "./schedule.ts";
import type { Service } from "./service.ts";
import type { Sink } from "./sink.ts";
import type { Stop } from "./stop.ts";
import type { Supervisor } from "./supervisor.ts";

/** What turns, and what is told of it. */
export interface Turning {
  readonly agent: Agent;
  readonly sink: Sink;
  readonly stop: Stop;
  readonly log: Log;
  readonly service: Service;
  readonly supervisor: Supervisor;
}

/** Turns the crank until the stop; the first cycle has ended when this returns its promise. */
export function turn({ agent, sink, stop, log, service, supervisor }: Turning): Promise<void> {
  const { sensor } = agent;
  const faults = new Map<string, string | undefined>();
  const guard = new ClockGuard();
  const wakes = () => AbortSignal.any([stop.signal, service.live.changed]);
  let wake = wakes();
  return crank({
    // One signal for each change: one for each turn would pile up.
    wake: () => wake.aborted ? wake = wakes() : wake,
    intervalMs: () => service.live.intervalMs,
    prepare: () => void sensor.refresh(0),
    isPreparing: (withinMs) => sensor.hasSlowWork(withinMs),
    cycle: () => {
      const snapshot = sensor.collect();
      const turned = { monotonicMs: performance.now(), intervalMs: service.live.intervalMs };
      for (const due of guard.pass(snapshot, turned)) sink.take(due);
      const event = guard.takeEvent();
      if (event !== undefined) log.warn(event, { dropped: guard.dropped, regressions: guard.regressions });
      agent.delivery?.receiver?.cycle();
      service.observe(snapshot);
      reportFaults(agent, faults, log);
      supervisor.cycle();
    },
    signal: stop.signal,
  }, { mono: () => performance.now(), sleep });
}

/** One line when a collector's fault begins or changes, one when it ends. */
function reportFaults({ sensor }: Agent, known: Map<string, string | undefined>, log: Log): void {
  for (const { name, fault } of sensor.stats()) {
    if (known.get(name) === fault) continue;
    known.set(name, fault);
    if (fault === undefined) log.info("collector works again", { collector: name });
    else log.warn("collector has a fault", { collector: name, fault });
  }
}
