/**
 * `deno task soak [--minutes 30]`: the long forms. First the tests that know SOAK=1 (random kills, large fuzz runs),
 * then one agent at an interval of 1 s with two outages in it, watched from outside: memory flat, schedule without
 * drift, not a cycle missing (design 10, 11). The result goes to tests/soak/, dated, with what machine it was.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { sleep } from "../exporters/clock.ts";
import { decodeMetrics } from "../tests/decoded.ts";
import { ok } from "../tests/fault_behaviours.ts";
import { FaultServer } from "../tests/fault_server.ts";
import { Program } from "../tests/program.ts";
import { median } from "./bench_figures.ts";
import { readMemory } from "./bench_proc.ts";
import { print, root, say, thisMachine } from "./terminal.ts";

const INTERVAL_MS = 1_000;
const SAMPLE_MS = 5_000;
/** Code is compiled and caches fill: not yet what a steady state is. */
const WARM_UP_MS = 90_000;
const OUTAGE_MS = 60_000;
/** A backlog of so many batches is gone within 70 s (contract: run). */
const DRAIN_MS = 90_000;
const LONG_TESTS = [
  ...["tests/faults_kill_test.ts", "tests/faults_random_test.ts", "tests/spool_test.ts"],
  ...["tests/opamp_kill_program_test.ts", "tests/remote_fuzz_test.ts"],
];
const KIB_PER_MIB = 1024;

/** RSS of the whole process at a time since the start. */
interface Sample {
  readonly atMs: number;
  readonly rssMiB: number;
  readonly isOutage: boolean;
}

