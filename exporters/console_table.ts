/**
 * The table for people: this host on one screen of 80 columns, rates and percentages rather than totals since boot.
 * An area without data has no lines; a figure not known yet is "-".
 * @module
 */
import type { Attributes, Omission, Snapshot } from "../collectors/metric.ts";
import { deviceLines } from "./console_devices.ts";
import { Reading } from "./console_reading.ts";
import * as show from "./console_text.ts";
import type { Line, Span } from "./console_text.ts";

/** How the table is drawn. */
export interface TableOptions {
  /** Columns; below 60 the table is drawn for 60 and cut. */
  readonly width: number;
  readonly color: boolean;
  /** For the first line. */
  readonly resource?: Attributes;
}

/** Columns of the names at the left. */
const LABEL = 13;
const BAR = 12;
/** Omissions shown before "and N more". */
const OMITTED_MAX = 3;

/** One screen. Without an earlier snapshot there are no rates yet. */
export function table(snapshot: Snapshot, previous: Snapshot | undefined, options: TableOptions): string {
  const reading = new Reading(snapshot, previous);
  const blocks: readonly (readonly Line[])[] = [
    [heading(reading, options.resource ?? {})],
    overview(reading),
    ...deviceLines(reading, Math.max(60, options.width)),
    activity(reading),
    footer(snapshot, previous),
  ];
  const lines = blocks.filter((block) => block.length > 0).flatMap((block) => [...block, []]);
  return show.paint(lines.slice(0, -1), options.width, options.color);
}

function heading(reading: Reading, resource: Attributes): Line {
  const uptime = reading.value("system.uptime");
  const about = ["os.description", "host.arch"].map((key) => resource[key])
    .filter((value) => value !== undefined).map((value) => show.clean(String(value)));
  if (uptime !== undefined) about.push(`up ${show.duration(uptime)}`);
  return [[show.clean(String(resource["host.name"] ?? "this host")), "title"], [`  ${about.join(" · ")}`]];
}

/** A line whose first figure is a share of something: name, percentage, bar, words. */
function share(label: string, fraction: number | undefined, words: string): Line {
  const figure: Span = [show.right(show.percent(fraction), 7), show.level(fraction)];
  return [[show.left(label, LABEL), "title"], figure, ["  "], ...show.bar(fraction, BAR), [`  ${words}`]];
}

function plain(label: string, words: readonly string[]): Line {
  return [[show.left(label, LABEL), "title"], [` ${words.join("   ")}`]];
}

function overview(reading: Reading): readonly Line[] {
  return [
    ...cpu(reading),
    ...load(reading),
    ...memory(reading),
    ...swap(reading),
    ...pressure(reading),
    ...temperature(reading),
  ];
}

function cpu(reading: Reading): readonly Line[] {
  const modes = reading.values("system.cpu.time", "cpu.mode");
  if (modes.length === 0) return [];
  const rates = new Map(modes.map((mode) => [mode, reading.rate("system.cpu.time", { "cpu.mode": mode })]));
  const total = [...rates.values()].reduce<number>((sum, rate) => sum + (rate ?? 0), 0);
  if (total <= 0) return [share("cpu", undefined, "")];
  const part = (mode: string): number => (rates.get(mode) ?? 0) / total;
  const words = ["user", "system", "iowait", "steal"].filter((mode) =>
    mode !== "steal" || part(mode) > 0.0005
  )
    .map((mode) => `${mode} ${(part(mode) * 100).toFixed(part(mode) < 0.0995 ? 1 : 0)}`);
  return [share("cpu", 1 - part("idle") - part("iowait"), words.join("  "))];
}

function load(reading: Reading): readonly Line[] {
  const averages = ["1m", "5m", "15m"].map((span) => reading.value(`system.cpu.load_average.${span}`));
  if (averages.every((average) => average === undefined)) return [];
  const words = [averages.map((average) => average?.toFixed(2) ?? show.UNKNOWN).join("  ")];
  const cpus = reading.value("system.cpu.logical.count");
  if (cpus !== undefined) words.push(cpus === 1 ? "1 CPU" : `${cpus} CPUs`);
  for (const state of ["runnable", "blocked"]) {
    const threads = reading.value(`system.process.linux.${state}`);
    if (threads !== undefined) words.push(`${threads} ${state}`);
  }
  return [plain("load", words)];
}

