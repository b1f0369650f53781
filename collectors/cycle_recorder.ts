/**
 * The recorder of one cycle: drops what nobody wants or what is no number, and puts the rest through the counter
 * ledger. Collectors see it as `Recorder`.
 * @module
 */
import type { Cycle, Recorder } from "./collector.ts";
import type { Descriptor, Distribution, Omission, Point, Series } from "./metric.ts";

/** Turns what collectors saw into series that are true over time (counters.ts). */
export interface Ledger {
  /** Names the collector whose series come next. */
  enter(owner: string): void;
  /** That collector may not have seen everything this time: its series do not end. */
  spare(): void;
  /** Undefined: nothing trustworthy can be said about this series in this cycle. */
  observe(
    series: Series,
    value: number | bigint,
    cycle: Cycle,
  ): { value: number | bigint; startNs: bigint } | undefined;
  /** Ends the cycle: series that were not seen give one last point without a value. */
  endCycle(cycle: Cycle): Point[];
}

/** What the collectors of one cycle found. */
export class CycleRecorder implements Recorder {
  readonly cycle: Cycle;
  points: Point[] = [];
  omitted: Omission[] = [];
  faults: string[] = [];
  readonly #ledger: Ledger;
  readonly #wanted: (what: Descriptor | Series) => boolean;

  constructor(cycle: Cycle, ledger: Ledger, wanted: (what: Descriptor | Series) => boolean) {
    this.cycle = cycle;
    this.#ledger = ledger;
    this.#wanted = wanted;
  }

  wants(what: Descriptor | Series): boolean {
    return this.#wanted(what);
  }

  add(series: Series, value: number | bigint | Distribution): void {
    if (!this.#wanted(series)) return;
    if (typeof value === "object") {
      this.#addDistribution(series, value);
      return;
    }
    if (typeof value === "number" && !Number.isFinite(value)) return;
    const observed = this.#ledger.observe(series, value, this.cycle);
    if (observed !== undefined) {
      this.points.push({ series, value: observed.value, startNs: observed.startNs });
    }
  }

  /** The ledger sees the count alone: it falls exactly when the whole distribution began anew. */
  #addDistribution(series: Series, distribution: Distribution): void {
    if (!Number.isFinite(distribution.sum)) return;
    const count = distribution.counts.reduce((sum, each) => sum + each, 0);
    const observed = this.#ledger.observe(series, count, this.cycle);
    if (observed === undefined) return;
    this.points.push({ series, value: count, distribution, startNs: observed.startNs });
  }

  fault(message: string): void {
    this.faults.push(message);
  }

  omit(what: string, why: string): void {
    this.omitted.push({ what, why });
  }
}
