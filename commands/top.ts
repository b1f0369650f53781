/**
 * `sonde top`: the running agent live on a terminal, or block by block in a pipe (`--plain`). The screen is the
 * terminal's second one and is given back on every way out; it is drawn line over line, so that it does not flicker.
 * @module
 */
import { INTERVAL } from "../config/keys_what.ts";
import { sleep } from "../exporters/clock.ts";
import { paint } from "../exporters/console_text.ts";
import type { Context } from "./context.ts";
import { countOf } from "./running_agent.ts";
import { lineWidth, wantsColor } from "./output.ts";
import { fetchStatus } from "./status.ts";
import { onEnding } from "./stop.ts";
import { screenLines, type View } from "./top_text.ts";
import type { Status } from "./vitals.ts";

const PERIOD_MS = 1_000;
const NO_COLUMNS = 80;
const NO_ROWS = 24;

/** Second screen, no cursor; and back. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J";
const LEAVE = "\x1b[?25h\x1b[?1049l";
/** Terminals that know it show what lies between at once. */
const BEGIN = "\x1b[?2026h\x1b[H";
const END = "\x1b[J\x1b[?2026l";

function screenSize(context: Context): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || NO_COLUMNS, rows: rows || NO_ROWS };
  } catch {
    return { columns: context.columns, rows: NO_ROWS };
  }
}

/** What the keys have changed. */
class Screen {
  readonly #context: Context;
  readonly #ended = new AbortController();
  #redraw = new AbortController();
  view: View = "lanes";
  isPaused = false;

  constructor(context: Context) {
    this.#context = context;
  }

  get isEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  /** A wait that a key, another size or the end cuts short. */
  async pause(ms: number): Promise<void> {
    if (this.isEnded) return;
    await sleep(ms, AbortSignal.any([this.#ended.signal, this.#redraw.signal]));
    this.#redraw = new AbortController();
  }

  end = (): void => this.#ended.abort();
  redraw = (): void => this.#redraw.abort();

  press(key: string): void {
    if (key === "q" || key === "Q" || key === "\x03" || key === "\x04" || key === "\x1b") return this.end();
    if (key === "l") this.view = "lanes";
    else if (key === "c") this.view = "collectors";
    else if (key === "e") this.view = "faults";
    else if (key === "p" || key === " ") this.isPaused = !this.isPaused;
    else return;
    this.redraw();
  }

  draw(status: Status, previous: Status | undefined): void {
    const { columns, rows } = screenSize(this.#context);
    const { view, isPaused } = this;
    const lines = screenLines(status, previous, { rows, view, isPaused, hasKeys: true });
    const text = paint(lines, columns, wantsColor(this.#context)).trimEnd().replaceAll("\n", "\x1b[K\r\n");
    this.#context.stdout(`${BEGIN}${text}\x1b[K${END}`);
  }

  /** Keys until the end; a stream that ends is no key. */
  async listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#context.stdin()) {
      const text = decoder.decode(bytes, { stream: true });
      // An escape sequence (an arrow, a mouse) is one key that means nothing here; Escape alone ends.
      if (text.startsWith("\x1b") && text.length > 1) continue;
      for (const key of text) this.press(key);
      if (this.isEnded) return;
    }
  }
}

async function live(context: Context, first: Status, periodMs: number): Promise<number> {
  const screen = new Screen(context);
  onEnding(screen.end);
  Deno.addSignalListener("SIGQUIT", screen.end);
  Deno.addSignalListener("SIGWINCH", screen.redraw);
  let [status, previous]: [Status, Status | undefined] = [first, undefined];
  let shownMs = performance.now();
  try {
    if (context.isTerminal.stdin) Deno.stdin.setRaw(true);
    context.stdout(ENTER);
    void screen.listen().catch(screen.end);
    while (!screen.isEnded) {
      screen.draw(status, previous);
      await screen.pause(Math.max(0, shownMs + periodMs - performance.now()));
      if (screen.isPaused || performance.now() < shownMs + periodMs) {
        if (screen.isPaused) await screen.pause(periodMs);
        continue;
      }
      const next = await fetchStatus({ ...context, stderr: () => {} });
      if (typeof next === "number") break;
      [status, previous] = [next, status];
      shownMs = performance.now();
    }
  } finally {
    context.stdout(LEAVE);
    if (context.isTerminal.stdin) Deno.stdin.setRaw(false);
  }
  if (screen.isEnded) return 0;
  context.stderr("sonde: error: the agent has ended\n");
  return 69;
}

async function plain(
  context: Context,
  first: Status,
  { periodMs, count }: { periodMs: number; count: number },
): Promise<number> {
  let previous: Status | undefined;
  const ended = new AbortController();
  onEnding(() => ended.abort());
  for (let [status, shown]: [Status | number, number] = [first, 0];;) {
    if (typeof status === "number") return status;
    const options = { rows: Infinity, view: "lanes", isPaused: false, hasKeys: false } as const;
    context.stdout(
      `${
        paint(screenLines(status, previous, options), lineWidth(context), wantsColor(context)).trimEnd()
      }\n\n`,
    );
    previous = status;
    if (++shown >= count || context.outputFault?.() !== undefined) return 0;
    await sleep(periodMs, ended.signal);
    if (ended.signal.aborted) return 0;
    status = await fetchStatus(context);
  }
}

/** Shows until `q` or a signal; 69 when no agent answers. `--interval` is the time between two looks. */
export async function run(context: Context): Promise<number> {
  const { flags, isTerminal, env, stderr } = context;
  const count = countOf(context);
  let periodMs = PERIOD_MS;
  try {
    periodMs = INTERVAL.type.parse(flags.text("interval") ?? `${PERIOD_MS}ms`);
  } catch (error) {
    stderr(`sonde: error: --interval: ${error instanceof Error ? error.message : String(error)}\n`);
    return 78;
  }
  const first = await fetchStatus(context);
  if (typeof first === "number") return first;
  const isPlain = flags.has("plain") || flags.has("count") || !isTerminal.stdout || env["TERM"] === "dumb";
  return isPlain ? await plain(context, first, { periodMs, count }) : await live(context, first, periodMs);
}
