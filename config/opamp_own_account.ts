/**
 * The books of own telemetry over all destinations it has had: a delivery that has ended keeps its part, so that what
 * was sent and what was dropped only ever grows.
 * @module
 */
import type { LaneReport } from "../exporters/report.ts";

type Counts = Readonly<Record<string, number>>;

function sum(a: Counts, b: Counts): Counts {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(keys.map((key) => [key, (a[key] ?? 0) + (b[key] ?? 0)]));
}

/** Two parts of one signal's books; what is no count is the later one's. */
function add(earlier: LaneReport, later: LaneReport): LaneReport {
  const counts = [
    "produced",
    "delivered",
    "rejected",
    "merged",
    "quarantined",
    "queued",
    "queuedBytes",
  ] as const;
  const more = ["requestBytes", "badResponses"] as const;
  const totals = [...counts, ...more].map((name) => [name, earlier[name] + later[name]]);
  return {
    ...later,
    ...Object.fromEntries(totals),
    dropped: sum(earlier.dropped, later.dropped),
    attempts: sum(earlier.attempts, later.attempts),
  };
}

/** All parts, added up by signal; later parts last. */
export function addReports(parts: readonly (readonly LaneReport[])[]): readonly LaneReport[] {
  const bySignal = Map.groupBy(parts.flat(), ({ signal }) => signal);
  return [...bySignal.values()].map((own) => own.reduce(add));
}