function memory(reading: Reading): readonly Line[] {
  const used = reading.value("system.memory.usage", { "system.memory.state": "used" });
  const available = reading.value("system.memory.linux.available");
  if (used === undefined || available === undefined) return [];
  const total = used + available;
  return [share("memory", used / total, `${show.bytes(used)} of ${show.bytes(total)} in use`)];
}

function swap(reading: Reading): readonly Line[] {
  const used = reading.value("system.paging.usage", { "system.paging.state": "used" });
  const free = reading.value("system.paging.usage", { "system.paging.state": "free" });
  if (used === undefined || free === undefined || used + free === 0) return [];
  const words = `${show.bytes(used)} of ${show.bytes(used + free)} in use`;
  return [share("swap", used / (used + free), words)];
}

function pressure(reading: Reading): readonly Line[] {
  const words = ["cpu", "memory", "io"].flatMap((area) => {
    const name = `system.${area}.linux.pressure.total`;
    const some = { "system.linux.pressure.stall_type": "some" };
    if (reading.value(name, some) === undefined) return [];
    return [`${area} ${show.percent(reading.rate(name, some))}`];
  });
  return words.length === 0 ? [] : [plain("stalled", words)];
}

function temperature(reading: Reading): readonly Line[] {
  const sensors = reading.all("hw.temperature").toSorted((a, b) => b.value - a.value).slice(0, 3);
  const words = sensors.map(({ attributes, value }) => {
    const name = show.clean(String(attributes["hw.name"] ?? attributes["hw.id"] ?? "sensor"));
    return `${show.cut(name, 16)} ${value.toFixed(0)} °C`;
  });
  return words.length === 0 ? [] : [plain("temperature", words)];
}

/** Metrics of one total each: label, name. */
const RATES: readonly (readonly [string, string])[] = [
  ["context switches", "system.cpu.linux.context_switches"],
  ["interrupts", "system.cpu.linux.interrupts"],
  ["new processes", "system.process.created"],
  ["TCP retransmits", "system.network.linux.tcp.retransmits"],
];

function activity(reading: Reading): readonly Line[] {
  const rates = RATES.filter(([, name]) => reading.value(name) !== undefined)
    .map(([label, name]) => `${label} ${show.perSecond(reading.rate(name))}`);
  const kills = reading.value("system.memory.linux.oom_kills") ?? 0;
  const self = reading.rate("process.cpu.time");
  const resident = reading.value("process.memory.usage");
  const lines: Line[] = [];
  if (rates.length > 0) lines.push(...wrapped("activity", rates));
  if (kills > 0) {
    lines.push([[show.left("oom kills", LABEL), "title"], [` ${kills}`, "bad"], [" since boot"]]);
  }
  if (resident !== undefined) {
    lines.push(plain("sonde", [`cpu ${show.percent(self)}`, `memory ${show.bytes(resident)}`]));
  }
  return lines;
}

/** Two figures a line, in columns. */
function wrapped(label: string, words: readonly string[]): Line[] {
  const lines: Line[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const [first = "", second = ""] = words.slice(at, at + 2);
    lines.push(plain(at === 0 ? label : "", [show.left(first, 28), second]));
  }
  return lines;
}

function footer({ points, omitted }: Snapshot, previous: Snapshot | undefined): readonly Line[] {
  const lines: Line[] = omitted.slice(0, OMITTED_MAX).map(omission);
  if (omitted.length > OMITTED_MAX) lines.push([[`not shown: ${omitted.length - OMITTED_MAX} more`, "dim"]]);
  const names = new Set(points.map((point) => point.series.descriptor.name));
  const rates = previous === undefined ? "; rates from the next reading on" : "";
  return [...lines, [[`${points.length} points in ${names.size} metrics${rates}`, "dim"]]];
}

function omission({ what, why }: Omission): Line {
  return [[`not shown: ${show.clean(what)}: ${show.clean(why)}`, "dim"]];
}
