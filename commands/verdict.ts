/**
 * From a delivery report to an exit code and to words: what became of the data of a one-shot verb (design 6).
 * @module
 */
import type { DeliveryReport, LaneReport } from "../exporters/report.ts";

/** With several outcomes the worst counts; this is their order. */
const WORST_FIRST = [77, 69, 74, 76, 75] as const;

const LOOK = "Type sonde doctor: it finds what is to be mended";
const WAIT = "Type sonde spool ls to see it; the next run or sonde spool drain sends it";
/** What to type, by code. */
const HINTS: Readonly<Record<typeof WORST_FIRST[number], string>> = {
  77: LOOK,
  69: LOOK,
  74: LOOK,
  76: LOOK,
  75: WAIT,
};

/** What a one-shot verb says and ends with. */
export interface Verdict {
  readonly code: number;
  /** Lines for stderr; empty when all is well. */
  readonly lines: readonly string[];
}

const AUTH = [401, 403];

function droppedItems(lane: LaneReport): number {
  return Object.values(lane.dropped).reduce((sum, items) => sum + items, 0);
}

/** Every code that a lane's account calls for; none when all was delivered. */
function codesOf(lane: LaneReport, hasSpoolFault: boolean): number[] {
  const { lastFailure, rejection, rejected, queued } = lane;
  const codes: number[] = [];
  const isAuth = lastFailure?.status !== undefined && AUTH.includes(lastFailure.status);
  if (isAuth) codes.push(77);
  if (queued > 0) codes.push(75);
  if (rejected > 0 && rejection !== undefined) codes.push(76);
  const lost = droppedItems(lane) + (rejection === undefined ? rejected : 0);
  if (lost > 0 && !isAuth) codes.push(hasSpoolFault ? 74 : 69);
  return codes;
}

function failureWords({ lastFailure }: LaneReport): string {
  if (lastFailure === undefined) return "";
  const { status, cause, message } = lastFailure;
  const words = [status, cause, message].filter((part) => part !== undefined && part !== "").join(" ");
  return `: ${words}`;
}

/** What a reason means to whoever has to do something about it. */
const REASONS: Readonly<Record<string, string>> = {
  too_old: "older than the destination takes",
  spool_full: "the spool was full",
  queue_full: "memory was full",
  oversize: "larger than the destination takes",
  retries_exhausted: "tried often enough",
  unsupported_signal: "no destination takes them",
};

/** `30 older than the destination takes`; nothing for what the failure says already. */
function lossWords({ dropped }: LaneReport): string {
  const words = Object.entries(dropped).flatMap(([reason, items]) => {
    const meaning = REASONS[reason];
    return meaning === undefined || items === 0 ? [] : [`${items} ${meaning}`];
  });
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}

/** `1 item`, `30 items`. */
export function itemCount(count: number): string {
  return `${count} item${count === 1 ? "" : "s"}`;
}

function linesOf(lane: LaneReport): string[] {
  const where = `${lane.signal} to ${lane.destination}`;
  const lines: string[] = [];
  const lost = droppedItems(lane) + (lane.rejection === undefined ? lane.rejected : 0);
  if (lane.queued > 0) {
    lines.push(`${where}: ${itemCount(lane.queued)} kept in the spool${failureWords(lane)}`);
  }
  if (lost > 0) lines.push(`${where}: ${itemCount(lost)} lost${lossWords(lane)}${failureWords(lane)}`);
  if (lane.rejection !== undefined) {
    const what = lane.rejected > 0 ? `rejected ${itemCount(lane.rejected)}` : "warned";
    lines.push(`${where}: the backend ${what}: ${lane.rejection}`);
  }
  return lines;
}

/** Judges a report. `isSpoolEnough`: what is safe on disk counts as done (`--spool-ok`). */
export function judge(report: DeliveryReport, isSpoolEnough: boolean): Verdict {
  const codes = new Set(report.lanes.flatMap((lane) => codesOf(lane, report.spoolFault !== undefined)));
  if (isSpoolEnough) codes.delete(75);
  const lines = report.lanes.flatMap(linesOf);
  if (report.spoolFault !== undefined && codes.size > 0) lines.push(`spool unusable: ${report.spoolFault}`);
  const code = WORST_FIRST.find((each) => codes.has(each));
  if (code === undefined) return { code: 0, lines };
  return { code, lines: [...lines, `hint: ${HINTS[code]}`] };
}
