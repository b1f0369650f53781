/**
 * sonde in a real pseudo-terminal, by Python's pty: of any size, with keys, resizes and signals played to it.
 * @module
 */
import { COMMAND } from "./program.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** What is done once a text has come. */
export interface Step {
  readonly expect: string;
  readonly send?: string;
  readonly resize?: readonly [columns: number, rows: number];
  readonly signal?: number;
}

/** What became of it. */
export interface TerminalRun {
  readonly code: number;
  /** Everything drawn, control sequences included. */
  readonly output: string;
  /** The terminal's settings were the same afterwards. */
  readonly restored: boolean;
  /** Steps whose text never came. */
  readonly unplayed: number;
}

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
  /** What stands before the verb; absent: as everywhere. */
  readonly command?: readonly string[];
}

/** Runs `sonde ARGS` in a terminal until it ends. */
export async function inTerminal(
  folder: string,
  args: readonly string[],
  { columns = 80, rows = 24, env = {}, steps = [], command = COMMAND }: TerminalOptions = {},
): Promise<TerminalRun> {
  const { stdout, stderr, success } = await new Deno.Command("python3", {
    args: [
      ...[`${ROOT}tests/terminal.py`, String(columns), String(rows), JSON.stringify(steps)],
      ...command,
      ...args,
    ],
    cwd: folder,
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: folder,
      DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
      DENO_NO_UPDATE_CHECK: "1",
      TERM: "xterm-256color",
      SONDE_CONTROL_SOCKET: `${folder}/ctl.sock`,
      SONDE_STATE_DIR: `${folder}/state`,
      ...env,
    },
  }).output();
  if (!success) throw new Error(`Cannot run a terminal: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The text without control sequences. */
export function plainText(output: string): string {
  // deno-lint-ignore no-control-regex -- control sequences are what is taken out
  return output.replaceAll(/\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)/g, "").replaceAll("\r", "");
}
