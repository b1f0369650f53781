/**
 * A job from its start to its end: its streams, its signals, its time.
 * @module
 */
import { nanoseconds } from "../exporters/clock.ts";
import type { Context } from "./context.ts";
import { findProgram } from "./exec_command.ts";
import { Passage, Tail } from "./exec_output.ts";
import { endFamily, isForeground, PASSED_ON, signal } from "./exec_processes.ts";
import type { JobEnd } from "./exec_report.ts";

/** What is to be run. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | undefined;
  /** False: the job gets our own output streams. */
  readonly isCaptured: boolean;
}

/** What came of it. Times are nanoseconds since 1970. */
export interface Ended {
  readonly end: JobEnd;
  readonly pid: number | undefined;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly durationMs: number;
  /** The end of its output, as far as it went through us. */
  readonly tail: string;
}

const SHELL = "/bin/sh";

/** True when both streams lead to the same place, where the order of lines in them is to be kept. */
function isOneOutput(): boolean {
  try {
    const [out, err] = [Deno.statSync("/proc/self/fd/1"), Deno.statSync("/proc/self/fd/2")];
    Deno.statSync(SHELL);
    return out.ino === err.ino && out.dev === err.dev;
  } catch {
    return false;
  }
}

/** How a stream reaches the outside: a terminal stays a terminal for the job. */
interface Streams {
  readonly stdout: "inherit" | "piped";
  readonly stderr: "inherit" | "piped";
  /** Both through one pipe. */
  readonly isJoined: boolean;
}

function streamsOf({ isCaptured }: Launch, { isTerminal }: Pick<Context, "isTerminal">): Streams {
  const kindOf = (isTty: boolean): "piped" | "inherit" => isCaptured && !isTty ? "piped" : "inherit";
  const [stdout, stderr] = [kindOf(isTerminal.stdout), kindOf(isTerminal.stderr)];
  const isJoined = stdout === "piped" && stderr === "piped" && isOneOutput();
  return { stdout, stderr, isJoined };
}

function spawn({ command, args, env }: Launch, { stdout, stderr, isJoined }: Streams): Deno.ChildProcess {
  const streams = { stdin: "inherit", stdout, stderr } as const;
  if (!isJoined) return new Deno.Command(command, { args: [...args], env: { ...env }, ...streams }).spawn();
  // The shell joins the two and becomes the job: no process is left in between.
  const joined = ["-c", 'exec "$0" "$@" 2>&1', command, ...args];
  return new Deno.Command(SHELL, { args: joined, env: { ...env }, ...streams, stderr: "inherit" }).spawn();
}

/** Passes signals on until `stop`; what comes before there is a process is passed on when there is one. */
class Relay {
  readonly #early: Deno.Signal[] = [];
  #pid: number | undefined;

  constructor(isTerminal: boolean) {
    for (const name of PASSED_ON) {
      Deno.addSignalListener(name, () => {
        if (name === "SIGINT" && isTerminal && isForeground()) return;
        if (this.#pid === undefined) this.#early.push(name);
        else signal(this.#pid, name);
      });
    }
  }

  to(pid: number): void {
    this.#pid = pid;
    for (const name of this.#early.splice(0)) signal(pid, name);
  }

  /** The job has ended, and its number may be another's soon. We end within 2 s anyway. */
  stop(): void {
    this.#pid = undefined;
  }
}

function endOf({ signal: name, code }: Deno.CommandStatus, isTimeout: boolean): JobEnd {
  if (isTimeout) return { kind: "timeout", code: 124 };
  return name === null ? { kind: "exited", code } : { kind: "killed", signal: name, code };
}

function passages(child: Deno.ChildProcess, streams: Streams, tail: Tail): Passage[] {
  const list: Passage[] = [];
  if (streams.stdout === "piped") list.push(new Passage(child.stdout, Deno.stdout, tail));
  if (streams.stderr === "piped" && !streams.isJoined) {
    list.push(new Passage(child.stderr, Deno.stderr, tail));
  }
  return list;
}

function absent(code: number, why: string, nowMs: number): Ended {
  const timeNs = nanoseconds(nowMs);
  return {
    end: { kind: "absent", code, why },
    pid: undefined,
    startNs: timeNs,
    endNs: timeNs,
    durationMs: 0,
    tail: "",
  };
}

/** Runs the job to its end. Never rejects. */
export async function runJob(
  launch: Launch,
  context: Pick<Context, "env" | "now" | "isTerminal">,
): Promise<Ended> {
  const startMs = context.now();
  const found = findProgram(launch.command, context.env);
  if (found.path === undefined) return absent(found.code, found.why, startMs);
  const relay = new Relay(context.isTerminal.stdin);
  const streams = streamsOf(launch, context);
  const begunMs = performance.now();
  let child: Deno.ChildProcess;
  try {
    child = spawn(launch, streams);
  } catch (error) {
    relay.stop();
    const code = error instanceof Deno.errors.NotFound ? 127 : 126;
    return absent(code, error instanceof Error ? error.message : String(error), startMs);
  }
  relay.to(child.pid);
  const tail = new Tail();
  const passing = passages(child, streams, tail);
  const over = new AbortController();
  let isTimeout = false;
  const timer = launch.timeoutMs === undefined ? undefined : setTimeout(() => {
    isTimeout = true;
    void endFamily(child.pid, over.signal);
  }, launch.timeoutMs);
  const status = await child.status;
  const durationMs = performance.now() - begunMs;
  if (timer !== undefined) clearTimeout(timer);
  over.abort();
  relay.stop();
  for (const passage of passing) passage.end();
  await Promise.all(passing.map(({ done }) => done));
  const startNs = nanoseconds(startMs);
  const endNs = startNs + nanoseconds(durationMs);
  return { end: endOf(status, isTimeout), pid: child.pid, startNs, endNs, durationMs, tail: tail.text() };
}
