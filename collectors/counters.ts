/**
 * The ledger: turns what collectors saw into series that are true over time. Each has one start time until it is
 * reset, replaced or gone (otlp M3 to M8, M17); counters the kernel kept since boot start at boot, whatever the
 * clock does. Pure state: it reads no clock and no file.
 * @module
 */
import type { BootClock } from "./boot_clock.ts";
import type { Cycle } from "./collector.ts";
import { advance, type Count } from "./fall.ts";
import { type EndedSeries, readLedger, type SavedCount, type SavedLedger } from "./ledger_state.ts";
import { type Descriptor, type FallRule, isMonotonic, type Point, type Series } from "./metric.ts";
import { seriesKey, valueToJson } from "./series_key.ts";

/** Series the ledger follows at most; further ones are refused and counted. */
export const SERIES_MAX = 20_000;
/** Cycles a series may be missing while its collector has faults, before it counts as gone. */
const SPARED_CYCLES = 10;
/** Ended series it remembers, to know one that returns. */
const ENDED_MAX = 1_000;

/** One series as the ledger follows it. */
interface Entry extends Count {
  readonly series: Series;
  readonly key: string;
  readonly rule: FallRule | undefined;
  /** Who collects it; undefined before the first `enter`. */
  readonly owner: string | undefined;
  /** Undefined: since boot. */
  startNs: bigint | undefined;
  seen: number;
}

/** A value with the start of its interval; 0n for gauges. */
export interface Observed {
  readonly value: number | bigint;
  readonly startNs: bigint;
}

/** Follows every series from cycle to cycle. */
export class CounterLedger {
  readonly #clock: BootClock;
  readonly #is32Bit: boolean;
  readonly #entries = new Map<Series, Entry>();
  readonly #byKey = new Map<string, Entry>();
  readonly #ended: EndedSeries = new Map();
  readonly #restored: Map<string, SavedCount>;
  /** Metrics that were seen before this cycle: a series of theirs that appears now is new. */
  readonly #metrics = new Map<Descriptor, number>();
  /** Collectors that did not see everything in this cycle: their series are not ended. */
  readonly #spared = new Set<string | undefined>();
  #owner: string | undefined;
  #cycle = 1;
  #seen = 0;
  #firstNs: bigint | undefined;
  #previousNs: bigint | undefined;
  #refused = 0;

  /** `saved` is what `save` gave in an earlier life; it counts only for the same boot. */
  constructor(options: { readonly clock: BootClock; readonly is32Bit: boolean; readonly saved?: unknown }) {
    this.#clock = options.clock;
    this.#is32Bit = options.is32Bit;
    this.#restored = readLedger(options.saved, options.clock.bootId);
  }

  /** Names the collector whose series come next. */
  enter(owner: string): void {
    this.#owner = owner;
  }

  /** The collector named last failed, or had a fault: what it did not show may still be there. */
  spare(): void {
    this.#spared.add(this.#owner);
  }

  /** Observations refused because too many series were there. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes one value. Undefined when the ledger is full. */
  observe(series: Series, value: number | bigint, cycle: Cycle): Observed | undefined {
    const known = this.#entries.get(series);
    const entry = known ?? this.#admit(series, value, cycle);
    if (entry === undefined) return undefined;
    if (entry.seen !== this.#cycle) {
      entry.seen = this.#cycle;
      this.#seen++;
    }
    const { descriptor } = series;
    if (descriptor.kind === "gauge") return { value, startNs: 0n };
    if (isMonotonic(descriptor)) {
      if (known !== undefined && !advance(entry, value, entry.rule)) {
        entry.startNs = this.#restart(entry.startNs);
      }
      return { value: entry.value, startNs: this.#startOf(entry, cycle) };
    }
    return { value, startNs: this.#startOf(entry, cycle) };
  }

  /** Start of a count that began anew at some time after the last cycle; never the start it had before. */
  #restart(before: bigint | undefined): bigint | undefined {
    const startNs = this.#previousNs;
    return startNs !== undefined && startNs === before ? startNs + 1n : startNs;
  }

  #startOf(entry: Entry, cycle: Cycle): bigint {
    const startNs = entry.startNs ?? this.#clock.bootNs ?? (this.#firstNs ??= cycle.timeNs);
    if (startNs <= cycle.timeNs) return startNs;
    // The clock was set back to before the start: "unknown start" is what remains true (otlp M6).
    entry.startNs = cycle.timeNs;
    return cycle.timeNs;
  }

