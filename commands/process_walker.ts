/**
 * Reads the files of processes that did not exist at start. After the drop nothing can be opened here, so a child
 * does it: a shell with a fixed script, started before the drop, that for each line on its input prints the same
 * files of every process. What is sent to it is ignored, so all that this end can do with it is to ask again.
 *
 * Measured on 100 processes: 6 to 8 ms a walk, 2 MB of memory. A worker would need every permission for the same (Deno
 * opens /proc for no less), openat(2) as a foreign function would open any file for whoever holds it.
 * @module
 */

/**
 * Prints its process id, the uptime, each stat, a mark, each io, a mark, the first line and the first bytes of each
 * command line if the third word says so, a mark; a mark is longer than any process name can be.
 */
const SCRIPT = 'while read -r _; do echo "$$"; cat "$1"/uptime "$1"/[0-9]*/stat; echo "$2"; ' +
  `grep -sH '^[rw][a-z]*_bytes:' "$1"/[0-9]*/io; echo "$2"; ` +
  `[ -z "$3" ] || grep -saHm1 '' "$1"/[0-9]*/cmdline | tr '\\000' ' ' | cut -b1-300; echo "$2"; done 2>/dev/null`;
const MARKS = 3;

/** Longest answer: some 10,000 processes. */
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const ANSWER_MS_MAX = 5_000;

const encoder = new TextEncoder();

/** The child. */
export interface Walker {
  /** For `sandbox`. */
  readonly description: string;
  /**
   * One walk: stats, io lines, command lines, a mark behind each. Rejects when the child is gone, too slow or says too
   * much.
   */
  walk(): Promise<string>;
  close(): Promise<void>;
}

class ShellWalker implements Walker {
  readonly description: string;
  readonly #child: Deno.ChildProcess;
  readonly #ask: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answer: ReadableStreamDefaultReader<Uint8Array>;
  readonly #mark: string;
  #failure: string | undefined;

  constructor(proc: string, hasCommandLines: boolean) {
    this.#mark = crypto.randomUUID();
    this.#child = new Deno.Command("/bin/sh", {
      args: ["-c", SCRIPT, "sonde-walk", proc, this.#mark, hasCommandLines ? "command lines" : ""],
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      cwd: "/",
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const names = hasCommandLines ? "stat,io,cmdline" : "stat,io";
    this.description =
      `pipe to process ${this.#child.pid}: a fixed script that prints ${proc}/[pid]/{${names}}`;
    this.#ask = this.#child.stdin.getWriter();
    this.#answer = this.#child.stdout.getReader();
  }

  async walk(): Promise<string> {
    if (this.#failure !== undefined) throw new Error(this.#failure);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<never>((_, reject) => {
      const why = `Cannot walk /proc: no answer within ${ANSWER_MS_MAX} ms`;
      timer = setTimeout(() => reject(new Error(why)), ANSWER_MS_MAX);
    });
    try {
      return await Promise.race([this.#exchange(), limit]);
    } catch (error) {
      // A late answer would be taken for the next one: the child is not asked again.
      this.#failure = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #exchange(): Promise<string> {
    await this.#ask.write(encoder.encode("\n"));
    const decoder = new TextDecoder();
    const parts: string[] = [];
    let [bytes, tail] = [0, ""];
    const end = `${this.#mark}\n`;
    for (let marks = 0; marks < MARKS;) {
      const { value, done } = await this.#answer.read();
      if (done) throw new Error("Cannot walk /proc: the walker has ended");
      bytes += value.length;
      if (bytes > ANSWER_BYTES_MAX) throw new Error(`Cannot walk /proc: more than ${ANSWER_BYTES_MAX} bytes`);
      const part = decoder.decode(value, { stream: true });
      parts.push(part);
      // A mark may be cut in two by the pipe.
      const window = tail + part;
      marks += window.split(end).length - 1;
      tail = window.slice(
        window.lastIndexOf(end) < 0 ? -end.length + 1 : window.lastIndexOf(end) + end.length,
      );
    }
    return parts.join("").replaceAll(end, "\0");
  }

  async close(): Promise<void> {
    try {
      await this.#ask.close();
    } catch {
      // It has ended before, which is what is wanted.
    }
    await this.#answer.cancel();
    await this.#child.status;
  }
}

/** Starts the walker; needs all permissions. Undefined where there is no shell. */
export function openWalker(proc: string, hasCommandLines: boolean): Walker | undefined {
  try {
    return new ShellWalker(proc, hasCommandLines);
  } catch {
    return undefined;
  }
}
