/**
 * Runs the enabled collectors: reads their files, isolates their failures, puts their points through the counter
 * ledger and keeps an account of what went wrong. One cycle is synchronous; slow work runs beside it.
 * @module
 */
import { CardinalityCap } from "./cardinality.ts";
import type { Collector, Cycle, Host, Prepared } from "./collector.ts";
import { afterLimit } from "./deadline.ts";
import { CycleRecorder, type Ledger } from "./cycle_recorder.ts";
import type { Descriptor, Naming, Omission, Series, Snapshot } from "./metric.ts";
import { type Source, SourceError, Sources } from "./source.ts";

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

/** Between two looks at a file that changes seldom. */
const SELDOM_MS = 5_000;
const NEVER = { readMs: -Infinity, text: "" };

type Files = readonly (Source | undefined)[];

interface Running {
  readonly name: string;
  readonly prepared: Prepared;
  readonly sources: Files;
  /** The same files of the earlier tree. */
  readonly earlier: Files;
  isOn: boolean;
  durationMs: number;
  points: number;
  faults: number;
  fault: string | undefined;
  refreshing: boolean;
  refreshedMs: number;
}

/** From a path of the host to the path by which this process reaches it. */
type Locate = (path: string) => string;

const textOf = (error: unknown): string => error instanceof Error ? error.message : String(error);

function isRefreshDue({ isOn, prepared, refreshing, refreshedMs }: Running, atMs: number): boolean {
  return isOn && prepared.refresh !== undefined && !refreshing &&
    atMs - refreshedMs >= (prepared.refreshMs ?? 0);
}

/** The enabled collectors with their open files. */
export class CollectorRun {
  readonly sources: Sources = new Sources();
  readonly #earlierSources = new Sources();
  readonly #host: Host;
  readonly #running: Running[] = [];
  readonly #omittedAtStart: Omission[] = [];
  readonly #ledger: Ledger;
  readonly #cap = new CardinalityCap();
  readonly #wants = new Map<Descriptor, boolean>();
  /** Sources that are read only now and then, with what they said last. */
  readonly #seldom = new Map<Source, { readonly readMs: number; readonly text: string }>();
  #selection: Selection;
  readonly #locate: Locate;
  /** Names of all that looked around, also of those that found nothing here: a restart would not help them. */
  readonly #prepared: ReadonlySet<string>;
  #cycle = 0;

  /** Prepares every collector and opens every file; needs all permissions. */
  constructor(collectors: readonly Collector[], host: Host, options: {
    readonly ledger: Ledger;
    readonly selection: Selection;
    /** Where a host path is found by this process. */
    readonly locate: Locate;
    /** Where it is found in an earlier recording of the same host, for `collectEarlier`. */
    readonly locateEarlier?: Locate;
  }) {
    this.#ledger = options.ledger;
    this.#selection = options.selection;
    this.#host = host;
    this.#locate = options.locate;
    for (const collector of collectors) this.#prepare(collector, options.locateEarlier);
    this.#prepared = new Set(collectors.map(({ name }) => name));
  }

  #prepare(collector: Collector, locateEarlier: Locate | undefined): void {
    const locate = this.#locate;
    let prepared: Prepared;
    try {
      prepared = collector.prepare(this.#host);
    } catch (error) {
      this.#omittedAtStart.push({ what: collector.name, why: textOf(error) });
      return;
    }
    const sources = prepared.files.map((path) => this.sources.open(locate(path)));
    for (const path of prepared.slowFiles ?? []) this.sources.open(locate(path));
    for (const [at, path] of prepared.files.entries()) {
      const source = sources[at];
      if (source !== undefined && prepared.seldom?.includes(path)) this.#seldom.set(source, NEVER);
    }
    if (prepared.files.length > 0 && sources.every((source) => source === undefined)) {
      const first = prepared.files[0] ?? "";
      const why = this.sources.whyMissing(locate(first)) ?? "unreadable";
      this.#omittedAtStart.push({ what: collector.name, why: `"${first}": ${why}` });
      return;
    }
    this.#running.push({
      name: collector.name,
      prepared,
      sources,
      earlier: locateEarlier === undefined
        ? []
        : prepared.files.map((path) => this.#earlierSources.open(locateEarlier(path))),
      isOn: true,
      durationMs: 0,
      points: 0,
      faults: 0,
      fault: undefined,
      refreshing: false,
      refreshedMs: -Infinity,
    });
  }

  /** Switches collectors on and off by name; gives the names that were not prepared and so stay off. */
  enable(wanted: ReadonlySet<string>): string[] {
    for (const running of this.#running) running.isOn = wanted.has(running.name);
    return [...wanted].filter((name) => !this.#prepared.has(name));
  }

  /** Number of the next cycle, for sources that are read beside the collectors. */
  get nextCycle(): number {
    return this.#cycle + 1;
  }

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
    return this.#turn(cycle, (running) => running.sources);
  }

  /** The same from the files of the earlier tree, before any other cycle. */
  collectEarlier(cycle: Cycle): Snapshot {
    return this.#turn(cycle, (running) => running.earlier);
  }

  #turn(cycle: Cycle, filesOf: (running: Running) => Files): Snapshot {
    this.#cycle++;
    const recorder = new CycleRecorder(cycle, this.#ledger, this.#wanted);
    for (const running of this.#running) {
      if (running.isOn) this.#collectOne(running, filesOf(running), recorder);
    }
    const points = this.#cap.apply(recorder.points.concat(this.#ledger.endCycle(cycle)), cycle.timeNs);
    return { timeNs: cycle.timeNs, points, omitted: [...this.#omittedAtStart, ...recorder.omitted] };
  }

  #collectOne(running: Running, files: Files, recorder: CycleRecorder): void {
    const before = performance.now();
    const first = recorder.points.length;
    recorder.faults = [];
    this.#ledger.enter(running.name);
    try {
      const texts = files.map((source, at) => this.#read(source, running.prepared.files[at] ?? "", recorder));
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

  #read(source: Source | undefined, path: string, recorder: CycleRecorder): string | undefined {
    if (source === undefined) return undefined;
    const seldom = this.#seldom.get(source);
    const nowMs = recorder.cycle.monotonicMs;
    if (seldom !== undefined && nowMs - seldom.readMs < SELDOM_MS) return seldom.text;
    try {
      const text = source.read(this.#cycle);
      if (seldom !== undefined) this.#seldom.set(source, { readMs: nowMs, text });
      return text;
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      recorder.omit(path, error.reason);
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
      .filter((running) => isRefreshDue(running, nowMs))
      .map((running) => this.#refreshOne(running, nowMs));
    if (started.length === 0 || deadlineMs <= 0) return;
    await new Promise<void>((resolve) => {
      afterLimit(deadlineMs, resolve);
      void Promise.all(started).then(() => resolve());
    });
  }

  /** True when slow work is due at that time. */
  hasSlowWork(atMs: number): boolean {
    return this.#running.some((running) => isRefreshDue(running, atMs));
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
    return this.#running.filter(({ isOn }) => isOn).map(({ name, durationMs, points, faults, fault }) => ({
      name,
      durationMs,
      points,
      faults,
      ...(fault === undefined ? {} : { fault }),
    }));
  }

  close(): void {
    this.sources.close();
    this.#earlierSources.close();
    this.#host.close();
  }
}
