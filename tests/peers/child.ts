/**
 * A peer as a child process: ready when it prints the awaited line, ended by its own pid, and never left behind.
 * Readiness is an event (a line), not a guess in milliseconds; the deadline only bounds a peer that hangs.
 * @module
 */
import { TextLineStream } from "./lines.ts";

/** How much of a peer's output is kept for a failure message. */
const TAIL_LINES = 60;
const STOP_MS = 5_000;

export interface ChildOptions {
  readonly args: readonly string[];
  /** The line, of stdout or stderr, that says that the peer can be used. */
  readonly ready: RegExp;
  /** Longest wait for that line. */
  readonly readyMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Child {
  readonly pid: number;
  /** The line that matched `ready`. */
  readonly readyLine: string;
  /** The last lines printed. */
  tail(): string;
  /** SIGTERM, and SIGKILL after 5 s. */
  stop(): Promise<void>;
}

/** Starts a program and resolves when it is ready; rejects, with its last words, when it ends or hangs first. */
export async function startChild(program: string, options: ChildOptions): Promise<Child> {
  const process = new Deno.Command(program, {
    args: [...options.args],
    env: { ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const tail: string[] = [];
  const ready = Promise.withResolvers<string>();
  const note = (line: string) => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    if (options.ready.test(line)) ready.resolve(line);
  };
  const pumps = Promise.all([pump(process.stdout, note), pump(process.stderr, note)]);
  const stop = async () => {
    await end(process);
    await pumps;
  };
  pumps.then(() => ready.reject(new Error(`Cannot start "${program}": it ended\n${tail.join("\n")}`)));
  const timer = setTimeout(
    () => ready.reject(new Error(`Cannot start "${program}": not ready in time\n${tail.join("\n")}`)),
    options.readyMs ?? 20_000,
  );
  try {
    const readyLine = await ready.promise;
    return { pid: process.pid, readyLine, tail: () => tail.join("\n"), stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function pump(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  note: (line: string) => void,
): Promise<void> {
  for await (const line of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
    note(line);
  }
}

/** Ends a child by its own pid and waits until it is gone. */
export async function end(process: Deno.ChildProcess): Promise<void> {
  signal(process, "SIGTERM");
  const timer = setTimeout(() => signal(process, "SIGKILL"), STOP_MS);
  await process.status;
  clearTimeout(timer);
}

function signal(process: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    process.kill(name);
  } catch {
    // It ended by itself between the check and the signal.
  }
}
