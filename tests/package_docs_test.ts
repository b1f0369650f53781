/**
 * docs/install.md, followed as printed: its shell blocks, run on Debian's smallest root with nothing added but the file
 * they speak of. Only the example's endpoint is replaced, by a loopback backend.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { buildDeb } from "../scripts/package/deb.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { checkout, debianRoot, inNamespace, mountKernel, portable, rootTest } from "./package_rig.ts";
import { inFolder } from "./program.ts";

/** The shell block below a heading of the page. */
async function printed(heading: string): Promise<string> {
  const page = await Deno.readTextFile(`${checkout}docs/install.md`);
  const section = page.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const block = /```sh\n([\s\S]*?)```/.exec(section)?.[1];
  if (block === undefined) throw new Error(`Cannot follow docs/install.md: no commands below "${heading}"`);
  return block;
}

async function follow(heading: string, bring: (root: string) => Promise<void>): Promise<void> {
  await using server = new FaultServer(ok);
  await inFolder(async (root) => {
    await debianRoot(root);
    await bring(root);
    const commands = (await printed(heading)).replaceAll(
      "https://otlp.example:4318",
      `http://127.0.0.1:${server.port}`,
    );
    await Deno.writeTextFile(`${root}/root/followed.sh`, commands);
    const script = `${mountKernel(root)}exec chroot ${root} sh -eu /root/followed.sh </dev/null`;
    const { code, stdout, stderr } = await inNamespace(script);
    assertEquals(code, 0, stdout + stderr);
    assert(server.requests.length === 1, "one request, accepted before the last command returned");
  });
}

rootTest("docs/install.md: one file, as printed on a bare root", ["debootstrap", "unshare"], async () => {
  const program = await portable();
  await follow("One file", (root) => Deno.copyFile(program, `${root}/usr/local/bin/sonde`));
});

rootTest(
  "docs/install.md: the deb, as printed on a bare root",
  ["debootstrap", "unshare", "dpkg-deb"],
  async () => {
    await portable();
    await follow("deb or rpm", async (root) => void await buildDeb("none", { to: `${root}/root/sonde.deb` }));
  },
);
