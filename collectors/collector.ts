/**
 * The whole contract of a collector: look around once before the drop, name the files to keep open, and from
 * then on turn their text into points. Nothing else reaches it: no clock, no logger, no network, no Deno.
 * @module
 */
import type { Descriptor, Distribution, Series } from "./metric.ts";

/** File-system statistics of one mount, in bytes and inodes (statfs(2)). */
export interface Statfs {
  readonly blockSize: number;
  readonly blocks: number;
  readonly blocksFree: number;
  readonly blocksAvailable: number;
  readonly files: number;
  readonly filesFree: number;
}

/** Clock figures of adjtimex(2) with modes 0. */
export interface ClockState {
  /** False when the kernel says STA_UNSYNC. */
  readonly synchronized: boolean;
  /** Seconds; what the discipline still has to correct. */
  readonly offset: number;
}

/** How often the scheduler has taken a process off its CPU. */
export interface ContextSwitches {
  /** It had to wait for something. */
  readonly voluntary: number;
  readonly involuntary: number;
}

/** What a collector may ask of the host before the permissions are dropped; paths are the host's own ("/proc/stat"). */
export interface Host {
  /** Text of a file, or undefined when it is absent or unreadable. */
  read(path: string): string | undefined;
  /** Sorted names in a folder; empty when it is absent or unreadable. */
  list(path: string): readonly string[];
  /** Target of a symbolic link, or undefined. */
  link(path: string): string | undefined;
  exists(path: string): boolean;
  /** AT_PAGESZ and AT_CLKTCK of /proc/self/auxv. */
  readonly pageSize: number;
  readonly ticksPerSecond: number;
  /** True where `unsigned long` counters of the kernel have 32 bits. */
  readonly is32Bit: boolean;
  /** True for a recorded tree or a mounted host root, where "self" is not the host's own process. */
  readonly isForeign: boolean;
  /** Works after the drop; undefined result: the call failed. */
  statfs(mountPoint: string): Promise<Statfs | undefined>;
  /** Works after the drop; undefined where libc has no adjtimex or the tree is a recording. */
  adjtimex(): ClockState | undefined;
  /**
   * Keeps /proc itself open and gives a call that counts processes by it, which works after the drop. Undefined
   * where it cannot be kept.
   */
  processCounter(): (() => number | undefined) | undefined;
  /** The same for the files that this process has open. */
  openFileCounter(): (() => number | undefined) | undefined;
  /** Context switches of this process with all its threads; works after the drop. Absent for a recording. */
  readonly contextSwitches?: () => ContextSwitches | undefined;
  /** Asks the walker that the operator asked for; works after the drop. Absent: there is none. */
  readonly walk?: () => Promise<string>;
  /** Gives back what it keeps open. */
  close(): void;
}

/** The clock of one cycle. */
export interface Cycle {
  /** Wall clock, the time of every point. */
  readonly timeNs: bigint;
  /** Seconds since boot by /proc/uptime (counts suspend), or undefined when unreadable. */
  readonly uptime: number | undefined;
  /** Monotonic milliseconds; stops in suspend. */
  readonly monotonicMs: number;
}

/** Where a collector puts what it found. */
export interface Recorder {
  readonly cycle: Cycle;
  /** False when nobody asked for this metric: skip the work. */
  wants(what: Descriptor | Series): boolean;
  /**
   * Drops the point when it is not wanted or not finite. Sums go through the counter ledger, and so do histograms,
   * whose value is a distribution since their series began.
   */
  add(series: Series, value: number | bigint | Distribution): void;
  /** A line or field that could not be parsed: counted, said once; the point stays absent. */
  fault(message: string): void;
  /** Something hidden, unreadable or implausible on this host (appears in `omitted`). */
  omit(what: string, why: string): void;
}

/** A collector that has looked around: runs after the drop. */
export interface Prepared {
  /** Files to keep open, in the order `collect` wants their text. Absent files give undefined. */
  readonly files: readonly string[];
  /** Those of `files` that change so seldom that a look every 5 s is enough; meanwhile the last text counts. */
  readonly seldom?: readonly string[];
  /**
   * Turns text into points. May throw `SyntaxError`: then all its points of this cycle are withdrawn.
   * The text is undefined when a file is absent or could not be read this time.
   */
  collect(texts: readonly (string | undefined)[], out: Recorder): void;
  /**
   * Work that may block (statfs, sensors), kept off the cycle's path: run before the first cycle under a
   * deadline, then every `refreshMs`; never two at a time.
   */
  refresh?(read: FileReader): Promise<void>;
  readonly refreshMs?: number;
  /** Files kept open for `refresh` only: those whose reads may block. */
  readonly slowFiles?: readonly string[];
}

/** Reads a file of `Prepared.slowFiles` on the thread pool; rejects when it is absent or cannot be read. */
export type FileReader = (path: string) => Promise<string>;

/** One source of metrics; one file in this folder and one line in registry.ts. */
export interface Collector {
  readonly name: string;
  /** False for an opt-in collector, switched on by `SONDE_COLLECTORS=+name`. Absent: on. */
  readonly on?: false;
  readonly descriptors: readonly Descriptor[];
  /** Looks around, with all permissions still there. */
  prepare(host: Host): Prepared;
}
