/**
 * A status for people: the lines of `sonde status` and of `top`. Words of backends and names from the host are
 * cleaned before they reach a terminal.
 * @module
 */
import type { OpampReport } from "../config/opamp_port.ts";
import * as show from "../exporters/console_text.ts";
import type { Line, Style } from "../exporters/console_text.ts";
import type { DurationReport } from "../exporters/report.ts";
import type { Status, StatusLane } from "./vitals.ts";

const COLUMNS = { signal: 9, destination: 14, count: 11, spool: 11, breaker: 10 } as const;
const FAULTS_MAX = 8;
/** The share of attempts that the middle of three figures speaks of. */
const WITHIN = 0.95;

/** `8 s ago`, or "never". */
export function ago(time: string | undefined, now: string): string {
  if (time === undefined) return "never";
  return `${show.duration(Math.max(0, (Date.parse(time) - Date.parse(now)) / -1000))} ago`;
}

/** The largest unit of the same: `8 s`. */
export function age(time: string | undefined, now: string): string {
  const [count, unit] = ago(time, now).split(" ");
  return unit === undefined ? "never" : `${count} ${unit}`;
}

/** First lines: who this is and whether it does its job. */
export function headLines(status: Status, cpu: string): Line[] {
  const up = show.duration((Date.parse(status.time) - Date.parse(status.started)) / 1000);
  const about = [
    `up ${up}`,
    `every ${status.intervalMs / 1000} s`,
    show.bytes(status.process.residentBytes),
    ...(cpu === "" ? [] : [`cpu ${cpu}`]),
    `pid ${status.pid}`,
  ];
  const health: Line[] = status.healthy
    ? [[["healthy", "good"], [`  last accepted ${lastAccepted(status)}`]]]
    : status.health.why.map((why): Line => [["not healthy", "bad"], [`  ${show.clean(why)}`]]);
  const name = `sonde ${status.version}`;
  return [[[name, "title"], [`  ${show.clean(status.host)}  ${about.join(" · ")}`]], ...health];
}

function lastAccepted({ lanes, time }: Status): string {
  if (lanes.length === 0) return "nothing, for there is no destination";
  const times = lanes.flatMap(({ lastAccepted: at }) => at === undefined ? [] : [at]).sort();
  return ago(times.at(-1), time);
}

/** Where the agent may go and what it may spend. */
export function footLines({ reaches, budget, spoolFault }: Status): Line[] {
  const lines: Line[] = [
    [[`sandbox: no permission left; the courier reaches ${reaches.join(" ") || "nothing"}`, "dim"]],
  ];
  if (spoolFault !== undefined) lines.unshift([["spool unusable", "bad"], [`  ${show.clean(spoolFault)}`]]);
  if (budget !== undefined) {
    const { sentBytes, bytesPerDay, intervalMs, shed } = budget;
    const words = [
      `${show.bytes(sentBytes)} of ${show.bytes(bytesPerDay)} sent today`,
      `interval ${intervalMs / 1000} s`,
    ];
    if (shed.length > 0) words.push(`left out: ${shed.join(", ")}`);
    lines.unshift([["budget", "title"], [`  ${words.join(" · ")}`]]);
  }
  return lines;
}

const HEADER: Line = [[
  [
    show.left("SIGNAL", COLUMNS.signal),
    show.left("DESTINATION", COLUMNS.destination),
    ...["DELIVERED", "REJECTED", "DROPPED", "QUEUED"].map((word) => show.right(word, COLUMNS.count)),
    show.right("SPOOL", COLUMNS.spool),
  ].join(""),
  "dim",
]];

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function counted(value: number, style: Style): [string, Style] {
  return [show.right(show.amount(value), COLUMNS.count), value > 0 ? style : "plain"];
}

/** One lane: its account, and under it what is wrong. */
export function laneLines(lane: StatusLane, time: string): Line[] {
  const lines: Line[] = [[
    [show.left(lane.signal, COLUMNS.signal)],
    [show.left(lane.destination, COLUMNS.destination)],
    counted(lane.delivered, "plain"),
    counted(lane.rejected, "warn"),
    counted(total(lane.dropped), "bad"),
    counted(lane.queued, "warn"),
    [show.right(show.bytes(lane.spool.bytes), COLUMNS.spool)],
  ]];
  const { lastFailure: failure, breaker, rejection } = lane;
  const isOver = failure !== undefined && Date.parse(lane.lastAccepted ?? "") > failure.timeMs;
  const reasons = Object.entries(lane.dropped).map(([reason, items]) => `${reason} ${items}`);
  if (breaker !== "closed") lines.push([["  breaker ", "dim"], [breaker.replace("_", " "), "warn"]]);
  if (reasons.length > 0) lines.push([["  dropped: ", "dim"], [reasons.join(", ")]]);
  if (rejection !== undefined) lines.push([["  backend says: ", "dim"], [show.clean(rejection)]]);
  if (failure !== undefined) {
    const words = [failure.status, failure.cause, show.clean(failure.message)].filter((part) =>
      part !== undefined
    );
    const when = ago(new Date(failure.timeMs).toISOString(), time);
    lines.push([["  last failure ", "dim"], [`${when}: ${words.join(" ")}`, isOver ? "dim" : "bad"]]);
  }
  return lines;
}

