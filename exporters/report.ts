/**
 * Delivery as counted by the courier. For every lane, at every moment:
 * produced = delivered + rejected + dropped + merged + quarantined + queued (design 8).
 * @module
 */
import { laneKey, type Signal } from "./batch.ts";

/** What the last failure of a lane was, in the terms of outcome.ts. */
export interface LastFailure {
  readonly class: "transient" | "batch" | "too_large" | "destination";
  readonly cause: string;
  readonly status?: number;
  readonly message: string;
  readonly timeMs: number;
}

/** How long attempts with one kind of end took, since the process began. */
export interface DurationReport {
  /** Of the answer; absent when there was none. */
  readonly status?: number;
  /** Absent for success; else the status, "rejected" for a part, or the cause of outcome.ts. */
  readonly errorType?: string;
  /** Seconds; each bound belongs to the bucket below it. */
  readonly bounds: readonly number[];
  /** One more than bounds. */
  readonly bucketCounts: readonly number[];
  /** Seconds. */
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** One lane's account, in items (points, spans, log records) unless said otherwise. */
export interface LaneReport {
  readonly destination: string;
  readonly signal: Signal;
  readonly produced: number;
  readonly delivered: number;
  /** Refused by the backend: partial success, or with the batch by a status of class B or C. */
  readonly rejected: number;
  /** By reason: "spool_full", "too_old", "oversize", "queue_full", "unsupported_signal", "shutdown", … */
  readonly dropped: Readonly<Record<string, number>>;
  readonly merged: number;
  readonly quarantined: number;
  /** In memory and in the spool, of this life. */
  readonly queued: number;
  readonly queuedBytes: number;
  readonly spoolBytes: number;
  readonly spoolBatches: number;
  /** Items found in the spool at start, from an earlier life; part of `queued` until delivered. */
  readonly inherited: number;
  readonly oldestTimeMs?: number;
  /** Requests by status, "error" for those without an answer. */
  readonly attempts: Readonly<Record<string, number>>;
  /** Of attempts, by their end. */
  readonly durations: readonly DurationReport[];
  readonly requestBytes: number;
  readonly badResponses: number;
  readonly breaker: "closed" | "open" | "half_open";
  readonly lastAcceptedMs?: number;
  readonly clockSkew?: number;
  readonly lastFailure?: LastFailure;
  /** The backend's last words on a partial success. */
  readonly rejection?: string;
}

/** True while nothing has been accepted since the last failure. */
export function isFailing({ lastFailure, lastAcceptedMs = 0 }: LaneReport): boolean {
  return lastFailure !== undefined && lastFailure.timeMs > lastAcceptedMs;
}

/** What a lane held when a flush came to its end. */
export interface LaneLeft extends Pick<LaneReport, "destination" | "signal"> {
  readonly items: number;
}

/** The account of what was there when a flush began: others may hand in more before the report is made. */
export function withoutLater(report: DeliveryReport, left: readonly LaneLeft[]): DeliveryReport {
  const items = new Map(left.map((lane) => [laneKey(lane), lane.items]));
  const lanes = report.lanes.map((lane) => ({
    ...lane,
    queued: Math.min(lane.queued, items.get(laneKey(lane)) ?? lane.queued),
  }));
  return { ...report, lanes };
}

/** All lanes. */
export interface DeliveryReport {
  readonly lanes: readonly LaneReport[];
  /** Set when the spool cannot be used, with the reason. */
  readonly spoolFault?: string;
}
