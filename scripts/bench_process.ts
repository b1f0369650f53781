/**
 * The bench's view of sonde from outside: the program as a process beside a sink that accepts everything, its CPU,
 * memory, bytes and times; and the same for an empty program, which is what the machine asks for nothing.
 * @module
 */
import { sleep } from "../exporters/clock.ts";
import { end } from "../tests/peers/child.ts";
import { decodeExport } from "../tests/peers/decode.ts";
import { type Sink, type SinkRequest, startSink } from "../tests/peers/sink.ts";
import { median } from "./bench_figures.ts";
import { CpuMeter, type Memory, readMemory, readUserSystem } from "./bench_proc.ts";
import { RUNTIME_ENV, V8_FLAGS } from "./bundle.ts";
import { root } from "./terminal.ts";

/** Cycles before the measurement: connections and templates have settled, and what the start left is given back. */
const WARM_CYCLES = 15;

/** How the C library keeps memory, as the run task tells it. */
export const MALLOC_ENV: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: "2",
  MALLOC_MMAP_THRESHOLD_: "65536",
};

/** How a program is started. */
export type Command = readonly [program: string, ...args: string[]];

const DENO: Command = [Deno.execPath(), "run", "-A", "--no-prompt", V8_FLAGS, "--no-check"];

/** sonde from this checkout, with the flags of its tasks, or a binary. */
export function sondeCommand(binary: string | undefined): Command {
  return binary === undefined ? [...DENO, `${root}/main.ts`] : [binary];
}

/** The empty program, started the same way. */
export const BARE: Command = [...DENO, `${root}/scripts/bench_bare.ts`];

/** What `run` did between warm-up and end. */
export interface RunFigures {
  readonly points: number;
  readonly cpuMs: number;
  /** The same CPU as the kernel divides it, in ticks. */
  readonly userMs: number;
  readonly systemMs: number;
  readonly threads: Readonly<Record<string, number>>;
  /** At the end of the run; `growth` is of RSS from its middle, in KiB. */
  readonly memory: Memory & { readonly seconds: number; readonly growth: number };
  readonly bytesPerPoint: number;
  readonly requestBytes: number;
}

/** Starts a program with what its environment needs and nothing else. */
export function spawn([program, ...args]: Command, env: Readonly<Record<string, string>>): Deno.ChildProcess {
  const kept: Record<string, string> = {};
  for (const name of ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) kept[name] = value;
  }
  return new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...kept, ...RUNTIME_ENV, ...MALLOC_ENV, ...env },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
}

