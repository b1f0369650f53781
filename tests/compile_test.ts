/**
 * Building the executable: the same tree gives the same bytes from two folders, at two times, and a machine without
 * Deno's runtime base is told what to do. The base here is a stand-in, Deno itself: the payload is the same.
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { SOURCES } from "../scripts/bundle.ts";
import { sha256 } from "../scripts/package/runtime.ts";

const checkout = decodeURIComponent(new URL("..", import.meta.url).pathname);

/** A copy of the program and its build script in a folder of its own. */
async function copyCheckout(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "sonde-compile-" });
  for (const part of [...SOURCES, "scripts"]) {
    const { code } = await new Deno.Command("cp", { args: ["-R", `${checkout}${part}`, folder] }).output();
    assertEquals(code, 0, `copy of ${part}`);
  }
  return folder;
}

/** Runs the build; only what is given here decides about the runtime base. */
async function compileIn(
  folder: string,
  env: Record<string, string>,
  ...args: readonly string[]
): Promise<Deno.CommandOutput> {
  const { DENORT_BIN: _, DENORT_SHA256: _pin, ...inherited } = Deno.env.toObject();
  return await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "scripts/compile.ts", ...args],
    cwd: folder,
    clearEnv: true,
    env: { ...inherited, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", ...env },
  }).output();
}

async function ownDigest(): Promise<string> {
  return await sha256(await Deno.readFile(Deno.execPath()));
}

/** Deno's cache without the runtime bases that an earlier build may have left there. */
async function cacheWithoutRuntime(folder: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir }: { denoDir: string } = JSON.parse(decoder.decode(stdout));
  const cache = `${folder}/cache`;
  await Deno.mkdir(`${cache}/dl`, { recursive: true });
  await Deno.symlink(`${denoDir}/npm`, `${cache}/npm`);
  for await (const { name } of Deno.readDir(`${denoDir}/dl`)) {
    if (name !== "release") await Deno.symlink(`${denoDir}/dl/${name}`, `${cache}/dl/${name}`);
  }
  return cache;
}

const decoder = new TextDecoder();

async function withCopies(count: number, use: (folders: readonly string[]) => Promise<void>): Promise<void> {
  const folders: string[] = [];
  try {
    for (let at = 0; at < count; at++) folders.push(await copyCheckout());
    await use(folders);
  } finally {
    for (const folder of folders) await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("compile builds the same bytes from two folders", () =>
  withCopies(2, async (folders) => {
    const summaries: string[] = [];
    for (const folder of folders) {
      const pin = { DENORT_BIN: Deno.execPath(), DENORT_SHA256: await ownDigest() };
      const { code, stdout, stderr } = await compileIn(folder, pin);
      assertEquals(code, 0, decoder.decode(stderr));
      summaries.push(decoder.decode(stdout));
      const settings = await Deno.readTextFile(`${folder}/dist/runtime.env`);
      assertStringIncludes(settings, "DENO_TLS_CA_STORE=system,mozilla\n");
    }
    const [first = "", second = ""] = summaries;
    assertMatch(first, /^dist\/main\.js {2}\d+ bytes/);
    assertMatch(first, /\ndist\/exporters\/courier\.js {2}\d+ bytes/);
    assertMatch(
      first,
      /\nruntime base {2}sha256 [0-9a-f]{64}\ndist\/sonde {2}\d+ bytes, sha256 [0-9a-f]{64}\n$/,
    );
    assertEquals(first, second);
  }));

Deno.test("compile refuses a runtime base that is not the pinned one, and a machine it knows nothing of", () =>
  withCopies(1, async ([folder = ""]) => {
    const pin = { DENORT_BIN: Deno.execPath(), DENORT_SHA256: "0".repeat(64) };
    const { code, stderr } = await compileIn(folder, pin);
    assertEquals(code, 1);
    assertStringIncludes(decoder.decode(stderr), `its SHA-256 is ${await ownDigest()}, expected 000`);
    const other = await compileIn(folder, { DENORT_BIN: Deno.execPath() }, "riscv");
    assertEquals([other.code, decoder.decode(other.stderr)], [
      64,
      'Cannot compile for "riscv": expected x64 or arm64\n',
    ]);
  }));

Deno.test("compile ends with 69 and the next command when the runtime base cannot be downloaded", () =>
  withCopies(1, async ([folder = ""]) => {
    // The bundler is fetched once; this build leaves it in the cache.
    await compileIn(folder, { DENORT_BIN: Deno.execPath() });
    // A proxy that nobody answers: no machine can download through it.
    const env = { DENO_DIR: await cacheWithoutRuntime(folder), HTTPS_PROXY: "http://127.0.0.1:1" };
    const { code, stderr } = await compileIn(folder, env);
    assertEquals(code, 69, decoder.decode(stderr));
    assertMatch(decoder.decode(stderr), /^Cannot compile: "https:\/\/.*denort.*\.zip" cannot be downloaded/);
    assertStringIncludes(decoder.decode(stderr), "DENORT_BIN=/path/to/denort deno task compile");
  }));
