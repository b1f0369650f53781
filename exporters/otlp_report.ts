/**
 * A client's counters per signal: its lanes' books and what never became a batch, in one account.
 * @module
 */
import { addDrop } from "./account.ts";
import type { Signal } from "./batch.ts";
import type { LaneReport, LastFailure } from "./report.ts";

/** One signal's account in items. At every moment added = delivered + rejected + dropped + queued. */
export interface SignalReport {
  readonly signal: Signal;
  readonly added: number;
  readonly delivered: number;
  /** Refused by the backend: partial success, or with the batch. */
  readonly rejected: number;
  /** By reason: "queue_full", "too_old", "oversize", "invalid", "retries_exhausted", "shutdown", "unsupported_signal", … */
  readonly dropped: Readonly<Record<string, number>>;
  /** Waiting to be made into a batch, or in one. */
  readonly queued: number;
  /** Trace and span ids that were none, left out of items that were kept. */
  readonly badIds: number;
  /** Requests by status, "error" for those without an answer. */
  readonly attempts: Readonly<Record<string, number>>;
  readonly requestBytes: number;
  /** The worst of the signal's lanes. */
  readonly breaker: LaneReport["breaker"];
  readonly lastAcceptedMs?: number;
  readonly lastFailure?: LastFailure;
  /** The backend's last words on a partial success. */
  readonly rejection?: string;
}

/** What a client counts before its lanes do. */
export interface Counted {
  added: number;
  /** Of these, what was encoded and handed to the lanes. */
  handed: number;
  badIds: number;
  readonly dropped: Record<string, number>;
}

const WORST: readonly LaneReport["breaker"][] = ["open", "half_open", "closed"];

/** The account of one signal from its lanes' books. */
export function sumReports(
  signal: Signal,
  { counted, waiting, lanes }: {
    readonly counted: Counted;
    /** Items taken in and not handed on yet. */
    readonly waiting: number;
    readonly lanes: readonly LaneReport[];
  },
): SignalReport {
  const sum = (column: (lane: LaneReport) => number) =>
    lanes.reduce((total, lane) => total + column(lane), 0);
  const tally = { dropped: { ...counted.dropped } };
  for (const lane of lanes) {
    for (const [reason, items] of Object.entries(lane.dropped)) addDrop(tally, reason, items);
  }
  const attempts: Record<string, number> = {};
  for (const lane of lanes) {
    for (const [status, count] of Object.entries(lane.attempts)) {
      attempts[status] = (attempts[status] ?? 0) + count;
    }
  }
  const accepted = lanes.flatMap(({ lastAcceptedMs }) => lastAcceptedMs ?? []);
  const failures = lanes.flatMap(({ lastFailure }) => lastFailure ?? []);
  const lastFailure = failures.toSorted((a, b) => b.timeMs - a.timeMs)[0];
  const rejection = lanes.find((lane) => lane.rejection !== undefined)?.rejection;
  return {
    signal,
    added: counted.added,
    delivered: sum((lane) => lane.delivered),
    rejected: sum((lane) => lane.rejected),
    dropped: tally.dropped,
    // On its way to a lane: handed over, and in no lane's books yet.
    queued: waiting + counted.handed - sum((lane) => lane.produced) + sum((lane) => lane.queued),
    badIds: counted.badIds,
    attempts,
    requestBytes: sum((lane) => lane.requestBytes),
    breaker: WORST.find((state) => lanes.some(({ breaker }) => breaker === state)) ?? "closed",
    ...(accepted.length > 0 && { lastAcceptedMs: Math.max(...accepted) }),
    ...(lastFailure !== undefined && { lastFailure }),
    ...(rejection !== undefined && { rejection }),
  };
}
