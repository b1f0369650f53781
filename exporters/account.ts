/**
 * The books of one lane, in items. Every item that came in is in exactly one column at every moment:
 * produced = delivered + rejected + dropped + merged + quarantined + queued (design 8).
 * @module
 */
import { AttemptDurations } from "./attempt_durations.ts";
import type { Outcome } from "./outcome.ts";
import type { LaneReport, LastFailure } from "./report.ts";

/** Why items were discarded. */
export type DropReason =
  | "spool_full"
  | "spool_damaged"
  | "too_old"
  | "oversize"
  | "queue_full"
  | "unsupported_signal"
  | "retries_exhausted"
  | "shutdown"
  | "asked";

/** What became of the items of one batch, once all of its parts are settled. */
export interface Tally {
  delivered: number;
  rejected: number;
  readonly dropped: Record<string, number>;
  quarantined: number;
}

export function emptyTally(): Tally {
  return { delivered: 0, rejected: 0, dropped: {}, quarantined: 0 };
}

/** Adds to one reason's count. */
export function addDrop(tally: Pick<Tally, "dropped">, reason: string, items: number): void {
  tally.dropped[reason] = (tally.dropped[reason] ?? 0) + items;
}

/** Distinct keys of `attempts`; statuses beyond are summed under "other". */
const STATUSES_MAX = 64;

export class Account {
  produced = 0;
  /** Became part of other items of the same series (otlp M12). */
  merged = 0;
  readonly total: Tally = emptyTally();
  readonly attempts: Record<string, number> = {};
  readonly #durations = new AttemptDurations();
  requestBytes = 0;
  badResponses = 0;
  lastAcceptedMs?: number;
  clockSkew?: number;
  lastFailure?: LastFailure;
  rejection?: string;

  drop(reason: DropReason, items: number): void {
    addDrop(this.total, reason, items);
  }

  /** Books a settled batch. */
  book(tally: Tally): void {
    this.total.delivered += tally.delivered;
    this.total.rejected += tally.rejected;
    this.total.quarantined += tally.quarantined;
    for (const [reason, items] of Object.entries(tally.dropped)) addDrop(this.total, reason, items);
  }

  /** Notes one attempt, whatever becomes of the batch. */
  attempted(
    outcome: Outcome,
    { bytes, wallMs, tookMs }: { bytes: number; wallMs: number; tookMs: number },
  ): void {
    this.#durations.record(outcome, tookMs / 1000);
    const status = outcome.status === undefined ? "error" : String(outcome.status);
    const key = status in this.attempts || Object.keys(this.attempts).length < STATUSES_MAX
      ? status
      : "other";
    this.attempts[key] = (this.attempts[key] ?? 0) + 1;
    this.requestBytes += bytes;
    if (outcome.kind === "accepted") {
      this.lastAcceptedMs = wallMs;
      if (outcome.badResponse) this.badResponses++;
      if (outcome.clockSkew !== undefined) this.clockSkew = outcome.clockSkew;
      if (outcome.message !== undefined) this.rejection = outcome.message;
      return;
    }
    const { cause, message } = outcome;
    this.lastFailure = {
      class: outcome.kind === "retryable" ? "transient" : outcome.class,
      cause,
      message,
      timeMs: wallMs,
      ...(outcome.status !== undefined && { status: outcome.status }),
    };
  }

  /** The counted part of a report. */
  columns(): Omit<LaneReport, "destination" | "signal" | "breaker" | keyof Held> {
    const { delivered, rejected, dropped, quarantined } = this.total;
    return {
      produced: this.produced,
      delivered,
      rejected,
      dropped: { ...dropped },
      merged: this.merged,
      quarantined,
      attempts: { ...this.attempts },
      durations: this.#durations.report(),
      requestBytes: this.requestBytes,
      badResponses: this.badResponses,
      ...(this.lastAcceptedMs !== undefined && { lastAcceptedMs: this.lastAcceptedMs }),
      ...(this.clockSkew !== undefined && { clockSkew: this.clockSkew }),
      ...(this.lastFailure !== undefined && { lastFailure: this.lastFailure }),
      ...(this.rejection !== undefined && { rejection: this.rejection }),
    };
  }
}

/** What is waiting: the part of a report that the backlog knows. */
export type Held = Pick<
  LaneReport,
  "queued" | "queuedBytes" | "spoolBytes" | "spoolBatches" | "inherited" | "oldestTimeMs"
>;
