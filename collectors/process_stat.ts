/**
 * One line of /proc/[pid]/stat. Kernel: Documentation/filesystems/proc.rst 1.1, table 1-4.
 *
 *     4242 (tmux: server) x) S 1 4242 4242 0 -1 4194560 1500 0 7 0 250 75 0 0 20 0 3 0 360000 123456789 2048 0
 *     pid (comm) state ppid … minflt(10) … majflt(12) … utime(14) stime(15) … threads(20) … start(22) vsize(23) rss(24)
 * @module
 */
import { count, quote, unsigned } from "./text.ts";

/** Fields of stat that are used, already as numbers; ticks are clock ticks since boot or since start. */
export interface ProcessStat {
  readonly comm: string;
  readonly parent: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly threads: number;
  readonly startTicks: number;
  readonly virtualBytes: number | bigint;
  readonly residentPages: number;
  /** Ticks spent waiting for storage; absent on old kernels. */
  readonly waitTicks: number | undefined;
}

const NUMBERS = /^ [A-Za-z]( -?\d+)+ ?\n$/;

/** Reads /proc/[pid]/stat. Throws `SyntaxError`. The name may hold spaces and brackets: its end is the last one. */
export function parseProcessStat(text: string): ProcessStat {
  const [open, close] = [text.indexOf("("), text.lastIndexOf(")")];
  const rest = text.slice(close + 1).trim().split(" ");
  // The kernel numbers fields from 1; the third stands first after the name.
  const field = (number: number): number => {
    const value = count(rest[number - 3]);
    if (value === undefined) {
      throw new SyntaxError(`Cannot parse process ${quote(text)}: field ${number} is no number`);
    }
    return value;
  };
  // One damaged separator would shift every field behind it: all of them must be numbers.
  if (open < 0 || close < open || !NUMBERS.test(text.slice(close + 1))) {
    throw new SyntaxError(`Cannot parse process ${quote(text)}: expected numbers behind a name in brackets`);
  }
  return {
    comm: text.slice(open + 1, close),
    parent: field(4),
    minorFaults: field(10),
    majorFaults: field(12),
    userTicks: field(14),
    systemTicks: field(15),
    threads: field(20),
    startTicks: field(22),
    virtualBytes: unsigned(rest[20]) ?? field(23),
    residentPages: field(24),
    waitTicks: count(rest[39]),
  };
}
