/**
 * Where printed commands are tried: a folder of its own, a recorded host that moves, a backend on loopback that does
 * as it is told, and `sonde` on the path. What was printed is put in the form a reader would see: usual paths, the
 * host's name, port 4318.
 * @module
 */
import { sleep } from "../exporters/clock.ts";
import { answer, type Behaviour, ok, partialSuccess } from "../tests/fault_behaviours.ts";
import { FaultServer } from "../tests/fault_server.ts";
import { plainText } from "../tests/terminal.ts";
import { V8_FLAGS } from "./bundle.ts";
import { MovingHost } from "./moving_host.ts";
import type { BackendMood } from "./page.ts";
import { root } from "./terminal.ts";

/** Longest time of one command; a page that hangs fails, it does not stay. */
const COMMAND_MS = 20_000;
const SETTLE_MS = 200;
/** The backend's address, and one that a receiver may listen on, as pages write them. */
const SHOWN = "127.0.0.1:4318";
const SHOWN_RECEIVER = "127.0.0.1:4319";

const MOODS: Readonly<Record<Exclude<BackendMood, "down">, Behaviour>> = {
  "up": ok,
  "refuses the key": answer(401),
  "rejects a part": partialSuccess(2, "metric name too long"),
};

export interface StageOptions {
  /** Whose `main.ts` is run. Absent: this checkout's. */
  readonly checkout?: string;
  /** Where commands are typed. Absent: the stage's own folder, where nothing of theirs does harm. */
  readonly cwd?: string;
  /** `npx` is really used; otherwise the Deno that runs this takes its place. */
  readonly isLiteral?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** How a command ended. */
export interface Played {
  readonly code: number;
  /** Standard output and standard error as they came, in the reader's form. */
  readonly output: string;
}

export interface PlayOptions {
  readonly isTerminal?: boolean;
  /** Ctrl-C once this has been printed. */
  readonly until?: string;
  /** Keys to press, one after the other, each once its text has been printed. */
  readonly steps?: readonly { readonly expect: string; readonly send: string }[];
  /** Keep colours and control sequences. */
  readonly isRaw?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export class Stage {
  readonly server: FaultServer = new FaultServer(ok);
  readonly #folder: string;
  readonly #host: MovingHost;
  readonly #receiver: string;
  readonly #isLiteral: boolean;
  readonly #size: readonly [columns: string, rows: string];
  readonly #staying: Deno.ChildProcess[] = [];
  #isDown = false;

  constructor({ checkout = root, cwd, isLiteral = false, columns = 80, rows = 40 }: StageOptions = {}) {
    this.#isLiteral = isLiteral;
    this.#size = [String(columns), String(rows)];
    this.#folder = Deno.makeTempDirSync({ prefix: "s" });
    this.#host = new MovingHost(`${this.#folder}/host`, "vm1");
    this.#receiver = freeAddress();
    Deno.mkdirSync(`${this.#folder}/bin`);
    const flags = `--no-prompt --no-check ${V8_FLAGS}`;
    const program = `#!/bin/sh\nexec ${Deno.execPath()} run -A ${flags} ${checkout}/main.ts "$@"\n`;
    Deno.writeTextFileSync(`${this.#folder}/bin/sonde`, program, { mode: 0o755 });
    // What a shell carries from one command to the next.
    Deno.writeTextFileSync(this.#session, `cd '${cwd ?? this.#folder}'\n`);
  }

  get #session(): string {
    return `${this.#folder}/session.sh`;
  }

  /** From now on. */
  async backend(mood: BackendMood): Promise<void> {
    if (mood === "down") await this.server.down();
    else {
      if (this.#isDown) this.server.up();
      this.server.otherwise = MOODS[mood];
    }
    this.#isDown = mood === "down";
  }

  /** Types a command and waits for its end. */
  async play(command: string, options: PlayOptions = {}): Promise<Played> {
    const { until, isTerminal = until !== undefined, isRaw = false, env = {} } = options;
    const steps = until === undefined ? options.steps ?? [] : [{ expect: until, send: "\x03" }];
    const script = `. ${this.#session}\n${this.#real(command)}\ncode=$?\n` +
      `{ echo "cd '$PWD'"; declare -f; declare -p $(compgen -e | grep -E '^(SONDE|OTEL)_') 2>/dev/null; } >${this.#session}\n` +
      "exit $code";
    const typed = ["bash", "-c", isTerminal ? script : `exec 2>&1\n${script}`];
    const terminal = ["python3", `${root}/tests/terminal.py`, ...this.#size];
    const [program = "", ...args] = isTerminal ? [...terminal, JSON.stringify(steps), ...typed] : typed;
    const child = new Deno.Command(program, {
      args,
      ...{ cwd: this.#folder, clearEnv: true, env: { ...this.#environment(), ...env } },
      ...{ stdin: "null", stdout: "piped", stderr: "piped", detached: true },
    }).spawn();
    const timer = setTimeout(() => Deno.kill(-child.pid, "SIGKILL"), COMMAND_MS);
    const { code, stdout, stderr } = await child.output();
    clearTimeout(timer);
    const printed = new TextDecoder().decode(stdout);
    if (!isTerminal) return { code, output: this.#shown(printed) };
    if (code !== 0) throw new Error(`Cannot play in a terminal: ${new TextDecoder().decode(stderr)}`);
    const played: Played = JSON.parse(printed);
    return { code: played.code, output: this.#shown(isRaw ? played.output : plainText(played.output)) };
  }

  /** Starts what stays until the stage is taken down; resolves when a happy backend has heard of it twice. */
  async start(command: string): Promise<void> {
    const heard = this.server.requests.length;
    const child = new Deno.Command("bash", {
      args: ["-c", `. ${this.#session}\n${this.#real(command)}`],
      ...{ cwd: this.#folder, clearEnv: true, env: { ...this.#environment(), SONDE_INTERVAL: "1s" } },
      ...{ stdin: "null", stdout: "null", stderr: "null", detached: true },
    }).spawn();
    this.#staying.push(child);
    const ended = child.status.then(({ code }) => {
      throw new Error(`Cannot go on: "${command.trim()}" ended with ${code}, expected it to stay`);
    });
    // Its end is expected once the stage is taken down.
    ended.catch(() => {});
    const requests = heard + (this.server.otherwise === ok ? 2 : 1);
    await Promise.race([this.server.waitFor(requests, COMMAND_MS), ended]);
    // Real time: what the program makes of the answer it has just been given.
    await sleep(SETTLE_MS);
  }

  #environment(): Record<string, string> {
    const home = Deno.env.get("HOME") ?? "/";
    return {
      PATH: `${this.#folder}/bin:${Deno.env.get("PATH")}`,
      HOME: this.#folder,
      SHELL: "/bin/bash",
      TERM: "xterm-256color",
      LC_ALL: "C.UTF-8",
      DENO_DIR: Deno.env.get("DENO_DIR") ?? `${home}/.cache/deno`,
      DENO_NO_UPDATE_CHECK: "1",
      npm_config_cache: Deno.env.get("npm_config_cache") ?? `${home}/.npm`,
      npm_config_update_notifier: "false",
      npm_config_progress: "false",
      SONDE_ROOT: this.#host.path,
      SONDE_STATE_DIR: `${this.#folder}/state`,
      SONDE_CONTROL_SOCKET: `${this.#folder}/ctl.sock`,
    };
  }

  /** The command as it can be typed here. */
  #real(command: string): string {
    const here = `127.0.0.1:${this.server.port}`;
    const typed = command.replaceAll(`https://otlp.example:4318`, `http://${here}`).replaceAll(SHOWN, here)
      .replaceAll(SHOWN_RECEIVER, this.#receiver);
    return this.#isLiteral ? typed : typed.replaceAll("npx -y deno@2.9.6", Deno.execPath());
  }

  /** Names and places of this machine are nobody's business, and would change with every recording. */
  #shown(output: string): string {
    return output
      .replaceAll(`${this.#folder}/state`, "/var/lib/sonde")
      .replaceAll(`${this.#folder}/ctl.sock`, "/run/sonde/ctl.sock")
      .replaceAll(this.#host.path, "")
      .replaceAll(this.#folder, "~")
      .replaceAll(`127.0.0.1:${this.server.port}`, SHOWN)
      .replaceAll(this.#receiver, SHOWN_RECEIVER)
      .replaceAll(/\bpid \d+/g, "pid 4711")
      .replaceAll(/\bprocess \d+/g, "process 4711")
      // The runtime says which task it begins; how that starts the program is nobody's first question.
      .replaceAll(/^Task \w+ .*\n/gm, "")
      .replaceAll(/[ \t]+$/gm, "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The group, because npx and a task stand between: a signal to them alone does not reach the program.
    for (const { pid } of this.#staying) endGroup(pid);
    await Promise.all(this.#staying.map((child) => child.status));
    this.#host[Symbol.dispose]();
    await this.server.down();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/** One that has ended by itself has no group any more, and what became of it shows elsewhere. */
function endGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGTERM");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A loopback address with a port that nobody has now. */
function freeAddress(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `127.0.0.1:${listener.addr.port}`;
}
