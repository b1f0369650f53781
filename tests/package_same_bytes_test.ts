/**
 * The same tree gives the same bytes: program, deb and rpm, built in two folders, on two days. Whoever has the source can
 * thus tell whether a published file was made from it.
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { SOURCES } from "../scripts/bundle.ts";
import { sha256 } from "../scripts/package/runtime.ts";
import { checkout, run, toolAbsence } from "./package_rig.ts";
import { peerTest } from "./peers/peer.ts";
import { inFolder } from "./program.ts";

const PARTS = [...SOURCES, "README.md", "LICENSE", "scripts"];

const BUILDS = ["portable.ts", "package/deb.ts", "package/rpm.ts"];

/** Builds all of it in a copy of the tree, at a distance from today; each file's name and digest. */
async function build(copy: string, distance: string): Promise<readonly string[]> {
  await Deno.mkdir(copy);
  const copied = await run("cp", ["-R", ...PARTS.map((part) => `${checkout}${part}`), copy]);
  assertEquals(copied.code, 0, copied.stderr);
  const { HOME = "/", DENO_DIR } = Deno.env.toObject();
  const env = { HOME, ...(DENO_DIR !== undefined && { DENO_DIR }), DENO_NO_UPDATE_CHECK: "1" };
  for (const script of BUILDS) {
    const args = ["-f", distance, Deno.execPath(), "run", "-A", "--no-check", `scripts/${script}`, "--quick"];
    const built = await run("faketime", args, { cwd: copy, env });
    assertEquals(built.code, 0, built.stderr);
  }
  const sums: string[] = [];
  for await (const { name, isFile } of Deno.readDir(`${copy}/dist`)) {
    if (isFile) sums.push(`${name} ${await sha256(await Deno.readFile(`${copy}/dist/${name}`))}`);
  }
  return sums.sort();
}

peerTest(
  "portable, deb and rpm have the same bytes from two folders, on two days",
  toolAbsence("faketime", "dpkg-deb", "rpmbuild"),
  async () => {
    await inFolder(async (folder) => {
      const first = await build(`${folder}/a`, "+0d");
      const second = await build(`${folder}/longer-name`, "+400d");
      assertMatch(first.join("\n"), /^sonde-\S+\.rpm .*\nsonde-portable .*\nsonde_\S+\.deb /m);
      assertEquals(first, second);
    });
  },
);
