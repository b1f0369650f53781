/**
 * sonde as its users start it: a process of its own with its own folders, environment and sockets. Every program
 * started here is bounded in time and ended by its own pid.
 * @module
 */
import { RUNTIME_ENV, V8_FLAGS } from "../scripts/bundle.ts";
import { end } from "./peers/child.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** A built program to test in place of the source: dist/sonde-portable or dist/sonde, relative to the checkout. */
const BUILT = Deno.env.get("PROGRAM_UNDER_TEST");

/** What stands before the verb: a built program, or Deno with the flags of the `run` task (deno.json). */
export const COMMAND: readonly [string, ...string[]] = BUILT === undefined
  ? [Deno.execPath(), "run", "-A", "--no-prompt", V8_FLAGS, "--no-check", `${ROOT}main.ts`]
  : [BUILT.startsWith("/") ? BUILT : `${ROOT}${BUILT}`];

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** State directory; a fresh one by default. */
  readonly stateDir?: string;
  readonly stdin?: "null" | "piped";
  /** Wraps the command line, for strace and its like. */
  readonly wrap?: readonly string[];
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own for one test, gone afterwards. */
export async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const path = Deno.makeTempDirSync({ prefix: "sonde-test-" });
  try {
    await test(path);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

/** The process environment is not inherited: a developer's own settings must not reach the program. */
function environment(folder: string, options: ProgramOptions): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const name of ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "DENORT_BIN"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) inherited[name] = value;
  }
  return {
    ...inherited,
    ...RUNTIME_ENV,
    SONDE_CONTROL_SOCKET: `${folder}/ctl.sock`,
    SONDE_STATE_DIR: options.stateDir ?? `${folder}/state`,
    ...options.env,
  };
}

/** A running program. */
export class Program {
  readonly #process: Deno.ChildProcess;
  readonly #pumps: Promise<void[]>;
  readonly #waiting = new Set<() => void>();
  stdout = "";
  stderr = "";

  constructor(folder: string, args: readonly string[], options: ProgramOptions = {}) {
    const [command = COMMAND[0], ...rest] = [...options.wrap ?? [], ...COMMAND, ...args];
    this.#process = new Deno.Command(command, {
      args: rest,
      cwd: folder,
      env: environment(folder, options),
      clearEnv: true,
      stdin: options.stdin ?? "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#pumps = Promise.all([
      this.#pump(this.#process.stdout, (text) => this.stdout += text),
      this.#pump(this.#process.stderr, (text) => this.stderr += text),
    ]);
  }

  get pid(): number {
    return this.#process.pid;
  }

  async #pump(stream: ReadableStream<Uint8Array<ArrayBuffer>>, add: (text: string) => void): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      add(text);
      for (const wake of this.#waiting) wake();
    }
  }

  /** Resolves when its output so far satisfies the condition; rejects, with that output, after the limit. */
  async waitFor(condition: (program: this) => boolean, withinMs = 15_000): Promise<void> {
    const done = Promise.withResolvers<void>();
    const check = () => {
      if (condition(this)) done.resolve();
    };
    const timer = setTimeout(
      () =>
        done.reject(
          new Error(`Cannot wait longer:\n${this.stdout.slice(-2000)}\n${this.stderr.slice(-2000)}`),
        ),
      withinMs,
    );
    this.#waiting.add(check);
    check();
    try {
      await done.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(check);
    }
  }

  /** Writes to its standard input and ends that. */
  async write(bytes: Uint8Array<ArrayBuffer> | string): Promise<void> {
    const writer = this.#process.stdin.getWriter();
    await writer.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
    await writer.close();
  }

  signal(name: Deno.Signal): void {
    this.#process.kill(name);
  }

  /** Waits for its end; a program that outlives the limit is killed and gives 137. */
  async finish(withinMs = 30_000): Promise<Finished> {
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), withinMs);
    const { code } = await this.#process.status;
    clearTimeout(timer);
    await this.#pumps;
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  /** SIGTERM, then SIGKILL after 5 s. */
  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#process);
    await this.#pumps;
  }
}

/** Runs the program to its end. */
export async function sonde(
  folder: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Finished> {
  const program = new Program(folder, args, options);
  return await program.finish();
}
