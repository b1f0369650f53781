/**
 * The one-file form: works with the C library alone, trusts no folder it did not make, is one process from start to
 * end, leaves nothing behind, and has the same bytes wherever it is built.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { Elf } from "../scripts/package/elf.ts";
import { billOfMaterials, SBOM_PATH } from "../scripts/package/sbom.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import {
  checkout,
  inNamespace,
  libraryRoot,
  mountKernel,
  PORTABLE,
  portable,
  rootTest,
  run,
  toolAbsence,
} from "./package_rig.ts";
import { peerTest } from "./peers/peer.ts";
import { inFolder } from "./program.ts";
import { inTerminal, plainText } from "./terminal.ts";

Deno.test("version of a built program names form, commit, runtime and lock", async () => {
  const { code, stdout } = await run(await portable(), ["version"]);
  assertEquals(code, 0);
  assertMatch(stdout, /^sonde \d+\.\d+\.\d+\ndeno 2\.9\.6/);
  assertMatch(stdout, /\nbuilt as portable from commit ([0-9a-f]{40}(-modified)?|unknown)\n/);
  assertMatch(stdout, /\nbuilt with deno 2\.9\.6, sha256 [0-9a-f]{64}\ndeno\.lock sha256 [0-9a-f]{64}\n$/);
});

Deno.test("version --sbom prints the bill of this tree, licences and digests included", async () => {
  assertEquals(await Deno.readTextFile(`${checkout}${SBOM_PATH}`), await billOfMaterials(), "deno task sbom");
  const { stdout } = await run(await portable(), ["version", "--sbom"]);
  const bill = JSON.parse(stdout);
  assertEquals([bill.bomFormat, bill.specVersion], ["CycloneDX", "1.6"]);
  const names: string[] = bill.components.map(({ name }: { name: string }) => name);
  for (const name of ["@deno/linux-x64-glibc", "@bufbuild/protobuf"]) {
    assert(names.includes(name), name);
  }
  for (const { name, hashes, licenses } of bill.components) {
    assertMatch(hashes[0].content, /^([0-9a-f]{64}|[0-9a-f]{128})$/, name);
    assertEquals(licenses.length, 1, name);
  }
});

Deno.test("portable: deno.json, package.json, home and TMPDIR of strangers are neither read nor written", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    for (const name of ["work", "home", "tmp", "state"]) await Deno.mkdir(`${folder}/${name}`);
    for (const name of ["deno.json", "package.json", "deno.lock"]) {
      await Deno.writeTextFile(`${folder}/work/${name}`, "{ not json");
    }
    const keyLog = `${folder}/keys`;
    const { code, stderr } = await run(await portable(), [
      "once",
      "--endpoint",
      `http://127.0.0.1:${server.port}`,
    ], {
      cwd: `${folder}/work`,
      env: {
        HOME: `${folder}/home`,
        TMPDIR: `${folder}/tmp`,
        SSLKEYLOGFILE: keyLog,
        DENO_V8_FLAGS: "--not-a-flag",
        SONDE_STATE_DIR: `${folder}/state`,
        SONDE_CONTROL_SOCKET: `${folder}/ctl.sock`,
      },
    });
    assertEquals(code, 0, stderr);
    assertEquals([...Deno.readDirSync(`${folder}/home`), ...Deno.readDirSync(`${folder}/tmp`)], []);
    assertEquals([...Deno.readDirSync(`${folder}/work`)].length, 3);
    assertThrows(() => Deno.statSync(keyLog), Deno.errors.NotFound);
  });
  assertEquals(server.requests.length, 1);
});

Deno.test("portable: one process, its own command line, and signals that reach it", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const program = await portable();
    const args = ["run", "--interval", "1s", "--endpoint", `http://127.0.0.1:${server.port}`];
    const child = new Deno.Command(program, {
      args,
      env: { SONDE_STATE_DIR: folder, SONDE_CONTROL_SOCKET: `${folder}/ctl.sock` },
      stdout: "null",
      stderr: "null",
    }).spawn();
    await server.waitFor(2);
    const line = await Deno.readTextFile(`/proc/${child.pid}/cmdline`);
    assertEquals(line.split("\0").slice(0, -1), [program, ...args]);
    assertEquals(await Deno.readLink(`/proc/${child.pid}/exe`), program);
    const inspected = await run(program, ["sandbox"], {
      env: { SONDE_CONTROL_SOCKET: `${folder}/ctl.sock` },
    });
    assertEquals(inspected.code, 0, inspected.stderr);
    assertStringIncludes(inspected.stdout, `running agent, process ${child.pid}`);
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 0);
  });
});

Deno.test("portable: programs that it starts see the environment as it was", async () => {
  await inFolder(async (folder) => {
    const env = {
      DENO_DIR: "/the/users/own",
      SONDE_STATE_DIR: folder,
      SONDE_CONTROL_SOCKET: `${folder}/ctl.sock`,
    };
    const { code, stdout, stderr } = await run(await portable(), ["exec", "--", "env"], { env });
    assertEquals(code, 0, stderr);
    const seen = stdout.split("\n").filter((line) => /^DENO_(DIR|LOG|NO_PACKAGE_JSON)=/.test(line));
    assertEquals(seen, ["DENO_DIR=/the/users/own"]);
  });
});

peerTest("portable: the runtime adds nothing on a terminal", toolAbsence("python3"), async () => {
  const command = [await portable()];
  await inFolder(async (folder) => {
    const { code, output } = await inTerminal(folder, ["version"], { command });
    assertEquals(code, 0, output);
    assertMatch(plainText(output), /^sonde \d/);
  });
});

rootTest(
  "portable: the C library alone, read-only root, noexec /tmp, no home, no certificates, uid 10001",
  ["unshare", "ldd", "setpriv"],
  async () => {
    await using server = new FaultServer(ok);
    const endpoint = `http://127.0.0.1:${server.port}`;
    await inFolder(async (root) => {
      await libraryRoot(root);
      const inside = `chroot --userspec=10001:10001 ${root} /sonde`;
      const { code, stdout, stderr } = await inNamespace(`
mount --bind ${root} ${root}; ${mountKernel(root)}
mount -t tmpfs -o noexec,nosuid,mode=1777 tmpfs ${root}/tmp
mount -o remount,ro,bind ${root}
cd ${root}
export SONDE_STATE_DIR=/tmp/state SSL_CERT_FILE=/etc/ssl/none.pem
${inside} once --endpoint ${endpoint} --set SONDE_SHUTDOWN_TIMEOUT=1s
${inside} sandbox >/dev/null
HOME= ${inside} once --dry-run --format prometheus | head -n 1
find ${root}/tmp -mindepth 1 -maxdepth 1
`);
      assertEquals(code, 0, stderr);
      assertEquals(stdout, `# HELP target_info Target metadata\n${root}/tmp/state\n`);
      assertStringIncludes(stderr, "only the built-in ones are trusted");
    });
    assertEquals(server.requests.length, 1);
  },
);

Deno.test("Elf() refuses what is not a bound x86-64 program", async () => {
  const cases: readonly Uint8Array<ArrayBuffer>[] = [
    new Uint8Array(64),
    new TextEncoder().encode("#!/bin/sh\n".repeat(10)),
    // Our own file: its note has already become a segment.
    await Deno.readFile(PORTABLE),
  ];
  assertThrows(() => new Elf(cases[0] ?? new Uint8Array()), SyntaxError, "no 64-bit ELF file");
  assertThrows(() => new Elf(cases[1] ?? new Uint8Array()), SyntaxError, "no 64-bit ELF file");
  assertThrows(
    () => new Elf(cases[2] ?? new Uint8Array()).startAt(0, 1),
    SyntaxError,
    "one program header of type 4",
  );
});
