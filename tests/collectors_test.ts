/**
 * Walks tests/fixtures/collectors/<collector>/<case>/: one test per case, no code per collector. A case holds
 * proc/, sys/, etc/, optionally host.json, statfs.json, options.json and clock.json, or steps t0/, t1/, … with
 * these inside. `expected.txt` is rewritten by `deno test -A tests/collectors_test.ts -- --update`.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Cycle } from "../collectors/collector.ts";
import { type CollectorOptions, collectors } from "../collectors/registry.ts";
import { hostOf, readJson, readTree, recordingText, turn } from "./fixture_host.ts";

const ROOT = new URL("./fixtures/collectors", import.meta.url).pathname;
const isUpdate = Deno.args.includes("--update");

const folders = (path: string): string[] =>
  [...Deno.readDirSync(path)].filter((entry) => entry.isDirectory).map((entry) => entry.name).sort();

/** Steps of a case in order; a case without t0/ is its own only step. */
function steps(path: string): string[] {
  const found = folders(path).filter((name) => /^t\d$/.test(name)).map((name) => `${path}/${name}`);
  return found.length === 0 ? [path] : found;
}

/** The clock of a step: ten seconds apart unless clock.json says otherwise. */
function clock(path: string, at: number): Partial<Cycle> {
  const moment = { uptime: 1000 + 10 * at, monotonicMs: 1_000_000 + 10_000 * at };
  const timeNs = 1_795_220_971_000_000_000n + 10_000_000_000n * BigInt(at);
  return { timeNs, ...moment, ...readJson<Partial<Omit<Cycle, "timeNs">>>(`${path}/clock.json`) };
}

/** Runs a case: prepared over its first step, then one turn per step. */
async function run(collector: string, path: string): Promise<string> {
  const options = readJson<CollectorOptions>(`${path}/options.json`) ?? {};
  const found = collectors(options).find(({ name }) => name === collector);
  assert(found !== undefined, `fixture folder "${collector}" has no collector in the registry`);
  const all = steps(path);
  const first = readTree(all[0] ?? path);
  let tree = first;
  // The walker is asked in each step, not looked at once.
  const walk = () => tree.walk?.() ?? Promise.reject(new Error("no walk.txt"));
  const prepared = found.prepare(hostOf(first.walk === undefined ? first : { ...first, walk }));
  let text = "";
  for (const [at, step] of all.entries()) {
    if (all.length > 1) text += `# t${at}\n`;
    tree = readTree(step);
    text += recordingText(await turn(prepared, tree, clock(step, at)));
  }
  return text;
}

for (const collector of folders(ROOT)) {
  for (const name of folders(`${ROOT}/${collector}`)) {
    const path = `${ROOT}/${collector}/${name}`;
    Deno.test(`${collector} reads ${name} as expected.txt says`, async () => {
      const found = await run(collector, path);
      if (isUpdate) Deno.writeTextFileSync(`${path}/expected.txt`, found);
      assertEquals(found, Deno.readTextFileSync(`${path}/expected.txt`));
    });
  }
}

Deno.test("registry has a real, another and a damaged fixture for every collector", () => {
  const covered = new Set(folders(ROOT).filter((name) => folders(`${ROOT}/${name}`).length >= 3));
  const missing = collectors({}).map(({ name }) => name).filter((name) => !covered.has(name));
  assertEquals(missing, []);
});
