/**
 * Measures what sonde costs: `deno task bench [--minutes N] [--binary PATH] [--update]`. Prints one JSON document with
 * figures (those of dist/sonde-portable too, where it is), ratios to what the same machine needs for nothing, and the
 * budgets of design 10. Fails when a ratio is more than 15 % worse than scripts/bench_baseline.json; `--update` writes
 * that file.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { budgetsOf, type Figures, type Ratios, ratiosOf, rounded, worsened } from "./bench_figures.ts";
import { withFloor } from "./bench_floor.ts";
import { measureParts } from "./bench_parts.ts";
import { type Command, measureBareRss, measureRun, measureStarts, sondeCommand } from "./bench_process.ts";
import type { Memory } from "./bench_proc.ts";
import { measureVerbs } from "./bench_verbs.ts";
import { print, root, say, thisMachine } from "./terminal.ts";

const BASELINE = `${root}/scripts/bench_baseline.json`;

/** Enough for a median that repeats; a start takes a tenth of a second. */
const STARTS = 9;

/** What is worth knowing of the one file beside the same of the checkout. */
interface Artifact {
  readonly startMs: number;
  readonly onceMs: number;
  readonly cpuMs: number;
  readonly memory: Memory;
}

/** Measures everything; the paced floor runs beside sonde, so that both meet the same machine. */
function measure(command: Command, cycles: number): Promise<Figures> {
  return withFloor(async (floor) => {
    say("bench: parts of a cycle");
    const { files, readUs, collectUs, encodeUs, compressUs } = await measureParts();
    const hotUs = "skipped" in floor ? 0 : await floor.hot(files);
    say("bench: starts");
    const { bareMs, startMs, onceMs } = await measureStarts(command, STARTS);
    say("bench: short verbs");
    const verbs = await measureVerbs(command, STARTS);
    const bare = { ms: bareMs, rss: await measureBareRss() };
    say(`bench: ${cycles} cycles at 1 Hz`);
    const [run, pacedUs] = await Promise.all([
      measureRun(command, cycles),
      "skipped" in floor ? 0 : floor.paced(files, cycles),
    ]);
    const { points, cpuMs, threads, memory, bytesPerPoint, requestBytes } = run;
    return {
      points,
      cycle: { cpuMs, threads, readUs, parseUs: collectUs - readUs, encodeUs, compressUs },
      memory,
      wire: { bytesPerPoint, requestBytes },
      startMs,
      onceMs,
      verbs,
      bare,
      floor: "skipped" in floor ? floor : { hotUs, pacedUs },
    };
  });
}

/** The same of the one file, where it has been built (`deno task portable`). */
async function measureArtifact(cycles: number): Promise<Artifact | undefined> {
  const binary = `${root}/dist/sonde-portable`;
  if (!await Deno.stat(binary).then(() => true, () => false)) return undefined;
  say("bench: dist/sonde-portable");
  const { startMs, onceMs } = await measureStarts([binary], STARTS);
  const { cpuMs, memory } = await measureRun([binary], cycles);
  return { startMs, onceMs, cpuMs, memory };
}

async function readBaseline(): Promise<Ratios | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(BASELINE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function main(): Promise<number> {
  const flags = parseArgs(Deno.args, { string: ["minutes", "binary"], boolean: ["update"] });
  const cycles = Math.max(10, Math.round(Number(flags.minutes ?? 0.5) * 60));
  if (!Number.isFinite(cycles)) {
    say(`Cannot bench for "${flags.minutes}" minutes: expected a number`);
    return 64;
  }
  const figures = await measure(sondeCommand(flags.binary), cycles);
  const artifact = flags.binary === undefined ? await measureArtifact(cycles) : undefined;
  const ratios = ratiosOf(figures);
  const baseline = await readBaseline();
  const worse = baseline === undefined || flags.update ? [] : worsened(ratios, baseline);
  const document = {
    machine: thisMachine(),
    ...figures,
    artifact,
    ratios,
    budgets: budgetsOf(figures),
    worse,
  };
  print(JSON.stringify(document, rounded, 2));
  if ("skipped" in figures.floor) say(`bench: no C floor: ${figures.floor.skipped}`);
  if (flags.update) await Deno.writeTextFile(BASELINE, `${JSON.stringify(ratios, null, 2)}\n`);
  for (const line of worse) say(`bench: worse: ${line}`);
  return worse.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
