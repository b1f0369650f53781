/**
 * The CPU lines of /proc/stat as ticks per mode, and shares of time between two readings. Guest time is part of
 * user and nice already and never counted again (host-metrics P1); idle and iowait may step back (P2).
 *
 *     cpu  10132153 290696 3084719 46828483 16683 25195 175628 1200 40000 500
 *          user     nice   system  idle     iowait irq  softirq steal guest guest_nice
 * @module
 */
import { count, fields, wholeLines } from "./text.ts";

/** Columns of a CPU line. */
export const USER = 0, NICE = 1, SYSTEM = 2, IDLE = 3, IOWAIT = 4, IRQ = 5, SOFTIRQ = 6, STEAL = 7;
export const GUEST = 8, GUEST_NICE = 9;

/** The columns that add up to all time; the two guest columns are inside the first two. */
const WHOLE_COLUMNS = 8;

/** Ticks by column; undefined where a column is absent or no number. */
export type Ticks = readonly (number | undefined)[];

/** Ticks of a line without its label: "10132153 290696 …". */
export function parseTicks(text: string): Ticks {
  return fields(text).map(count);
}

/** The lines of the single CPUs in the order of the file; `isComplete` is false when their end was not seen. */
export interface CpuBlock {
  readonly lines: readonly string[];
  readonly isComplete: boolean;
}

/** A line break and something that is no CPU line: where the CPU lines end. */
const BLOCK_END = /\n[^c]/;

/** Cuts the CPU lines off the rest, whose `intr` line may be long (host-metrics P23). */
export function cpuBlock(stat: string): CpuBlock {
  const end = stat.search(BLOCK_END);
  const lines = wholeLines(end < 0 ? stat : stat.slice(0, end + 1));
  return { lines: lines.filter((line) => /^cpu\d/.test(line)), isComplete: end >= 0 };
}

/** The number in "cpu17 …"; CPU numbers have gaps where CPUs are offline (host-metrics P4). */
export function cpuNumber(line: string): number | undefined {
  return count(/^cpu(\d+) /.exec(line)?.[1]);
}

/** The steps back that count as clock noise, in seconds. */
export const DIP_SECONDS = 3;

/** Shares of time per column between two readings of one CPU line. */
export class Shares {
  readonly #dipTicks: number;
  #last: readonly number[] | undefined;

  constructor(ticksPerSecond: number) {
    this.#dipTicks = DIP_SECONDS * ticksPerSecond;
  }

  /**
   * Shares of the first eight columns, or undefined: on the first reading, when no time has passed, when a
   * column is missing, and after a reset.
   */
  next(ticks: Ticks): readonly number[] | undefined {
    const now = wholeColumns(ticks);
    const last = this.#last;
    this.#last = now;
    if (now === undefined || last === undefined) return undefined;
    const deltas = now.map((value, at) => value - (last[at] ?? 0));
    if (deltas.some((delta) => delta <= -this.#dipTicks)) return undefined;
    // A small step back is clamped, and what was counted once is not counted again when the column catches up.
    this.#last = now.map((value, at) => Math.max(value, last[at] ?? 0));
    const passed = deltas.map((delta) => Math.max(delta, 0));
    const total = passed.reduce((sum, delta) => sum + delta, 0);
    return total === 0 ? undefined : passed.map((delta) => delta / total);
  }

  /** Forgets the last reading: the next one is a first one. */
  forget(): void {
    this.#last = undefined;
  }
}

function wholeColumns(ticks: Ticks): readonly number[] | undefined {
  const columns = ticks.slice(0, WHOLE_COLUMNS).filter((value) => value !== undefined);
  return columns.length === WHOLE_COLUMNS ? columns : undefined;
}
