/**
 * Runs the enabled collectors: reads their files, isolates their failures, puts their points through the counter
 * ledger and keeps an account of what went wrong. One cycle is synchronous; slow work runs beside it.
 * @module
 */
import { CardinalityCap } from "./cardinality.ts";
import type { Collector, Cycle, Host, Prepared, Recorder } from "./collector.ts";
import type { Descriptor, Naming, Omission, Point, Series, Snapshot } from "./metric.ts";
import { type Source, SourceError, Sources } from "./source.ts";

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

/** What runs and what is wanted from it. */
export interface Selection {
  readonly namings: readonly Naming[];
  /** Decides about one metric; opt-in metrics are off unless asked for. */
  wants(descriptor: Descriptor): boolean;
}

/** One collector's account, since start. */
export interface CollectorStats {
  readonly name: string;
  /** Milliseconds of the last cycle. */
  readonly durationMs: number;
  readonly points: number;
  readonly faults: number;
  /** Present while the collector has a fault. */
  readonly fault?: string;
}

interface Running {
  readonly name: string;
  readonly prepared: Prepared;
  readonly sources: readonly (Source | undefined)[];
  durationMs: number;
  points: number;
  faults: number;
  fault: string | undefined;
  refreshing: boolean;
  refreshedMs: number;
}

const textOf = (error: unknown): string => error instanceof Error ? error.message : String(error);

/** The recorder of one cycle; collectors see it as `Recorder`. */
class CycleRecorder implements Recorder {
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

  add(series: Series, value: number | bigint): void {
    if (!this.#wanted(series)) return;
    if (typeof value === "number" && !Number.isFinite(value)) return;
    const observed = this.#ledger.observe(series, value, this.cycle);
    if (observed !== undefined) {
      this.points.push({ series, value: observed.value, startNs: observed.startNs });
    }
  }

  fault(message: string): void {
    this.faults.push(message);
  }

  omit(what: string, why: string): void {
    this.omitted.push({ what, why });
  }
}

/** The enabled collectors with their open files. */
export class CollectorRun {
  readonly sources: Sources = new Sources();
  readonly #running: Running[] = [];
  readonly #omittedAtStart: Omission[] = [];
  readonly #ledger: Ledger;
  readonly #cap = new CardinalityCap();
  readonly #wants = new Map<Descriptor, boolean>();
  #selection: Selection;
  #cycle = 0;

  /** Prepares every collector and opens every file; needs all permissions. */
  constructor(collectors: readonly Collector[], host: Host, options: {
    readonly ledger: Ledger;
    readonly selection: Selection;
    /** Where a host path is found by this process. */
    readonly locate: (path: string) => string;
  }) {
    this.#ledger = options.ledger;
    this.#selection = options.selection;
    for (const collector of collectors) this.#prepare(collector, host, options.locate);
  }

