/**
 * sonde beside the OpenTelemetry Collector's hostmetrics receiver on this host, at the same time: CPU per cycle and
 * per point, memory, bytes on the wire, first once a second, then at sonde's own interval. Ratios are what counts: all
 * programs met the same machine. `deno run -A scripts/bench_collector.ts [--seconds N] [--binary PATH]` prints JSON.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { end } from "../tests/peers/child.ts";
import { collectorAbsence, startCollector } from "../tests/peers/collector.ts";
import { hostMetricsConfig, type Scrapers } from "../tests/peers/host_metrics.ts";
import { type Beside, besideOf, rounded, toLean } from "./bench_figures.ts";
import { type Command, follow, sondeCommand, spawn, withSink } from "./bench_process.ts";
import { print, say, thisMachine } from "./terminal.ts";

/** What sonde reads too, without the receiver's two walks of /proc/PID: processes by state and sockets by state. */
const LEAN: Scrapers = {
  cpu: {},
  memory: {},
  load: {},
  disk: {},
  filesystem: {},
  network: { metrics: { "system.network.connections": { enabled: false } } },
  paging: {},
  system: {},
};

const USUAL: Scrapers = { ...LEAN, network: {}, processes: {} };

/** A program that sends to its sink. */
interface Started {
  readonly pid: number;
  stop(): Promise<void>;
}

type Start = (sink: string, env: Readonly<Record<string, string>>) => Started | Promise<Started>;

const sonde = (command: Command, naming: string): Start => (_sink, env) => {
  const child = spawn([...command, "run"], { ...env, SONDE_NAMING: naming });
  return { pid: child.pid, stop: () => end(child) };
};

const collector = (scrapers: Scrapers): Start => (sink, env) => {
  const interval = env["SONDE_INTERVAL"] ?? "";
  const config = hostMetricsConfig({ sink, scrapers, interval, compression: "gzip" });
  return startCollector({ config: () => config });
};

/** All at once; the phases differ by their starts, as on a host that runs several agents. */
function startsOf(command: Command): Readonly<Record<string, Start>> {
  return {
    sonde: sonde(command, "semconv"),
    sondeCollectorNaming: sonde(command, "collector"),
    collectorLean: collector(LEAN),
    collector: collector(USUAL),
  };
}

interface Turn {
  readonly intervalSeconds: number;
  readonly warmCycles: number;
}

/** Connections and templates settle in some cycles, a heap takes most of a minute to be rid of what a start left. */
const TURNS: readonly Turn[] = [
  { intervalSeconds: 1, warmCycles: 40 },
  { intervalSeconds: 10, warmCycles: 6 },
];

function measure(start: Start, { intervalSeconds, warmCycles }: Turn, cycles: number): Promise<Beside> {
  return withSink(async (sink, env) => {
    const { pid, stop } = await start(sink.url, { ...env, SONDE_INTERVAL: `${intervalSeconds}s` });
    try {
      return besideOf(await follow(pid, sink, { warmCycles, cycles, intervalMs: intervalSeconds * 1_000 }));
    } finally {
      await stop();
    }
  });
}

async function main(): Promise<number> {
  const flags = parseArgs(Deno.args, { string: ["seconds", "binary"] });
  const seconds = Number(flags.seconds ?? 60);
  if (!(seconds >= 10 && seconds <= 3_600)) {
    say(`Cannot bench for "${flags.seconds}" seconds: expected 10 to 3600`);
    return 64;
  }
  if (collectorAbsence !== undefined) {
    say(`Cannot bench beside the Collector: ${collectorAbsence}`);
    return 1;
  }
  const starts = Object.entries(startsOf(sondeCommand(flags.binary)));
  const turns = [];
  for (const turn of TURNS) {
    const cycles = Math.floor(seconds / turn.intervalSeconds);
    say(`bench: ${cycles} cycles, one in ${turn.intervalSeconds} s`);
    const subjects = Object.fromEntries(
      await Promise.all(starts.map(async ([name, start]) => [name, await measure(start, turn, cycles)])),
    );
    turns.push({ intervalSeconds: turn.intervalSeconds, cycles, subjects, toLean: toLean(subjects) });
  }
  print(JSON.stringify({ machine: thisMachine(), turns }, rounded, 2));
  return 0;
}

if (import.meta.main) Deno.exit(await main());
