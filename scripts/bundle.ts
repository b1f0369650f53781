/**
 * The program as JavaScript, the same bytes from the same tree: main and workers bundled in one call, what they were
 * built from written into them, times fixed. `compile` and `portable` both start here.
 * @module
 */
import { ROOTS } from "./layout_table.ts";
import { RUNTIME, sha256 } from "./package/runtime.ts";
import { print, root, run, say } from "./terminal.ts";

/** Folder of everything that is built. */
export const OUT = "dist";

/** Switches of the runtime that must be in its environment when it starts (design 9). */
export const RUNTIME_ENV: Readonly<Record<string, string>> = {
  DENO_NO_UPDATE_CHECK: "1",
  DENO_TLS_CA_STORE: "system,mozilla",
  DENO_USR2_MEMORY_TRIM: "1",
};

/**
 * V8's switches (design 9). Without a JIT there is less memory and none that is writable and executable. The other two
 * collect at once when it is time, and only then: in steps, between which nothing young is collected, a flood grows by
 * 12 MiB, and collecting whenever it is quiet costs a quarter of the CPU of the first minute.
 */
export const V8_FLAGS = "--v8-flags=--lite-mode,--no-incremental-marking,--no-memory-reducer";

/** Any fixed moment does; this one is the oldest that every archive format can hold. */
const FIXED_TIME = new Date("1980-01-01T00:00:00Z");

/** Stands in commands/build.ts until it is replaced. */
const PLACEHOLDER = '"sonde-build-inputs"';

/** What the bundles may weigh, by suffix of their path: they are parsed at each start, without a code cache. */
const BUDGETS: readonly (readonly [path: string, bytesMax: number])[] = [
  ["main.js", 900_000],
  ["courier.js", 450_000],
  ["receiver.js", 200_000],
];

/** Parts of the checkout that the program is made of, below its root. */
export const SOURCES: readonly string[] = [
  "main.ts",
  "deno.json",
  "deno.lock",
  "collectors",
  "commands",
  "config",
  "exporters",
  "proto_gen",
  "vendor",
];

/** Where an entry's bundle is, relative to the checkout. */
export function bundlePath(entry: string): string {
  return `${OUT}/${entry.replace(/\.ts$/, ".js")}`;
}

async function git(...args: readonly string[]): Promise<string | undefined> {
  const ended = await run("git", ["-c", `safe.directory=${root}`, ...args]).catch(() => undefined);
  return ended?.code === 0 ? ended.stdout.trim() : undefined;
}

/** The commit, marked when the tree differs from it; undefined outside a checkout of our own. */
async function commit(): Promise<string | undefined> {
  if (await git("rev-parse", "--show-toplevel") !== root) return undefined;
  const id = await git("rev-parse", "HEAD");
  const changes = await git("status", "--porcelain", "--untracked-files=no", "--", ...SOURCES);
  return id === undefined || changes === "" ? id : `${id}-modified`;
}

/** What `sonde version` will say about this build, as JSON. */
async function buildInputs(form: string, runtimeSha256: string | undefined): Promise<string> {
  return JSON.stringify({
    form,
    commit: await commit() ?? "unknown",
    lockSha256: await sha256(await Deno.readFile(`${root}/deno.lock`)),
    runtime: `deno ${RUNTIME.version}`,
    runtimeSha256,
  });
}

/** Fills in the build inputs wherever the minifier has put the placeholder. */
async function bakeInputs(path: string, inputs: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replaceAll(PLACEHOLDER, () => JSON.stringify(inputs)));
}

/**
 * Writes the bundles of main and the workers below `dist/`: modules, or for the one file functions in the manner of CommonJS,
 * which can be evaluated without being analysed as modules first. The runtime's digest is what `version` says that they
 * were built with. Returns their sizes by path.
 */
export async function bundle(
  form: "compiled" | "portable",
  runtimeSha256: string | undefined,
): Promise<ReadonlyMap<string, number>> {
  const paths = ROOTS.map(bundlePath);
  for (const path of paths) await Deno.remove(`${root}/${path}`).catch(() => {});
  // Not minified, a bundle holds the paths of the package cache and differs from machine to machine.
  const ended = await run(Deno.execPath(), [
    ...["bundle", "--minify", "--format", form === "portable" ? "cjs" : "esm", "--outdir", OUT],
    ...ROOTS,
  ]);
  if (ended.code !== 0) throw new Error(`Cannot bundle ${ROOTS.join(", ")}:\n${ended.stdout}${ended.stderr}`);
  const sizes = new Map<string, number>();
  const inputs = await buildInputs(form, runtimeSha256);
  for (const path of paths) {
    await bakeInputs(`${root}/${path}`, inputs);
    await Deno.utime(`${root}/${path}`, FIXED_TIME, FIXED_TIME);
    sizes.set(path, (await Deno.stat(`${root}/${path}`)).size);
  }
  return sizes;
}

/** Prints sizes; false when a bundle has outgrown its budget, which is said too. */
export function printSizes(sizes: ReadonlyMap<string, number>): boolean {
  let isWithin = true;
  for (const [path, bytes] of sizes) {
    const bytesMax = BUDGETS.find(([suffix]) => path.endsWith(`/${suffix}`))?.[1] ?? Infinity;
    print(`${path}  ${bytes} bytes, at most ${bytesMax}`);
    if (bytes > bytesMax) isWithin = false;
  }
  if (!isWithin) say("A bundle has outgrown its budget: see BUDGETS in scripts/bundle.ts");
  return isWithin;
}