  #admit(series: Series, value: number | bigint, cycle: Cycle): Entry | undefined {
    const key = seriesKey(series);
    const same = this.#byKey.get(key);
    if (same === undefined && this.#entries.size >= SERIES_MAX) {
      this.#refused++;
      return undefined;
    }
    const entry = same !== undefined && same.series.identity === series.identity
      ? this.#rename(same, series, value)
      : this.#begin(series, { key, value, cycle, replaced: same });
    if (same !== undefined) this.#entries.delete(same.series);
    this.#entries.set(series, entry);
    this.#byKey.set(key, entry);
    return entry;
  }

  /** The same device in a new object: its count goes on. */
  #rename(same: Entry, series: Series, value: number | bigint): Entry {
    if (same.seen === this.#cycle) this.#seen--;
    const entry: Entry = { ...same, series, owner: this.#owner, seen: 0 };
    if (!advance(entry, value, entry.rule)) entry.startNs = this.#restart(entry.startNs);
    return entry;
  }

  #begin(
    series: Series,
    first: { key: string; value: number | bigint; cycle: Cycle; replaced: Entry | undefined },
  ): Entry {
    const { descriptor } = series;
    const { key, value } = first;
    const rule = this.#ruleOf(descriptor);
    const entry: Entry = {
      series,
      key,
      rule,
      owner: this.#owner,
      raw: value,
      value,
      wraps: 0,
      startNs: this.#firstStart(series, first),
      seen: 0,
    };
    const saved = this.#restored.get(key);
    this.#restored.delete(key);
    this.#ended.delete(key);
    if (saved === undefined || saved.identity !== series.identity) return entry;
    const { raw, wraps, startNs } = saved;
    const restored = { ...entry, raw, value: saved.value, wraps, startNs };
    if (!advance(restored, value, rule)) restored.startNs = this.#restart(startNs);
    return restored;
  }

  /** Undefined: boot. Otherwise when the series can have begun at the earliest. */
  #firstStart(
    series: Series,
    first: { key: string; cycle: Cycle; replaced: Entry | undefined },
  ): bigint | undefined {
    const since = this.#metrics.get(series.descriptor) ?? this.#cycle;
    this.#metrics.set(series.descriptor, since);
    const bootNs = this.#clock.bootNs;
    if (series.beganSeconds !== undefined && bootNs !== undefined) {
      return bootNs + BigInt(Math.round(series.beganSeconds * 1e9));
    }
    if (first.replaced !== undefined) return this.#restart(first.replaced.startNs);
    // The first time a metric is seen at all, its counters have run since boot.
    if (since === this.#cycle) return undefined;
    const ended = this.#ended.get(first.key);
    // What was away and returns has counted on or not, nobody knows: unknown start (otlp M6).
    if (ended !== undefined && ended.identity === series.identity) return first.cycle.timeNs;
    return this.#previousNs;
  }

  #ruleOf(descriptor: Descriptor): FallRule | undefined {
    if (descriptor.kind !== "sum") return undefined;
    return descriptor.fall?.rule === "ulong" && !this.#is32Bit ? undefined : descriptor.fall;
  }

  /** Ends the cycle: series that were not seen give one last point without a value and are forgotten. */
  endCycle(cycle: Cycle): Point[] {
    const ended: Point[] = [];
    if (this.#seen < this.#entries.size) {
      for (const entry of this.#entries.values()) {
        if (entry.seen === this.#cycle || this.#isSpared(entry)) continue;
        const startNs = entry.series.descriptor.kind === "gauge" ? 0n : this.#startOf(entry, cycle);
        ended.push({ series: entry.series, value: 0, startNs, ended: true });
        this.#forget(entry);
      }
    }
    this.#seen = 0;
    this.#cycle++;
    this.#previousNs = cycle.timeNs;
    this.#owner = undefined;
    this.#spared.clear();
    return ended;
  }

  #isSpared(entry: Entry): boolean {
    return this.#spared.has(entry.owner) && this.#cycle - entry.seen <= SPARED_CYCLES;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.series);
    this.#byKey.delete(entry.key);
    this.#ended.set(entry.key, { identity: entry.series.identity });
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= ENDED_MAX) break;
      this.#ended.delete(oldest);
    }
  }

  /**
   * What boot alone does not tell: counts that wrapped, series that began later. Undefined without a boot
   * identifier, which would say for how long it is true.
   */
  save(): SavedLedger | undefined {
    const bootId = this.#clock.bootId;
    if (bootId === undefined) return undefined;
    const counts = [...this.#entries.values()]
      .filter((entry) => entry.wraps > 0 || entry.startNs !== undefined)
      .map(({ key, series, raw, value, wraps, startNs }) => ({
        key,
        raw: valueToJson(raw),
        value: valueToJson(value),
        wraps,
        ...(series.identity === undefined ? {} : { identity: series.identity }),
        ...(startNs === undefined ? {} : { startNs: startNs.toString() }),
      }));
    return { bootId, counts };
  }
}
