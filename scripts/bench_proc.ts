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
  readonly #threads = new Map<string, number>();

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** CPU of all threads seen so far, nanoseconds since each began. */
  sample(): number {
    for (const { name } of Deno.readDirSync(`/proc/${this.#pid}/task`)) {
      try {
        const text = Deno.readTextFileSync(`/proc/${this.#pid}/task/${name}/schedstat`);
        this.#threads.set(name, Number(text.split(" ")[0]));
      } catch {
        // The thread ended between the listing and the read.
      }
    }
    return [...this.#threads.values()].reduce((sum, each) => sum + each, 0);
  }
}
