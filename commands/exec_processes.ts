/**
 * A job's processes: signals passed on while it runs, and the end of all of them when its time is over.
 * @module
 */
import { sleep } from "../exporters/clock.ts";

/** Passed on to the job (contract: exec). */
export const PASSED_ON = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
  "SIGQUIT",
  "SIGWINCH",
] as const;

/** Between asking to end and ending. */
const KILL_AFTER_MS = 5_000;
/** Descendants that are looked for. */
const PROCESSES_MAX = 4_096;

/** A process and when it started, in ticks since boot: a number that is reused tells another process. */
interface Identity {
  readonly pid: number;
  readonly start: string;
}

function startOf(pid: number): string | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
    return text.split(" ").filter((word) => word !== "").map(Number);
  } catch {
    return [];
  }
}

/** The process and all that descend from it now, parents first. */
function familyOf(pid: number): Identity[] {
  const family: Identity[] = [];
  const todo = [pid];
  for (let next = todo.shift(); next !== undefined && family.length < PROCESSES_MAX; next = todo.shift()) {
    const start = startOf(next);
    if (start === undefined) continue;
    family.push({ pid: next, start });
    todo.push(...childrenOf(next));
  }
  return family;
}

/** Sends a signal; a process that is gone is no failure. */
export function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // Gone meanwhile.
  }
}

/** Ends a job: SIGTERM for it and its descendants, SIGKILL for what is left after a while. */
export async function endFamily(pid: number, ended: AbortSignal): Promise<void> {
  const family = familyOf(pid);
  for (const each of family) signal(each.pid, "SIGTERM");
  await sleep(KILL_AFTER_MS, ended);
  // The job has ended as it was asked to: its descendants may take their time.
  if (ended.aborted) return;
  const left = [...family, ...familyOf(pid)];
  for (const each of left) if (startOf(each.pid) === each.start) signal(each.pid, "SIGKILL");
}

/**
 * True when the terminal itself sends its SIGINT to us and the job alike: both are in its foreground, and a second one
 * from us would look like an impatient user.
 */
export function isForeground(): boolean {
  try {
    const text = Deno.readTextFileSync("/proc/self/stat");
    const [, , group, , , foreground] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return group === foreground;
  } catch {
    return false;
  }
}
