/**
 * What `top` shows: the status of now beside the one before, as rates, cut to the size of the screen. Pure.
 * @module
 */
import * as show from "../exporters/console_text.ts";
import type { Line } from "../exporters/console_text.ts";
import { age, faultLines, footLines, headLines, laneLines } from "./status_text.ts";
import type { Status, StatusLane } from "./vitals.ts";

/** The lower half: one key each. */
export const VIEWS = ["lanes", "collectors", "faults"] as const;

export type View = typeof VIEWS[number];

/** What decides about the screen beside the figures. */
export interface ScreenOptions {
  readonly rows: number;
  readonly view: View;
  readonly isPaused: boolean;
  /** False: no line about keys. */
  readonly hasKeys: boolean;
}

const COLUMNS = { signal: 8, destination: 12, figure: 10, small: 9 } as const;

function secondsBetween(status: Status, previous: Status | undefined): number | undefined {
  if (previous === undefined || previous.pid !== status.pid) return undefined;
  const seconds = (Date.parse(status.time) - Date.parse(previous.time)) / 1000;
  return seconds > 0 ? seconds : undefined;
}

function laneBefore({ lanes }: Status, { destination, signal }: StatusLane): StatusLane | undefined {
  return lanes.find((lane) => lane.destination === destination && lane.signal === signal);
}

/** Share of one CPU since the status before, as text. */
export function cpuText(status: Status, previous: Status | undefined): string {
  const seconds = secondsBetween(status, previous);
  const [now, before] = [status.process.cpuSeconds, previous?.process.cpuSeconds];
  if (seconds === undefined || now === undefined || before === undefined) return "";
  return show.percent((now - before) / seconds);
}

const HEADER: Line = [[
  [
    show.left("SIGNAL", COLUMNS.signal),
    show.left("DESTINATION", COLUMNS.destination),
    ...["ITEMS/MIN", "BYTES/MIN"].map((word) => show.right(word, COLUMNS.figure)),
    ...["QUEUED", "SPOOL", "REJECTED"].map((word) => show.right(word, COLUMNS.small)),
    "  LAST",
  ].join(""),
  "dim",
]];

function rateLine(lane: StatusLane, status: Status, previous: Status | undefined): Line {
  const seconds = secondsBetween(status, previous);
  const before = previous === undefined ? undefined : laneBefore(previous, lane);
  const perMinute = (now: number, then: number | undefined) =>
    seconds === undefined || then === undefined ? undefined : Math.max(0, (now - then) / seconds * 60);
  const items = perMinute(lane.delivered, before?.delivered);
  const bytes = perMinute(lane.requestBytes, before?.requestBytes);
  const { queued, spool, rejected, lastAccepted } = lane;
  return [
    [show.left(lane.signal, COLUMNS.signal)],
    [show.left(lane.destination, COLUMNS.destination)],
    [show.right(show.amount(items === undefined ? undefined : Math.round(items)), COLUMNS.figure)],
    [show.right(show.bytes(bytes), COLUMNS.figure)],
    [show.right(show.amount(queued), COLUMNS.small), queued > 0 ? "warn" : "plain"],
    [show.right(show.bytes(spool.bytes), COLUMNS.small), spool.bytes > 0 ? "warn" : "plain"],
    [show.right(show.amount(rejected), COLUMNS.small), rejected > 0 ? "bad" : "plain"],
    [`  ${age(lastAccepted, status.time)}`],
  ];
}

/** Collectors by the time their last cycle took. */
function collectorLines({ collectors }: Status): Line[] {
  const sorted = collectors.toSorted((a, b) => b.durationMs - a.durationMs);
  const words = [
    show.left("COLLECTOR", 22),
    show.right("TIME", 10),
    show.right("POINTS", 9),
    show.right("FAULTS", 9),
  ];
  return [
    [[words.join(""), "dim"]],
    ...sorted.map(({ name, durationMs, points, faults }): Line => [
      [show.left(name, 22)],
      [show.right(`${durationMs.toFixed(2)} ms`, 10)],
      [show.right(String(points), 9)],
      [show.right(String(faults), 9), faults > 0 ? "warn" : "plain"],
    ]),
  ];
}

function lower(status: Status, { view }: ScreenOptions): Line[] {
  if (view === "collectors") return collectorLines(status);
  if (view === "faults") return faultLines(status, Infinity);
  return status.lanes.flatMap((lane) => laneLines(lane, status.time).slice(1));
}

const KEYS: Line = [["q quit   l lanes   c collectors   e faults   p pause", "dim"]];

/** One screen of at most so many rows. */
export function screenLines(status: Status, previous: Status | undefined, options: ScreenOptions): Line[] {
  const upper = [
    ...headLines(status, cpuText(status, previous)),
    ...footLines(status),
    [],
    ...(status.lanes.length === 0 ? [] : [HEADER]),
    ...status.lanes.map((lane) => rateLine(lane, status, previous)),
    [],
  ];
  const last: Line[] = !options.hasKeys ? [] : options.isPaused ? [[["paused  ", "warn"], ...KEYS]] : [KEYS];
  const room = Math.max(0, options.rows - upper.length - last.length);
  const below = lower(status, options).slice(0, room);
  const gap = options.hasKeys ? Array.from({ length: room - below.length }, (): Line => []) : [];
  return [...upper, ...below, ...gap, ...last].slice(-options.rows);
}
