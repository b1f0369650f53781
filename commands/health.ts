/**
 * Whether a running agent does its job: data is accepted, not merely sent. `status --healthy` and `/healthz` ask
 * here. Health is the age of the last accepted delivery, not the life of the process (agents 3, row 8).
 * @module
 */
import { type DeliveryReport, isFailing, type LaneReport } from "../exporters/report.ts";

/** A judgement: 0, or the code of the worst trouble (design 6), and a line for each. */
export interface Health {
  readonly code: 0 | 69 | 77;
  readonly why: readonly string[];
}

/** What health is judged by. Times are milliseconds since 1970. */
export interface Pulse extends DeliveryReport {
  readonly timeMs: number;
  readonly startedMs: number;
  readonly intervalMs: number;
}

/** A short outage is what the spool is for; health speaks after this, and after three intervals. */
const GRACE_MS = 60_000;
const GRACE_INTERVALS = 3;

function isAuth({ lastFailure }: LaneReport): boolean {
  return lastFailure?.status === 401 || lastFailure?.status === 403;
}

/** `503 unavailable`, without the backend's words. */
export function failureText({ lastFailure }: LaneReport): string {
  if (lastFailure === undefined) return "";
  return [lastFailure.status, lastFailure.cause].filter((part) => part !== undefined).join(" ");
}

function laneTrouble(lane: LaneReport, { timeMs, startedMs, intervalMs }: Pulse): string | undefined {
  const where = `${lane.signal} to ${lane.destination}`;
  const isRefused = isFailing(lane) && lane.lastFailure?.class === "destination";
  if (isRefused) return `${where}: ${failureText(lane)}`;
  const silentMs = timeMs - (lane.lastAcceptedMs ?? startedMs);
  const grace = Math.max(GRACE_MS, GRACE_INTERVALS * intervalMs);
  if (lane.queued === 0 || silentMs <= grace) return undefined;
  const cause = isFailing(lane) ? `: ${failureText(lane)}` : "";
  return `${where}: nothing accepted for ${Math.round(silentMs / 1000)} s${cause}`;
}

/** Judges all lanes; a process without lanes is healthy while it runs. */
export function judgeHealth(pulse: Pulse): Health {
  const troubled = pulse.lanes.flatMap((lane) => {
    const why = laneTrouble(lane, pulse);
    return why === undefined ? [] : [{ lane, why }];
  });
  if (troubled.length === 0) return { code: 0, why: [] };
  const isKey = troubled.some(({ lane }) => isFailing(lane) && isAuth(lane));
  return { code: isKey ? 77 : 69, why: troubled.map(({ why }) => why) };
}
