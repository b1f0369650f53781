/**
 * Which processes are worth reporting: the first N by CPU, by memory and by I/O since the walk before, an executable's
 * processes together or each by itself. A process by itself counts from its start. A group counts from when it was first
 * seen: its older members may have used more than the living can tell, and the next life of sonde could not go on with
 * a sum that holds what ended ones used (otlp M3, M5). What a process used stays counted when it ends. A pid with another
 * start time is another process (P32).
 * @module
 */
import { type Attributes, type Series, series } from "./metric.ts";
import { cpuTime, diskIo, usage } from "./process_metrics.ts";
import type { WalkedProcess } from "./process_walk.ts";

/** A group with its sums since it was first seen. */
export interface Group {
  readonly cpu: Readonly<Record<"user" | "system", Series>>;
  readonly memory: Series;
  readonly io: Readonly<Record<"read" | "write", Series>>;
  userTicks: number;
  systemTicks: number;
  residentPages: number;
  readBytes: number | undefined;
  writtenBytes: number | undefined;
  /** Since the walk before. */
  recentTicks: number;
  recentBytes: number;
}

/** Groups followed at most; the processes of further ones are counted together. */
const GROUPS_MAX = 2_000;
const OTHERS = "(others)";
/** Kernel threads are children of this one; by themselves they say little. */
const KERNEL_THREADS = 2;

/** When a walk was made; seconds since boot. */
export interface WalkTime {
  readonly uptime: number;
  readonly ticksPerSecond: number;
}

function makeGroup(attributes: Attributes, beganSeconds: number): Group {
  const life = { identity: String(beganSeconds), beganSeconds };
  const mode = (value: string) => series(cpuTime, { ...attributes, "cpu.mode": value }, life);
  const way = (value: string) => series(diskIo, { ...attributes, "disk.io.direction": value }, life);
  return {
    cpu: { user: mode("user"), system: mode("system") },
    memory: series(usage, attributes, life),
    io: { read: way("read"), write: way("write") },
    userTicks: 0,
    systemTicks: 0,
    residentPages: 0,
    readBytes: undefined,
    writtenBytes: undefined,
    recentTicks: 0,
    recentBytes: 0,
  };
}

const grown = (now: number, before: number | undefined): number => Math.max(0, now - (before ?? 0));
const added = (sum: number | undefined, bytes: number | undefined): number | undefined =>
  bytes === undefined ? sum : (sum ?? 0) + bytes;

/** The groups from walk to walk. */
export class ProcessGroups {
  readonly #byPid: boolean;
  readonly #hasCommandLines: boolean;
  #last: Map<number, WalkedProcess> | undefined;
  #lastUptime = 0;
  #groups = new Map<string, Group>();

  constructor(by: "executable" | "pid" | "command_line") {
    this.#byPid = by !== "executable";
    this.#hasCommandLines = by === "command_line";
  }

  /** Takes a walk. */
  follow(processes: readonly WalkedProcess[], time: WalkTime): void {
    for (const group of this.#groups.values()) {
      [group.residentPages, group.recentTicks, group.recentBytes] = [0, 0, 0];
    }
    const seen = new Map<string, Group>();
    for (const process of processes) {
      const [key, group] = this.#groupOf(process, time);
      seen.set(key, group);
      this.#add(group, process);
    }
    this.#groups = seen;
    this.#last = new Map(processes.map((process) => [process.pid, process]));
    this.#lastUptime = time.uptime;
  }

  #groupOf(process: WalkedProcess, time: WalkTime): readonly [string, Group] {
    const isKernels = process.pid === KERNEL_THREADS || process.parent === KERNEL_THREADS;
    const name = isKernels ? "kthreadd" : process.comm;
    const own = this.#byPid ? `${process.pid} ${process.startTicks}` : name;
    const isFull = !this.#groups.has(own) && this.#groups.size >= GROUPS_MAX;
    const key = isFull ? OTHERS : own;
    const known = this.#groups.get(key);
    if (known !== undefined) return [key, known];
    const executable = { "process.executable.name": isFull ? OTHERS : name };
    const group = this.#byPid && !isFull
      ? makeGroup(this.#identify(process, executable), process.startTicks / time.ticksPerSecond)
      : makeGroup(executable, this.#last === undefined ? time.uptime : this.#lastUptime);
    this.#groups.set(key, group);
    return [key, group];
  }

  /** Of one process; a command line that it changes later is not followed, for the series would be another one. */
  #identify({ pid, commandLine }: WalkedProcess, executable: Attributes): Attributes {
    const isShown = this.#hasCommandLines && commandLine !== undefined;
    return { "process.pid": pid, ...executable, ...(isShown && { "process.command_line": commandLine }) };
  }

  #add(group: Group, process: WalkedProcess): void {
    const last = this.#last?.get(process.pid);
    const isSame = last?.startTicks === process.startTicks;
    // What was there before the first walk has no part in a group's sums, which begin with it.
    const before = isSame ? last : this.#last === undefined && !this.#byPid ? process : undefined;
    const user = grown(process.userTicks, before?.userTicks);
    const system = grown(process.systemTicks, before?.systemTicks);
    const { readBytes, writtenBytes } = process;
    const read = readBytes === undefined ? undefined : grown(readBytes, before?.readBytes);
    const written = writtenBytes === undefined ? undefined : grown(writtenBytes, before?.writtenBytes);
    group.userTicks += user;
    group.systemTicks += system;
    group.readBytes = added(group.readBytes, read);
    group.writtenBytes = added(group.writtenBytes, written);
    group.residentPages += process.residentPages;
    // Before there is a second walk, all they have used so far tells who is busy.
    group.recentTicks += this.#last === undefined ? process.userTicks + process.systemTicks : user + system;
    group.recentBytes += this.#last === undefined
      ? (readBytes ?? 0) + (writtenBytes ?? 0)
      : (read ?? 0) + (written ?? 0);
  }

  /** The first N by each measure; none that did nothing. */
  top(limit: number): Group[] {
    const all = [...this.#groups.values()];
    const by = (measure: (group: Group) => number) =>
      all.filter((group) => measure(group) > 0).sort((a, b) => measure(b) - measure(a)).slice(0, limit);
    return [
      ...new Set([
        ...by((group) => group.recentTicks),
        ...by((group) => group.residentPages),
        ...by((group) => group.recentBytes),
      ]),
    ];
  }
}