/** `25 ms`, `1.5 s`. */
function briefly(seconds: number): string {
  return seconds < 1
    ? `${Number((seconds * 1000).toPrecision(2))} ms`
    : `${Number(seconds.toPrecision(2))} s`;
}

/** `1,203 ok, mean 12 ms, 95% within 25 ms, longest 80 ms`. */
function durationWords({ errorType, bounds, bucketCounts, sum, max }: DurationReport): string {
  const count = bucketCounts.reduce((all, each) => all + each, 0);
  let below = 0;
  const most = bounds[bucketCounts.findIndex((each) => (below += each) >= count * WITHIN)];
  const within = most === undefined ? [] : [`${WITHIN * 100}% within ${briefly(Math.min(most, max))}`];
  return [
    `${show.amount(count)} ${show.clean(errorType ?? "ok")}`,
    `mean ${briefly(sum / Math.max(1, count))}`,
    ...within,
    `longest ${briefly(max)}`,
  ].join(", ");
}

/** How long attempts took; an agent of an older version does not say. */
function durationLines({ durations = [] }: Partial<StatusLane>): Line[] {
  return durations.map((
    one,
    at,
  ): Line => [[at === 0 ? "  attempts: " : "            ", "dim"], [durationWords(one)]]);
}

/** All lanes under their header. */
export function lanesLines({ lanes, time }: Status): Line[] {
  const linesOf = (lane: StatusLane) => [...laneLines(lane, time), ...durationLines(lane)];
  return lanes.length === 0 ? [] : [HEADER, ...lanes.flatMap(linesOf)];
}

/** Collectors with a fault, and what this host hides. */
export function faultLines({ collectors, omitted, points }: Status, most: number = FAULTS_MAX): Line[] {
  const faulty = collectors.filter(({ fault }) => fault !== undefined);
  const summary = `${collectors.length} collectors, ${points} points in the last cycle`;
  const lines: Line[] = [
    [[summary, "dim"]],
    ...faulty.map(({ name, fault }): Line => [[`  ${name}: `, "warn"], [show.clean(fault ?? "")]]),
    ...omitted.map((
      { what, why },
    ): Line => [[`  not shown: ${show.clean(what)}: ${show.clean(why)}`, "dim"]]),
  ];
  if (lines.length <= most + 1) return lines;
  return [...lines.slice(0, most), [[`  and ${lines.length - most} more`, "dim"]]];
}

function offerLine(offer: OpampReport["offer"]): Line {
  if (offer === undefined) return [["  remote configuration is not accepted", "dim"]];
  if (offer.state === "unset") return [["  no remote configuration was offered", "dim"]];
  const words = `  remote configuration ${offer.hash.slice(0, 16)} ${offer.state}`;
  return offer.state === "failed" ? [[words, "warn"], [`: ${show.clean(offer.error)}`]] : [[words]];
}

function settingsLine({ settings }: OpampReport): Line[] {
  if (settings === undefined) return [];
  const words = `  connection settings ${settings.hash.slice(0, 16)} ${settings.state}`;
  return [settings.state === "failed" ? [[words, "warn"], [`: ${show.clean(settings.error)}`]] : [[words]]];
}

function ownLines({ own = [] }: OpampReport): Line[] {
  return own.map((lane): Line => {
    const lost = Object.entries(lane.dropped).map(([reason, items]) => `, ${items} dropped (${reason})`);
    const counts = `${lane.delivered} delivered, ${lane.queued} waiting${lost.join("")}`;
    const where = lane.endpoint === "" ? "no longer wanted" : `to ${show.clean(lane.endpoint)}`;
    return [[`  own ${lane.signal} ${where}: ${counts}`]];
  });
}

/** The OpAMP link, what became of the last offers, and where own telemetry goes. */
export function opampLines({ opamp }: Status): Line[] {
  if (opamp === undefined) return [];
  const { endpoint, isConnected, failure, phase, offer } = opamp;
  const link: Line = isConnected
    ? [["opamp", "title"], [`  ${show.clean(endpoint)}  `], ["connected", "good"]]
    : [["opamp", "title"], [`  ${show.clean(endpoint)}  `], [
      show.clean(failure?.reason ?? "connecting"),
      "bad",
    ]];
  const stale: Line[] = phase === "stale"
    ? [[["  silent for too long: the local configuration alone counts", "warn"]]]
    : [];
  return [link, ...stale, offerLine(offer), ...settingsLine(opamp), ...ownLines(opamp)];
}

/** The whole text of `sonde status`. */
export function statusLines(status: Status): Line[] {
  const cpu = status.process.cpuSeconds === undefined ? "" : `${status.process.cpuSeconds.toFixed(1)} s`;
  const blocks = [
    ...[headLines(status, cpu), lanesLines(status), faultLines(status)],
    ...[opampLines(status), footLines(status)],
  ];
  return blocks.filter((block) => block.length > 0).flatMap((block, at) => at === 0 ? block : [[], ...block]);
}
