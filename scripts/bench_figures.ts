/**
 * The bench's arithmetic: medians, ratios that hold on any machine, budgets (design 10) and the comparison with the
 * committed baseline.
 * @module
 */
import type { RunFigures } from "./bench_process.ts";
import type { VerbFigures } from "./bench_verbs.ts";

/** What one run of the bench found. Times of a cycle's parts are CPU. */
export interface Figures {
  readonly points: number;
  readonly cycle: {
    /** The whole process, all threads, per cycle at 1 Hz, read to accepted. */
    readonly cpuMs: number;
    /** Its share by thread name, milliseconds. */
    readonly threads: Readonly<Record<string, number>>;
    readonly readUs: number;
    /** Parsing and the counter ledger: collecting less reading. */
    readonly parseUs: number;
    readonly encodeUs: number;
    readonly compressUs: number;
  };
  readonly memory: RunFigures["memory"];
  readonly wire: { readonly bytesPerPoint: number; readonly requestBytes: number };
  /** Milliseconds from spawn. */
  readonly startMs: number;
  readonly onceMs: number;
  readonly verbs: VerbFigures;
  /** The same machine doing nothing: an empty program, and C that only reads the same files, hot and once a second. */
  readonly bare: { readonly ms: number; readonly rss: number };
  readonly floor: { readonly hotUs: number; readonly pacedUs: number } | { readonly skipped: string };
}

/** Figures divided by what the machine needs for nothing; smaller is better. Absent: not measured here. */
export type Ratios = Readonly<Record<string, number>>;

/** The middle one; of an even number the lower middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[(sorted.length - 1) >> 1];
  if (middle === undefined) throw new RangeError("Cannot take a median: no values, expected at least one");
  return middle;
}

/** The ratios of a run. */
export function ratiosOf(figures: Figures): Ratios {
  const { cycle, memory, wire, startMs, onceMs, bare, floor } = figures;
  const collectEncode = cycle.readUs + cycle.parseUs + cycle.encodeUs;
  const toFloor = "skipped" in floor ? {} : {
    readToFloor: round(cycle.readUs / floor.hotUs),
    collectEncodeToFloor: round(collectEncode / floor.hotUs),
    cycleToFloor: round(cycle.cpuMs * 1_000 / floor.pacedUs),
  };
  return {
    ...toFloor,
    startToBare: round(startMs / bare.ms),
    onceToBare: round(onceMs / bare.ms),
    rssToBare: round(memory.rss / bare.rss),
    bytesPerPoint: round(wire.bytesPerPoint),
  };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/** How much worse a ratio may get before the bench fails. */
const TOLERANCE = 0.15;

/** One line per ratio that is worse than the baseline by more than 15 %. */
export function worsened(now: Ratios, baseline: Ratios): string[] {
  return Object.entries(baseline).flatMap(([name, before]) => {
    const value = now[name];
    if (value === undefined || value <= before * (1 + TOLERANCE)) return [];
    return [`${name}: ${value}, baseline ${before}, ${Math.round((value / before - 1) * 100)} % worse`];
  });
}

/** One budget of design 10. */
export interface Budget {
  readonly what: string;
  readonly value: number;
  readonly max: number;
  readonly aim: number;
  readonly isMet: boolean;
}

/** The budgets that this bench measures. */
export function budgetsOf(figures: Figures): Budget[] {
  const { cycle, memory, wire, startMs, onceMs, verbs } = figures;
  const { help, execAlone, execBesideAgent, execDelivering } = verbs;
  const ratio = ratiosOf(figures)["collectEncodeToFloor"];
  const budget = (what: string, value: number, [max, aim]: readonly [number, number]): Budget => ({
    what,
    value: round(value),
    max,
    aim,
    isMet: value <= max,
  });
  return [
    budget("CPU per cycle, ms", cycle.cpuMs, [3, 1]),
    ...(ratio === undefined ? [] : [budget("collect and encode, times the C floor", ratio, [10, 4])]),
    budget("RSS, MiB", memory.rss / 1_024, [60, 50]),
    budget("start to first accepted request, ms", startMs, [90, 60]),
    budget("once, spawn to exit, ms", onceMs, [90, 60]),
    budget("wire, gzip, bytes per point", wire.bytesPerPoint, [18, 12]),
    budget("help, CPU beyond the empty program, ms", help.cpuMs, [40, 10]),
    budget("exec -- true, alone, beyond both, ms", execAlone.wallMs, [60, 30]),
    budget("exec -- true, beside an agent, beyond both, ms", execBesideAgent.wallMs, [60, 40]),
    budget("exec -- true, delivering, beyond both, ms", execDelivering.wallMs, [60, 60]),
  ];
}

/** One program of several that did the same work at the same time. CPU is of all threads. */
export interface Beside {
  readonly points: number;
  readonly cpuMsPerCycle: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly cpuUsPerPoint: number;
  readonly rssMiB: number;
  readonly pssMiB: number;
  readonly bytesPerPoint: number;
}

const KIB_PER_MIB = 1_024;

/** The figures in which programs are compared. */
export function besideOf(figures: RunFigures): Beside {
  const { points, cpuMs, userMs, systemMs, memory, bytesPerPoint } = figures;
  return {
    points,
    cpuMsPerCycle: cpuMs,
    userMs,
    systemMs,
    cpuUsPerPoint: cpuMs * 1_000 / points,
    rssMiB: memory.rss / KIB_PER_MIB,
    pssMiB: memory.pss / KIB_PER_MIB,
    bytesPerPoint,
  };
}

/** Every program's figures divided by the lean Collector's; smaller is better. */
export function toLean(subjects: Readonly<Record<string, Beside>>): Record<string, Ratios> {
  const { collectorLean: lean, ...others } = subjects;
  if (lean === undefined) throw new RangeError("Cannot compare: no lean Collector, expected one");
  return Object.fromEntries(
    Object.entries(others).map(([name, figures]) => [name, {
      cpuPerCycle: round(figures.cpuMsPerCycle / lean.cpuMsPerCycle),
      cpuPerPoint: round(figures.cpuUsPerPoint / lean.cpuUsPerPoint),
      rss: round(figures.rssMiB / lean.rssMiB),
      bytesPerPoint: round(figures.bytesPerPoint / lean.bytesPerPoint),
    }]),
  );
}

/** The numbers of a document as people read them. */
export function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? round(value) : value;
}
