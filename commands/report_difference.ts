/**
 * What a delivery report says about the data of one request: the difference between two reports of a courier that
 * works for others as well. Exact while nobody else's data fails in the same lane at the same time.
 * @module
 */
import { laneKey } from "../exporters/batch.ts";
import type { DeliveryReport, LaneReport } from "../exporters/report.ts";

/** Items handed in, by `laneKey`. */
export type HandedIn = ReadonlyMap<string, number>;

function grown(
  after: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>> | undefined,
): Record<string, number> {
  const entries = Object.entries(after).map(([key, count]): [string, number] => [
    key,
    count - (before?.[key] ?? 0),
  ]);
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

function laneSince(after: LaneReport, before: LaneReport | undefined, since: Since): LaneReport {
  const { lastFailure, rejection, ...rest } = after;
  const rejected = after.rejected - (before?.rejected ?? 0);
  const isNews = rejection !== undefined && (rejected > 0 || rejection !== before?.rejection);
  const handedIn = since.handedIn?.get(laneKey(after));
  return {
    ...rest,
    produced: handedIn ?? after.produced - (before?.produced ?? 0),
    delivered: after.delivered - (before?.delivered ?? 0),
    rejected,
    dropped: grown(after.dropped, before?.dropped),
    // Oldest first: what is still there of ours is the end of the queue.
    queued: Math.min(after.queued, handedIn ?? after.queued),
    ...(lastFailure !== undefined && lastFailure.timeMs >= since.timeMs ? { lastFailure } : {}),
    ...(isNews ? { rejection } : {}),
  };
}

export interface Since {
  /** Wall clock at the beginning, milliseconds since 1970. */
  readonly timeMs: number;
  /** Absent: all lanes and all they hold. */
  readonly handedIn?: HandedIn;
}

/** The part of `after` that happened since `before`. */
export function reportSince(after: DeliveryReport, before: DeliveryReport, since: Since): DeliveryReport {
  const { handedIn } = since;
  const lanes = after.lanes.filter((lane) => handedIn === undefined || handedIn.has(laneKey(lane)));
  return {
    ...after,
    lanes: lanes.map((lane) =>
      laneSince(lane, before.lanes.find((each) => laneKey(each) === laneKey(lane)), since)
    ),
  };
}