/** A fresh state directory and sink for `use`, gone afterwards. */
export async function withSink<T>(use: (sink: Sink, env: Record<string, string>) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "sonde-bench-" });
  const sink = startSink();
  try {
    return await use(sink, {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      SONDE_INTERVAL: "1s",
      SONDE_LOG_LEVEL: "warn",
      SONDE_STATE_DIR: `${folder}/state`,
      SONDE_CONTROL_SOCKET: `${folder}/ctl.sock`,
    });
  } finally {
    await sink.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs sonde at 1 Hz for so many cycles after the warm-up. */
export function measureRun(command: Command, cycles: number): Promise<RunFigures> {
  return withSink(async (sink, env) => {
    const child = spawn([...command, "run"], env);
    try {
      return await follow(child.pid, sink, { warmCycles: WARM_CYCLES, cycles, intervalMs: 1_000 });
    } finally {
      await end(child);
    }
  });
}

/** How long a program is looked at. */
export interface Following {
  readonly warmCycles: number;
  readonly cycles: number;
  readonly intervalMs: number;
}

/** Follows a program that makes one request per cycle, from the end of its warm-up. */
export async function follow(pid: number, sink: Sink, options: Following): Promise<RunFigures> {
  const { warmCycles, cycles, intervalMs } = options;
  const meter = new CpuMeter(pid);
  await sink.received(warmCycles, warmCycles * intervalMs + START_MS);
  await sleep(SETTLE_MS);
  const [before, ticksBefore, at] = [meter.sample(), readUserSystem(pid), sink.requests.length];
  const memories: Memory[] = [];
  for (let cycle = 1; cycle <= cycles; cycle++) {
    await sink.received(at + cycle, intervalMs + LATE_MS);
    await sleep(SETTLE_MS);
    meter.sample();
    memories.push(await readMemory(pid));
  }
  const requests = sink.requests.slice(at);
  const threads = shares(before, meter.sample(), requests.length);
  const ticks = readUserSystem(pid);
  return {
    cpuMs: Object.values(threads).reduce((sum, each) => sum + each, 0),
    userMs: (ticks.userMs - ticksBefore.userMs) / requests.length,
    systemMs: (ticks.systemMs - ticksBefore.systemMs) / requests.length,
    threads,
    ...measureRequests(requests),
    memory: summarize(memories),
  };
}

const START_MS = 30_000;
const LATE_MS = 10_000;

/** The arrival of a request wakes both sides; its answer belongs to the cycle too. */
const SETTLE_MS = 200;

/** Milliseconds per cycle by thread name. */
function shares(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  cycles: number,
): Record<string, number> {
  return Object.fromEntries(
    [...after].map(([name, ns]) => [name, (ns - (before.get(name) ?? 0)) / 1e6 / cycles]),
  );
}

function summarize(memories: readonly Memory[]): RunFigures["memory"] {
  const [middle, last] = [memories[memories.length >> 1], memories.at(-1)];
  if (middle === undefined || last === undefined) {
    throw new RangeError("Cannot measure memory: no cycle, expected at least one");
  }
  return { ...last, seconds: memories.length, growth: last.rss - middle.rss };
}

function measureRequests(
  requests: readonly SinkRequest[],
): Pick<RunFigures, "points" | "bytesPerPoint" | "requestBytes"> {
  const points = median(requests.map(({ body }) => countPoints(body)));
  const requestBytes = median(requests.map(({ wireBytes }) => wireBytes));
  return { points, requestBytes, bytesPerPoint: requestBytes / points };
}

function countPoints(body: Uint8Array): number {
  let points = 0;
  for (const { scopeMetrics } of decodeExport(body).resourceMetrics) {
    for (const { data } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
      if (data.case !== undefined) points += data.value.dataPoints.length;
    }
  }
  return points;
}

/** Milliseconds from spawn, medians of several rounds. */
export interface Starts {
  /** The empty program, to its exit. */
  readonly bareMs: number;
  /** `run`, to the arrival of its first request. */
  readonly startMs: number;
  /** `once`, to its exit. */
  readonly onceMs: number;
}

/** Starts everything in turn, so that a busy moment of the machine meets all alike. */
export async function measureStarts(command: Command, rounds: number): Promise<Starts> {
  const values: Starts[] = [];
  // The first round fills the caches and does not count.
  for (let round = 0; round <= rounds; round++) {
    const bareMs = await measureExit(BARE, {});
    const startMs = await withSink((sink, env) => measureFirst(command, sink, env));
    const onceMs = await withSink((_sink, env) => measureExit([...command, "once"], env));
    if (round > 0) values.push({ bareMs, startMs, onceMs });
  }
  return {
    bareMs: median(values.map(({ bareMs }) => bareMs)),
    startMs: median(values.map(({ startMs }) => startMs)),
    onceMs: median(values.map(({ onceMs }) => onceMs)),
  };
}

async function measureFirst(
  command: Command,
  sink: Sink,
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const before = performance.now();
  const child = spawn([...command, "run"], env);
  try {
    const [first] = await sink.received(1, 30_000);
    return (first?.atMs ?? NaN) - before;
  } finally {
    await end(child);
  }
}

/** RSS of the empty program while it waits, KiB. */
export async function measureBareRss(): Promise<number> {
  const child = spawn([...BARE, "stay"], {});
  try {
    // Nothing says that an idle program has settled; a second is what sonde's first cycle takes, too.
    await sleep(1_000);
    return (await readMemory(child.pid)).rss;
  } finally {
    await end(child);
  }
}

/** Milliseconds from spawn to exit. Throws when it does not end with 0. */
export async function measureExit(command: Command, env: Readonly<Record<string, string>>): Promise<number> {
  const before = performance.now();
  const { code } = await spawn(command, env).status;
  const ms = performance.now() - before;
  if (code !== 0) throw new Error(`Cannot measure "${command.at(-1)}": it ended with ${code}, expected 0`);
  return ms;
}
