/**
 * Builds dist/sonde: `deno task compile`. Main and workers are bundled and compiled into Deno's runtime base with the
 * settings of design 9 baked in, so that the same tree gives the same bytes wherever it lies. Where the base cannot be
 * downloaded it says so and ends with 69; DENORT_BIN names a local one.
 * @module
 */
import { bundle, bundlePath, entries, OUT, printSizes, RUNTIME_ENV } from "./bundle.ts";
import { sha256 } from "./package/runtime.ts";
import { type Ended, print, root, run, say } from "./terminal.ts";

const BINARY = `${OUT}/sonde`;

/** Baked in: a compiled program cannot rely on the shell that starts it (design 9). */
const ENV_FILE = `${OUT}/runtime.env`;

/** One compile; its flags are baked in, so they are the same for every build (toolchain 4). */
async function compile(paths: readonly string[]): Promise<Ended> {
  const lines = Object.entries(RUNTIME_ENV).map(([name, value]) => `${name}=${value}\n`);
  await Deno.writeTextFile(`${root}/${ENV_FILE}`, lines.join(""));
  const workers = paths.filter((path) => path !== "main.ts").map(bundlePath);
  return await run(Deno.execPath(), [
    ...["compile", "-A", "--no-prompt", "--no-code-cache", "--v8-flags=--lite-mode"],
    ...["--unstable-worker-options", "--unstable-net", `--env-file=${ENV_FILE}`],
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
    "Or build one file with the runtime from npm: deno task portable",
  ].join("\n");
}

async function main(): Promise<number> {
  const paths = await entries();
  const isWithin = printSizes(await bundle(paths, "compiled"));
  const { code, stderr } = await compile(paths);
  if (code !== 0 && stderr.includes("Setting up base binary")) {
    say(explainMissingRuntime(stderr));
    return 69;
  }
  if (code !== 0) throw new Error(`Cannot compile ${BINARY}:\n${stderr}`);
  const bytes = await Deno.readFile(`${root}/${BINARY}`);
  print(`${BINARY}  ${bytes.length} bytes, sha256 ${await sha256(bytes)}`);
  if (!isWithin) say("A bundle has outgrown its budget: see BUDGETS in scripts/bundle.ts");
  return isWithin ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
