/**
 * Builds dist/sonde: `deno task compile [x64|arm64]`. Main and workers are bundled and compiled into Deno's runtime base
 * with the settings of design 9 baked in, so that the same tree gives the same bytes wherever it lies. Where the base
 * cannot be downloaded it says so and ends with 69; DENORT_BIN names a local one, DENORT_SHA256 what its digest must be.
 * @module
 */
import { bundle, bundlePath, OUT, printSizes, RUNTIME_ENV, V8_FLAGS } from "./bundle.ts";
import { ROOTS } from "./layout_table.ts";
import { denortDigest, fetchDenort, TARGETS } from "./package/denort.ts";
import { sha256 } from "./package/runtime.ts";
import { type Ended, print, root, run, say } from "./terminal.ts";

/** Baked in: a compiled program cannot rely on the shell that starts it (design 9). */
const ENV_FILE = `${OUT}/runtime.env`;

/** One compile; its flags are baked in, so they are the same for every build (toolchain 4). */
async function compile(triple: string, binary: string): Promise<Ended> {
  const lines = Object.entries(RUNTIME_ENV).map(([name, value]) => `${name}=${value}\n`);
  await Deno.writeTextFile(`${root}/${ENV_FILE}`, lines.join(""));
  const workers = ROOTS.filter((path) => path !== "main.ts").map(bundlePath);
  return await run(Deno.execPath(), [
    ...["compile", "-A", "--no-prompt", "--no-code-cache", V8_FLAGS],
    ...["--unstable-worker-options", "--unstable-net", `--env-file=${ENV_FILE}`, "--target", triple],
    ...workers.flatMap((path) => ["--include", path]),
    ...["-o", binary, bundlePath("main.ts")],
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

/** The base is there, or what Deno said when it could not be had. Throws when it is not the pinned one. */
async function requireDenort(
  triple: string,
): Promise<{ readonly digest?: string; readonly missing?: string }> {
  const digest = await denortDigest(triple);
  if (digest !== undefined) return { digest };
  const missing = await fetchDenort(triple);
  if (missing !== undefined) return { missing };
  const fetched = await denortDigest(triple);
  return fetched === undefined ? {} : { digest: fetched };
}

async function main(): Promise<number> {
  const target = TARGETS[Deno.args[0] ?? "x64"];
  if (target === undefined) {
    say(`Cannot compile for "${Deno.args[0]}": expected ${Object.keys(TARGETS).join(" or ")}`);
    return 64;
  }
  const { triple, file } = target;
  const binary = `${OUT}/${file}`;
  const { digest, missing } = await requireDenort(triple);
  const isWithin = printSizes(await bundle("compiled", digest));
  if (missing !== undefined) {
    say(explainMissingRuntime(missing));
    return 69;
  }
  const { code, stderr } = await compile(triple, binary);
  if (code !== 0) throw new Error(`Cannot compile ${binary}:\n${stderr}`);
  const bytes = await Deno.readFile(`${root}/${binary}`);
  print(`runtime base  sha256 ${digest ?? "unknown"}`);
  print(`${binary}  ${bytes.length} bytes, sha256 ${await sha256(bytes)}`);
  return isWithin ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
