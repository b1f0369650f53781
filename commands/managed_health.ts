/**
 * How a running agent is, as its fleet sees it: the whole, and under it every collector, every destination and the
 * spool by name (opamp 3.5).
 * @module
 */
import type { Health } from "../config/opamp_values.ts";
import { isFailing, type LaneReport } from "../exporters/report.ts";
import type { Agent } from "./agent.ts";
import { failureText } from "./health.ts";
import type { Vitals } from "./vitals.ts";

function part(reasons: readonly string[]): Health {
  return reasons.length === 0 ? { healthy: true } : { healthy: false, lastError: reasons.join("; ") };
}

function collectorParts({ sensor }: Agent): [string, Health][] {
  return sensor.stats().map(({ name, fault }) => [
    `collector/${name}`,
    part(fault === undefined ? [] : [fault]),
  ]);
}

/** One for each destination, whatever its signals; nothing has failed before the first report. */
function exporterParts({ settings }: Agent, lanes: readonly LaneReport[]): [string, Health][] {
  return settings.destinations.map(({ name }) => {
    const failing = lanes.filter((lane) => lane.destination === name && isFailing(lane));
    return [`exporter/${name}`, part(failing.map((lane) => `${lane.signal}: ${failureText(lane)}`))];
  });
}

/** The agent's health with that of its parts. */
export function healthOf(agent: Agent, vitals: Vitals): Health {
  const { code, why } = vitals.health();
  const { lanes, spoolFault } = agent.delivery?.link.report ?? { lanes: [] };
  const spool = agent.settings.spool.mode === "off"
    ? []
    : [["spool", part(spoolFault === undefined ? [] : [spoolFault])] as const];
  return {
    ...part(why),
    healthy: code === 0,
    components: Object.fromEntries([...collectorParts(agent), ...exporterParts(agent, lanes), ...spool]),
  };
}
