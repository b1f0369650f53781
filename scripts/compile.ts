/**
 * Builds dist/sonde: `deno task compile`. Main and workers are bundled in one call, their times fixed, and compiled
 * into Deno's runtime base with the settings of design 9 baked in, so that the same tree gives the same bytes
 * wherever it lies. Where the base cannot be downloaded it says so and ends with 69; DENORT_BIN names a local one.
 * @module
 */
import { ROOTS } from "./layout_table.ts";
import { type Ended, print, root, run, say } from "./terminal.ts";

const OUT = "dist";
const BINARY = `${OUT}/sonde`;

/** Baked in: a compiled program cannot rely on the shell that starts it (design 9). */
const RUNTIME_ENV = [
  "DENO_NO_UPDATE_CHECK=1",
  "DENO_TLS_CA_STORE=system,mozilla",
  "DENO_USR2_MEMORY_TRIM=1",
  "",
].join("\n");

/** Any fixed moment does; this one is the oldest that every archive format can hold. */
const FIXED_TIME = new Date("1980-01-01T00:00:00Z");

/** What the bundles may weigh, by suffix of their path: they are parsed at each start, without a code cache. */
const BUDGETS: readonly (readonly [path: string, bytesMax: number])[] = [
  ["main.js", 360_000],
  ["courier.js", 200_000],
  ["receiver.js", 200_000],
];

/** The entries that are there: main and its workers. */
async function entries(): Promise<string[]> {
  const found: string[] = [];
  for (const path of ROOTS) {
    if (await Deno.stat(`${root}/${path}`).then(() => true, () => false)) found.push(path);
  }
  return found;
}

function bundlePath(entry: string): string {
  return `${OUT}/${entry.replace(/\.ts$/, ".js")}`;
}

/** Writes the bundles and the baked settings, with fixed times. Sizes by path. */
async function bundle(paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  await Deno.remove(`${root}/${OUT}`, { recursive: true }).catch(() => {});
  // Not minified, a bundle holds the paths of the package cache and differs from machine to machine.
  const ended = await run(Deno.execPath(), ["bundle", "--minify", "--outdir", OUT, ...paths]);
  if (ended.code !== 0) throw new Error(`Cannot bundle ${paths.join(", ")}:\n${ended.stdout}${ended.stderr}`);
  await Deno.writeTextFile(`${root}/${OUT}/runtime.env`, RUNTIME_ENV);
  const sizes = new Map<string, number>();
  for (const path of paths.map(bundlePath)) {
    await Deno.utime(`${root}/${path}`, FIXED_TIME, FIXED_TIME);
    sizes.set(path, (await Deno.stat(`${root}/${path}`)).size);
  }
  return sizes;
}

/** One compile; its flags are baked in, so they are the same for every build (toolchain 4). */
function compile(paths: readonly string[]): Promise<Ended> {
  const workers = paths.filter((path) => path !== "main.ts").map(bundlePath);
  return run(Deno.execPath(), [
    ...["compile", "-A", "--no-prompt", "--no-code-cache", "--v8-flags=--lite-mode"],
    ...["--unstable-worker-options", `--env-file=${OUT}/runtime.env`],
    ...workers.flatMap((path) => ["--include", path]),
    ...["-o", BINARY, bundlePath("main.ts")],
  ]);
}

/** The last words when Deno's runtime base is not to be had. */
function explainMissingRuntime(stderr: string): string {
  const cause = /https:\/\/\S+?\.zip/.exec(stderr)?.[0] ?? "Deno's runtime base";
  return [
    `Cannot compile: "${cause}" cannot be downloaded from here`,
    `The bundles in ${OUT}/ are complete. Fetch that archive where it can be reached, unpack "denort", then:`,
    "  DENORT_BIN=/path/to/denort deno task compile",
  ].join("\n");
}

/** Prints sizes; false when a bundle has outgrown its budget. */
function printSizes(sizes: ReadonlyMap<string, number>): boolean {
  let isWithin = true;
  for (const [path, bytes] of sizes) {
    const bytesMax = BUDGETS.find(([suffix]) => path.endsWith(`/${suffix}`))?.[1] ?? Infinity;
    print(`${path}  ${bytes} bytes, at most ${bytesMax}`);
    if (bytes > bytesMax) isWithin = false;
  }
  return isWithin;
}

async function sha256(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

async function main(): Promise<number> {
  const paths = await entries();
  const isWithin = printSizes(await bundle(paths));
  const { code, stderr } = await compile(paths);
  if (code !== 0 && stderr.includes("Setting up base binary")) {
    say(explainMissingRuntime(stderr));
    return 69;
  }
  if (code !== 0) throw new Error(`Cannot compile ${BINARY}:\n${stderr}`);
  const { size } = await Deno.stat(`${root}/${BINARY}`);
  print(`${BINARY}  ${size} bytes, sha256 ${await sha256(`${root}/${BINARY}`)}`);
  if (!isWithin) say("A bundle has outgrown its budget: see BUDGETS in scripts/compile.ts");
  return isWithin ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
