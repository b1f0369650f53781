/**
 * What the kernel says of another process: CPU of all its threads and its memory.
 * @module
 */

/** KiB, by /proc/PID/smaps_rollup. */
export interface Memory {
  readonly rss: number;
  readonly pss: number;
  /** Clean and dirty pages that nobody shares. */
  readonly private: number;
}

/** Reads the memory of a process. */
export async function readMemory(pid: number): Promise<Memory> {
  return parseSmapsRollup(await Deno.readTextFile(`/proc/${pid}/smaps_rollup`));
}

/** Fields of smaps_rollup, in KiB. */
export function parseSmapsRollup(text: string): Memory {
  const field = (name: string) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
    if (found === undefined) {
      throw new SyntaxError(`Cannot read memory: no "${name}", expected a line with it`);
    }
    return Number(found);
  };
  return { rss: field("Rss"), pss: field("Pss"), private: field("Private_Clean") + field("Private_Dirty") };
}

/**
 * CPU of a process by its threads' schedstat, in nanoseconds: stat counts in ticks of 10 ms, too coarse for cycles
 * of 1 ms. A thread that has ended keeps its last known share, so sample often.
 */
export class CpuMeter {
  readonly #pid: number;
  readonly #threads = new Map<string, { readonly name: string; readonly ns: number }>();

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** CPU of all threads seen so far by thread name, nanoseconds since each began. */
  sample(): Map<string, number> {
    for (const { name: id } of Deno.readDirSync(`/proc/${this.#pid}/task`)) {
      try {
        const task = `/proc/${this.#pid}/task/${id}`;
        const [ns] = Deno.readTextFileSync(`${task}/schedstat`).split(" ");
        this.#threads.set(id, { name: threadName(Deno.readTextFileSync(`${task}/comm`)), ns: Number(ns) });
      } catch {
        // The thread ended between the listing and the read.
      }
    }
    const byName = new Map<string, number>();
    for (const { name, ns } of this.#threads.values()) byName.set(name, (byName.get(name) ?? 0) + ns);
    return byName;
  }

  /** CPU of the whole process, milliseconds. */
  totalMs(): number {
    let ns = 0;
    for (const threadNs of this.sample().values()) ns += threadNs;
    return ns / 1e6;
  }
}

/** Threads of a pool differ by a number at the end. */
function threadName(comm: string): string {
  return comm.trim().replace(/[-_]?\d+$/, "");
}

/** CPU of all children that have ended and been waited for, milliseconds, in ticks of 10: take many children. */
export function endedChildrenCpuMs(): number {
  const { user, system } = readTicks("self", CHILDREN_FIELD);
  return (user + system) * TICK_MS;
}

/** CPU of a process and of its threads that have ended, milliseconds, in ticks of 10: take many cycles. */
export function readUserSystem(pid: number): { readonly userMs: number; readonly systemMs: number } {
  const { user, system } = readTicks(pid, OWN_FIELD);
  return { userMs: user * TICK_MS, systemMs: system * TICK_MS };
}

/** Where utime and cutime stand in /proc/PID/stat, counted after the name in brackets. */
const OWN_FIELD = 11;
const CHILDREN_FIELD = 13;

function readTicks(pid: number | "self", at: number): { user: number; system: number } {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(at, at + 2).map(Number);
  return { user: user ?? NaN, system: system ?? NaN };
}

/** USER_HZ is 100 on every architecture that Deno runs on. */
const TICK_MS = 10;
