/**
 * The whole suite: `deno task test [FILE | NAME | FLAG]…`. Checks types, builds the peers that the tests name, runs
 * the tests with sanitizers on, and prints `N passed, N failed, N skipped` last. A peer that is not there is skipped
 * with its reason; with CI=true it fails (design 11).
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { buildGoPeer, goAbsence } from "../tests/peers/go.ts";
import { DENO_ENV, print, root, say } from "./terminal.ts";

/** Peers worth building before the clock of a test runs. Prometheus takes minutes: its tests ask for it themselves. */
const EARLY_PEERS = ["collector", "opamp"];

/** Files whose examples are run as tests. */
const EXAMPLES = ["docs/opamp.md", "docs/otlp.md", "config/opamp.ts", "exporters/otlp_client.ts"];

/** How many tests ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What is meant by each argument: a flag for the runner, a file or folder, else a part of test names. */
export function runnerArguments(args: readonly string[], isPath: (path: string) => boolean): string[] {
  const flags = args.filter((arg) => arg.startsWith("-"));
  const paths = args.filter((arg) => !arg.startsWith("-") && isPath(arg));
  const names = args.filter((arg) => !arg.startsWith("-") && !isPath(arg));
  const pattern = names.map((name) => name.replaceAll(/[^\w ]/g, "\\$&")).join("|");
  const filter = pattern === "" ? [] : ["--filter", `/${pattern}/`];
  return [...flags, ...filter, ...(paths.length === 0 ? ["tests/"] : paths)];
}

/** The counts in the runner's summary, the last line that has one; steps are part of their test. */
export function parseSummary(output: string): Counts | undefined {
  const lines = stripVTControlCharacters(output).split("\n");
  const line = lines.findLast((each) => /^(ok|FAILED) \| \d+ passed/.test(each));
  if (line === undefined) return undefined;
  const count = (word: string) => Number(new RegExp(`\\| (\\d+) ${word}`).exec(line)?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), skipped: count("ignored") };
}

/** A run that ended badly is never all green, whatever its summary says. */
export function finalCounts(counts: Counts | undefined, code: number): Counts {
  const known = counts ?? { passed: 0, failed: 0, skipped: 0 };
  return code !== 0 && known.failed === 0 ? { ...known, failed: 1 } : known;
}

function isPath(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

async function checkTypes(): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet"],
    cwd: root,
    env: DENO_ENV,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
}

/** A build that fails is reported by the tests that need it. */
async function buildPeers(): Promise<void> {
  if (goAbsence() !== undefined) return;
  for (const name of EARLY_PEERS) {
    say(`peer ${name}: building unless cached (about a minute the first time)`);
    await buildGoPeer({ name }).catch((error) => say(String(error)));
  }
}

/** Runs the tests, their output passed on as it comes. */
async function runTests(args: readonly string[]): Promise<Counts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", ...args],
    cwd: root,
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const decoder = new TextDecoder();
  let tail = "";
  for await (const chunk of child.stdout) {
    for (let rest = chunk; rest.length > 0;) rest = rest.subarray(Deno.stdout.writeSync(rest));
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4_096);
  }
  const { code } = await child.status;
  return finalCounts(parseSummary(tail), code);
}

if (import.meta.main) {
  const args = runnerArguments(Deno.args, isPath);
  const typeCode = await checkTypes();
  if (typeCode !== 0) {
    say("The types do not fit together, so no test was run");
    print("0 passed, 1 failed, 0 skipped");
    Deno.exit(1);
  }
  if (Deno.args.length === 0) await buildPeers();
  const examples = Deno.args.length === 0 ? ["--doc", ...EXAMPLES] : [];
  const { passed, failed, skipped } = await runTests([...args, ...examples]);
  print(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  Deno.exit(failed === 0 ? 0 : 1);
}
