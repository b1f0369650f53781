/**
 * The text of one walk over /proc: each process' stat, then the io lines of those we may look at, then command lines
 * where they were asked for, cut short and with spaces for the bytes between their words.
 *
 *     31 / 7200.50 14000.00          the walker's own pid, /proc/uptime
 *     4242 (tmux: server) x) S 1 4242 4242 0 -1 4194560 1500 0 7 0 250 75 0 0 20 0 3 0 360000 123456789 2048 …
 *     /proc/4242/io:read_bytes: 4096
 *     /proc/4242/cmdline:tmux -2 new-session
 * @module
 */
import { count } from "./text.ts";

/** One process at the time of the walk; ticks since boot or since its start. */
export interface WalkedProcess {
  readonly pid: number;
  readonly comm: string;
  /** The kernel's letter: R S D I T t Z X. */
  readonly state: string;
  readonly parent: number;
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly startTicks: number;
  readonly residentPages: number;
  /** Bytes from and to storage; absent where the kernel does not let us look. */
  readonly readBytes: number | undefined;
  readonly writtenBytes: number | undefined;
  /** Absent for kernel threads, and where nobody asked. */
  readonly commandLine: string | undefined;
}

/**
 * A name may hold anything, line feeds and brackets included; what ends it is a bracket with nothing but a letter
 * and numbers behind it, which no name can imitate to the end of a line (host-metrics P6).
 */
const STAT =
  /^(\d+) \(([\s\S]{0,64}?)\) ([A-Za-z]) (\d+)(?: -?\d+){9} (\d+) (\d+)(?: -?\d+){6} (\d+) \d+ (-?\d+)[ \d-]*$/gm;
const COMMAND_LINE = /\/(\d+)\/cmdline:(.*)$/gm;
const IO = /\/(\d+)\/io:(read|write)_bytes: (\d+)$/gm;

/** Between the parts of a walk; no process name can hold it. */
const MARK = "\0";

function ioOf(text: string): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const [, pid = "", way = "", amount] of text.matchAll(IO)) {
    const value = count(amount);
    if (value !== undefined) bytes.set(`${pid} ${way}`, value);
  }
  return bytes;
}

function commandLinesOf(text: string): Map<string, string> {
  // A cut may have gone through a character.
  const lines = [...text.matchAll(COMMAND_LINE)].map(([, pid = "", line = ""]) =>
    [pid, line.replace(/\ufffd+$/, "").trim()] as const
  );
  return new Map(lines.filter(([, line]) => line !== ""));
}

/** What a walk found. */
export interface Walk {
  /** Seconds since boot when it began. */
  readonly uptime: number;
  readonly processes: readonly WalkedProcess[];
}

/** Reads a walk; the processes that the walker itself starts for it are left out. */
export function parseWalk(text: string): Walk {
  const [stats = "", ios = "", commandLines = ""] = text.split(MARK);
  const [pid, uptime = ""] = stats.split("\n", 2);
  const walker = count(pid);
  const io = ioOf(ios);
  const lines = commandLinesOf(commandLines);
  const found: WalkedProcess[] = [];
  for (
    const [, id = "", comm = "", state = "", parent, user, system, start, resident] of stats.matchAll(STAT)
  ) {
    const [own, above] = [Number(id), Number(parent)];
    if (above === walker) continue;
    found.push({
      pid: own,
      comm,
      state,
      parent: above,
      userTicks: Number(user),
      systemTicks: Number(system),
      startTicks: Number(start),
      residentPages: Number(resident),
      readBytes: io.get(`${id} read`),
      writtenBytes: io.get(`${id} write`),
      commandLine: lines.get(id),
    });
  }
  return { uptime: Number(uptime.split(" ", 1)[0]) || 0, processes: found };
}