/** What one run showed. */
interface Findings {
  readonly minutes: number;
  readonly cycles: number;
  /** Cycles between the first and the last that no request held. */
  readonly missing: number;
  readonly duplicates: number;
  /** How far the last minute's median stamp is off the grid of the first minute's, milliseconds. */
  readonly driftMs: number;
  /** The worst single stamp. */
  readonly worstMs: number;
  readonly rssMiB: {
    readonly warm: number;
    readonly end: number;
    readonly most: number;
    readonly mostInOutage: number;
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** How stamps of a run lie on its grid. Milliseconds, in the order of arrival. */
export function judgeStamps(stampsMs: readonly number[], intervalMs: number): Pick<
  Findings,
  "cycles" | "missing" | "duplicates" | "driftMs" | "worstMs"
> {
  const stamps = [...new Set(stampsMs)].toSorted((a, b) => a - b);
  const first = stamps[0] ?? 0;
  const offsets = stamps.map((stamp) => {
    const turn = Math.round((stamp - first) / intervalMs);
    return { turn, offset: stamp - first - turn * intervalMs };
  });
  const last = offsets.at(-1)?.turn ?? 0;
  const minute = Math.ceil(60_000 / intervalMs);
  const begin = median(offsets.slice(0, minute).map(({ offset }) => offset));
  const end = median(offsets.slice(-minute).map(({ offset }) => offset));
  return {
    cycles: stamps.length,
    missing: last + 1 - new Set(offsets.map(({ turn }) => turn)).size,
    duplicates: stampsMs.length - stamps.length,
    driftMs: round(end - begin),
    worstMs: round(Math.max(...offsets.map(({ offset }) => Math.abs(offset - begin)))),
  };
}

/** Memory of a run: medians of the first and the last fifth after the warm-up, and the peaks. */
function judgeMemory(samples: readonly Sample[]): Findings["rssMiB"] {
  const warm = samples.filter(({ atMs }) => atMs >= WARM_UP_MS);
  const fifth = Math.max(1, Math.floor(warm.length / 5));
  const rss = (some: readonly Sample[]) => some.map(({ rssMiB }) => rssMiB);
  return {
    warm: round(median(rss(warm.slice(0, fifth)))),
    end: round(median(rss(warm.slice(-fifth)))),
    most: round(Math.max(...rss(samples))),
    mostInOutage: round(Math.max(0, ...rss(samples.filter(({ isOutage }) => isOutage)))),
  };
}

/** Runs the agent for so long; outages begin after a third and after two thirds. */
async function soak(minutes: number, folder: string): Promise<Findings> {
  const totalMs = minutes * 60_000;
  const outages = [totalMs / 3, totalMs * 2 / 3 - DRAIN_MS].map((at) => [at, at + OUTAGE_MS] as const);
  const samples: Sample[] = [];
  await using server = new FaultServer(ok);
  await using agent = new Program(folder, ["run", "--interval=1s", "--endpoint", server.url], {
    env: { SONDE_SHUTDOWN_TIMEOUT: "10s" },
  });
  await server.waitFor(1, 20_000);
  const beganMs = performance.now();
  let isOutage = false;
  for (let atMs = 0; atMs < totalMs; atMs = performance.now() - beganMs) {
    const wanted = outages.some(([from, to]) => atMs >= from && atMs < to);
    if (wanted && !isOutage) await server.down();
    if (!wanted && isOutage) server.up();
    isOutage = wanted;
    samples.push({ atMs, rssMiB: (await readMemory(agent.pid)).rss / KIB_PER_MIB, isOutage });
    await sleep(SAMPLE_MS);
  }
  agent.signal("SIGTERM");
  const { code, stderr } = await agent.finish();
  if (code !== 0) {
    throw new Error(`Cannot judge the run: the agent ended with ${code}\n${stderr.slice(-2_000)}`);
  }
  const stamps: number[] = [];
  for (const request of server.requests) {
    const { points } = await decodeMetrics(request);
    stamps.push(...new Set(points.map(({ timeNs }) => Number(timeNs / 1_000n) / 1_000)));
  }
  return { minutes, ...judgeStamps(stamps, INTERVAL_MS), rssMiB: judgeMemory(samples) };
}

/** What does not hold, in words. */
function faultsOf({ missing, driftMs, rssMiB }: Findings): string[] {
  const faults: string[] = [];
  if (missing > 0) faults.push(`${missing} cycles are missing`);
  if (Math.abs(driftMs) > 5) faults.push(`the schedule has drifted by ${driftMs} ms, expected at most 5`);
  if (rssMiB.end > rssMiB.warm + 3) faults.push(`memory went from ${rssMiB.warm} to ${rssMiB.end} MiB`);
  if (rssMiB.mostInOutage > rssMiB.warm + 20) faults.push(`an outage took ${rssMiB.mostInOutage} MiB`);
  return faults;
}

async function runLongTests(): Promise<string> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--quiet", ...LONG_TESTS],
    cwd: root,
    env: { SOAK: "1", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stderr: "inherit",
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (code !== 0) say(text.slice(-4_000));
  return text.split("\n").findLast((line) => / passed \|/.test(line))?.trim() ?? `ended with ${code}`;
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["minutes"] });
  const minutes = Number(flags.minutes ?? 30);
  if (!(minutes >= 5)) {
    say(`Cannot soak for "${flags.minutes}" minutes: expected at least 5`);
    Deno.exit(64);
  }
  const folder = await Deno.makeTempDir({ prefix: "sonde-soak-" });
  say(`soak: ${minutes} minutes at 1 s, two outages of 60 s; the long tests come first`);
  const tests = await runLongTests();
  const load = Deno.loadavg().map(round);
  const findings = await soak(minutes, folder);
  const faults = faultsOf(findings);
  const date = new Date().toISOString().slice(0, 10);
  const result = {
    date,
    command: `deno task soak --minutes ${minutes}`,
    machine: thisMachine(),
    loadBefore: load,
    loadAfter: Deno.loadavg().map(round),
    tests,
    ...findings,
    faults,
  };
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  await Deno.writeTextFile(`${root}/tests/soak/${date}-${minutes}min.json`, text);
  print(text);
  await Deno.remove(folder, { recursive: true });
  Deno.exit(faults.length === 0 && / 0 failed/.test(tests) ? 0 : 1);
}
