/**
 * A collector and a ledger through several cycles: what a vector with more than one reading needs. Ten seconds pass
 * from step to step unless said otherwise.
 * @module
 */
import { BootClock, type SavedBoot } from "../collectors/boot_clock.ts";
import type { Collector, Cycle, Prepared } from "../collectors/collector.ts";
import { CounterLedger } from "../collectors/counters.ts";
import type { Point } from "../collectors/metric.ts";
import { collectInto, hostOf, Recording, type Tree, valuesOf } from "./fixture_host.ts";

/** Wall clock of the first step. */
export const T0_NS = 1_795_221_971_000_000_000n;
const BOOT_ID = "0f1e2d3c-0000-4000-8000-000000000001";

/** What passed since the step before; by default ten seconds on every clock. */
export interface Passed {
  /** Of the wall and the monotonic clock. */
  readonly seconds?: number;
  /** Uptime at this step, when it does not simply go on. */
  readonly uptime?: number;
}

/** The points of one step, by "name{attributes}|namings". */
export class Step {
  readonly timeNs: bigint;
  readonly points: readonly Point[];
  readonly faults: readonly string[];
  readonly #byName: ReadonlyMap<string, Point>;

  constructor(timeNs: bigint, points: readonly Point[], faults: readonly string[]) {
    this.timeNs = timeNs;
    this.points = points;
    this.faults = faults;
    this.#byName = new Map(points.map((point) => [nameOf(point), point]));
  }

  value(name: string): number | bigint | undefined {
    const point = this.#byName.get(name);
    return point?.ended ? undefined : point?.value;
  }

  start(name: string): bigint | undefined {
    return this.#byName.get(name)?.startNs;
  }

  /** Names of the points that have a value. */
  names(): string[] {
    return this.points.filter((point) => !point.ended).map(nameOf);
  }

  ended(): string[] {
    return this.points.filter((point) => point.ended).map(nameOf);
  }
}

function nameOf({ series, value }: Point): string {
  const recording = new Recording();
  recording.points.push({ series, value });
  return Object.keys(valuesOf(recording))[0] ?? "";
}

/** One collector of one host, step by step. */
export class Timeline {
  readonly clock: BootClock;
  readonly ledger: CounterLedger;
  readonly #collector: Collector;
  readonly #is32Bit: boolean;
  #prepared: Prepared | undefined;
  #cycle: Cycle = { timeNs: T0_NS - 10_000_000_000n, uptime: 990, monotonicMs: 990_000 };

  constructor(collector: Collector, options: { is32Bit?: boolean; boot?: SavedBoot; ledger?: unknown } = {}) {
    this.#collector = collector;
    this.#is32Bit = options.is32Bit ?? false;
    this.clock = new BootClock({ bootId: BOOT_ID, plausibleNs: 0n, saved: options.boot });
    this.ledger = new CounterLedger({ clock: this.clock, is32Bit: this.#is32Bit, saved: options.ledger });
  }

  /** When the host booted, by the first step's clocks. */
  get bootNs(): bigint {
    return this.clock.bootNs ?? 0n;
  }

  /** Collects a tree; the first one is also what the collector looks around in. */
  step(tree: Tree, passed: Passed = {}): Step {
    const seconds = passed.seconds ?? 10;
    const last = this.#cycle;
    const timeNs = last.timeNs + BigInt(seconds * 1e9);
    const uptime = passed.uptime ?? (last.uptime ?? 0) + seconds;
    this.#cycle = { timeNs, uptime, monotonicMs: last.monotonicMs + seconds * 1000 };
    this.#prepared ??= this.#collector.prepare({ ...hostOf(tree), is32Bit: this.#is32Bit });
    const recording = new Recording(this.#cycle);
    collectInto(recording, this.#prepared, tree);
    return new Step(timeNs, this.#settle(recording), recording.faults);
  }

  /** As the runner does it: every value through the ledger, then the end of the cycle. */
  #settle(recording: Recording): Point[] {
    const cycle = this.#cycle;
    this.clock.observe(cycle);
    this.ledger.enter(this.#collector.name);
    const points = recording.points.flatMap(({ series, value }): Point[] => {
      const observed = this.ledger.observe(series, value, cycle);
      return observed === undefined ? [] : [{ series, ...observed }];
    });
    if (recording.faults.length > 0) this.ledger.spare();
    return [...points, ...this.ledger.endCycle(cycle)];
  }
}
