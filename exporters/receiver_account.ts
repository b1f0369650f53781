/**
 * The receiver's books: requests by status, refusals by reason, items per lane. For each lane, at every moment:
 * taken = forwarded + dropped + grouped (design 8); the courier counts what was forwarded as produced.
 * @module
 */
import type { Signal } from "./batch.ts";
import type { ReceivedLaneReport, ReceiverLane, ReceiverReport } from "./receiver_messages.ts";

/** Why received items were not forwarded to a lane. */
export type ReceivedDropReason =
  | "unsupported_signal"
  | "unsupported_temporality"
  /** No earlier value to take the difference to (otlp M11). */
  | "first_value"
  /** Not later than the value before it. */
  | "out_of_order"
  | "series_limit"
  /** The form changed in a way no difference can be taken of. */
  | "incomparable";

/** Items by reason. */
export type Drops = Partial<Record<ReceivedDropReason, number>>;

/** One (destination, signal), with or without a lane. */
export class LaneAccount {
  readonly destination: string;
  readonly signal: Signal;
  taken = 0;
  forwarded = 0;
  grouped = 0;
  readonly dropped: Drops = {};

  constructor(lane: Pick<ReceiverLane, "destination" | "signal">) {
    this.destination = lane.destination;
    this.signal = lane.signal;
  }

  /** Items taken that go no further. */
  drop(drops: Drops): void {
    this.taken += total(drops);
    addDrops(this.dropped, drops);
  }

  get report(): ReceivedLaneReport {
    const { destination, signal, taken, forwarded, grouped } = this;
    return { destination, signal, taken, forwarded, grouped, dropped: { ...this.dropped } };
  }
}

const REASONS: readonly ReceivedDropReason[] = [
  ...["unsupported_signal", "unsupported_temporality", "first_value"] as const,
  ...["out_of_order", "series_limit", "incomparable"] as const,
];

/** Adds counts to counts. */
export function addDrops(into: Drops, more: Drops): void {
  for (const reason of REASONS) {
    const items = more[reason] ?? 0;
    if (items > 0) into[reason] = (into[reason] ?? 0) + items;
  }
}

/** Items of all reasons. */
export function total(drops: Drops): number {
  return REASONS.reduce((sum, reason) => sum + (drops[reason] ?? 0), 0);
}

/** What only the parts know, asked for with each report. */
export type Gauges = Pick<ReceiverReport, "connections" | "bytesInFlight" | "batches" | "series">;

/** Everything counted since start. */
export class ReceiverAccount {
  readonly #requests = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  readonly received: Record<Signal, number> = { metrics: 0, logs: 0, traces: 0 };
  readonly lanes: LaneAccount[] = [];
  deferred = 0;
  /** Changes with every count, so that an unchanged account is not reported again. */
  revision = 0;

  answered(status: number): void {
    add(this.#requests, String(status));
    this.revision++;
  }

  refused(reason: string): void {
    add(this.#refused, reason);
    this.revision++;
  }

  report(gauges: Gauges): ReceiverReport {
    return {
      requests: Object.fromEntries(this.#requests),
      refused: Object.fromEntries(this.#refused),
      received: { ...this.received },
      deferred: this.deferred,
      lanes: this.lanes.map((lane) => lane.report),
      ...gauges,
    };
  }
}

/** Keys are statuses and reasons, of which there are few. */
function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