  #prepare(collector: Collector, host: Host, locate: (path: string) => string): void {
    let prepared: Prepared;
    try {
      prepared = collector.prepare(host);
    } catch (error) {
      this.#omittedAtStart.push({ what: collector.name, why: textOf(error) });
      return;
    }
    const sources = prepared.files.map((path) => this.sources.open(locate(path)));
    for (const path of prepared.slowFiles ?? []) this.sources.open(locate(path));
    if (prepared.files.length > 0 && sources.every((source) => source === undefined)) {
      const first = prepared.files[0] ?? "";
      const why = this.sources.whyMissing(locate(first)) ?? "unreadable";
      this.#omittedAtStart.push({ what: collector.name, why: `"${first}": ${why}` });
      return;
    }
    this.#locate = locate;
    this.#running.push({
      name: collector.name,
      prepared,
      sources,
      durationMs: 0,
      points: 0,
      faults: 0,
      fault: undefined,
      refreshing: false,
      refreshedMs: -Infinity,
    });
  }

  #locate: (path: string) => string = (path) => path;

  /** Changes what is wanted, from the next cycle on. */
  select(selection: Selection): void {
    this.#selection = selection;
    this.#wants.clear();
  }

  #wanted = (what: Descriptor | Series): boolean => {
    if ("kind" in what) return this.#wantsDescriptor(what);
    const only = what.namings;
    if (only !== undefined && !only.some((naming) => this.#selection.namings.includes(naming))) return false;
    return this.#wantsDescriptor(what.descriptor);
  };

  #wantsDescriptor(descriptor: Descriptor): boolean {
    let wanted = this.#wants.get(descriptor);
    if (wanted === undefined) this.#wants.set(descriptor, wanted = this.#selection.wants(descriptor));
    return wanted;
  }

  /** One turn: reads, collects, withdraws the points of collectors that failed. Never throws. */
  collect(cycle: Cycle): Snapshot {
    this.#cycle++;
    const recorder = new CycleRecorder(cycle, this.#ledger, this.#wanted);
    for (const running of this.#running) this.#collectOne(running, recorder);
    const points = this.#cap.apply(recorder.points.concat(this.#ledger.endCycle(cycle)), cycle.timeNs);
    return { timeNs: cycle.timeNs, points, omitted: [...this.#omittedAtStart, ...recorder.omitted] };
  }

  #collectOne(running: Running, recorder: CycleRecorder): void {
    const before = performance.now();
    const first = recorder.points.length;
    recorder.faults = [];
    this.#ledger.enter(running.name);
    try {
      const texts = running.sources.map((source, at) =>
        this.#read(source, running.prepared.files[at], recorder)
      );
      running.prepared.collect(texts, recorder);
    } catch (error) {
      recorder.points.length = first;
      recorder.fault(textOf(error));
    }
    if (recorder.faults.length > 0) this.#ledger.spare();
    running.durationMs = performance.now() - before;
    running.points = recorder.points.length - first;
    running.faults += recorder.faults.length;
    running.fault = recorder.faults[0];
  }

  #read(source: Source | undefined, path: string | undefined, recorder: CycleRecorder): string | undefined {
    if (source === undefined) return undefined;
    try {
      return source.read(this.#cycle);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      recorder.omit(path ?? source.path, error.reason);
      recorder.fault(error.message);
      return undefined;
    }
  }

  /**
   * Starts the slow work that is due, and resolves when all of it has ended or after `deadlineMs`, whichever
   * is first. A collector whose work still hangs is not asked again until it returns.
   */
  async refresh(nowMs: number, deadlineMs: number): Promise<void> {
    const started = this.#running
      .filter((running) => running.prepared.refresh !== undefined && !running.refreshing)
      .filter((running) => nowMs - running.refreshedMs >= (running.prepared.refreshMs ?? 0))
      .map((running) => this.#refreshOne(running, nowMs));
    if (started.length === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const deadline = new Promise<void>((resolve) => timer = setTimeout(resolve, deadlineMs));
    await Promise.race([Promise.all(started), deadline]);
    clearTimeout(timer);
  }

  async #refreshOne(running: Running, nowMs: number): Promise<void> {
    running.refreshing = true;
    running.refreshedMs = nowMs;
    try {
      await running.prepared.refresh?.(async (path) => {
        const at = this.#locate(path);
        const source = this.sources.open(at);
        if (source === undefined) {
          throw new SourceError("open", path, { reason: this.sources.whyMissing(at) ?? "unreadable" });
        }
        return await source.readAsync();
      });
    } catch (error) {
      running.faults++;
      running.fault = textOf(error);
    } finally {
      running.refreshing = false;
    }
  }

  /** Reads every kept file once more, for `sandbox`: how many there are, and how many fail. */
  reread(): { files: number; failed: number } {
    this.#cycle++;
    const tried = this.sources.readAll(this.#cycle);
    return { files: tried.length, failed: tried.filter((isRead) => !isRead).length };
  }

  /** The account of every collector that runs. */
  stats(): CollectorStats[] {
    return this.#running.map(({ name, durationMs, points, faults, fault }) => ({
      name,
      durationMs,
      points,
      faults,
      ...(fault === undefined ? {} : { fault }),
    }));
  }

  close(): void {
    this.sources.close();
  }
}
