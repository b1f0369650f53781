/**
 * install.sh against a release server on loopback, signed with a key made for the test: only what is signed, unchanged
 * and able to work here replaces what runs, and the replaced program can be brought back.
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkout, run, toolAbsence } from "./package_rig.ts";
import { peerTest } from "./peers/peer.ts";
import { withReleases } from "./releases.ts";

const absence = toolAbsence("ssh-keygen", "sha256sum", "curl");

peerTest(
  "install.sh installs, upgrades and rolls back",
  absence,
  () =>
    withReleases(async (releases, program) => {
      await releases.publish("0.1.0", program);
      const first = await releases.install();
      assertEquals([first.code, first.stdout], [0, "sonde 0.1.0 is installed\n"], first.stderr);
      assertEquals((await run(`${releases.prefix}/bin/sonde`, ["version"])).code, 0);

      await releases.publish("0.2.0", program);
      const second = await releases.install();
      assertEquals(second.stdout, "sonde 0.2.0 is installed, 0.1.0 is kept for rollback\n", second.stderr);
      const older = await releases.install("--version", "0.1.0");
      assertEquals(older.code, 64);
      assertStringIncludes(older.stderr, "0.1.0 is older than the installed 0.2.0");

      const back = await releases.install("rollback");
      assertEquals([back.code, back.stdout], [0, "sonde 0.1.0 is back, 0.2.0 is kept\n"], back.stderr);
      assertEquals(await releases.installed(), "0.1.0");
      await releases.install("rollback");
      assertEquals(await releases.installed(), "0.2.0");
      const left = [...Deno.readDirSync(`${releases.prefix}/lib/sonde`)].map(({ name }) => name).sort();
      assertEquals(left, ["0.1.0", "0.2.0", "current", "previous"]);
    }),
);

peerTest(
  "install.sh installs what deno task release has built, its sums right and its bill inside",
  absence ?? toolAbsence("dpkg-deb", "rpmbuild"),
  () =>
    withReleases(async (releases) => {
      const { HOME = "/", DENO_DIR } = Deno.env.toObject();
      const built = await run(Deno.execPath(), [
        ...["run", "-A", "--no-check", "scripts/package/release.ts", "--quick"],
      ], {
        cwd: checkout,
        env: { HOME, ...(DENO_DIR !== undefined && { DENO_DIR }), DENO_NO_UPDATE_CHECK: "1" },
      });
      assertEquals(built.code, 0, built.stderr);
      const { version } = JSON.parse(await Deno.readTextFile(`${checkout}deno.json`));
      const folder = `${checkout}dist/release/${version}`;
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
      assertEquals(names, [
        "LICENCES",
        "SHA256SUMS",
        "install.sh",
        `sonde-${version}-1.x86_64.rpm`,
        `sonde-${version}-linux-x64`,
        `sonde-${version}.cdx.json`,
        `sonde_${version}_amd64.deb`,
      ]);
      const checked = await run("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: folder });
      assertEquals([checked.code, checked.stdout.match(/: OK$/gm)?.length], [0, names.length - 1]);
      await Deno.mkdir(releases.path(version), { recursive: true });
      await run("cp", ["-rT", folder, releases.path(version)]);
      await releases.sign(version);
      const installed = await releases.install();
      assertEquals(installed.stdout, `sonde ${version} is installed\n`, installed.stderr);
      const { stdout: bill } = await run(`${releases.prefix}/bin/sonde`, ["version", "--sbom"]);
      assertEquals(bill, await Deno.readTextFile(`${folder}/sonde-${version}.cdx.json`));
    }),
);

peerTest(
  "install.sh refuses what is not signed, changed, misnamed or broken, and leaves the old one",
  absence,
  () =>
    withReleases(async (releases, program) => {
      await releases.publish("0.1.0", program);
      await releases.install();
      await releases.makeKey("stranger");
      const failing = new TextEncoder().encode("#!/bin/sh\nexit 78\n");
      const cases:
        readonly (readonly [what: string, prepare: () => Promise<void>, code: number, words: string])[] = [
          [
            "a stranger's key",
            () => releases.publish("0.2.0", program, "stranger"),
            77,
            "not by the given key",
          ],
          [
            "another program",
            async () => {
              await releases.publish("0.2.0", program);
              await Deno.writeFile(`${releases.path("0.2.0")}/sonde-0.2.0-linux-x64`, failing);
            },
            77,
            "not the file that was signed",
          ],
          [
            "an older release under a new name",
            async () => {
              await releases.publish("0.1.0", program);
              await run("cp", ["-rT", releases.path("0.1.0"), releases.path("0.2.0")]);
              await Deno.rename(
                `${releases.path("0.2.0")}/sonde-0.1.0-linux-x64`,
                `${releases.path("0.2.0")}/sonde-0.2.0-linux-x64`,
              );
              await Deno.writeTextFile(`${releases.path(".")}/latest`, "0.2.0");
            },
            77,
            "not the file that was signed",
          ],
          [
            "a program that refuses the configuration",
            () => releases.publish("0.2.0", failing),
            78,
            "does not accept",
          ],
          [
            "no release at all",
            async () => await Deno.writeTextFile(`${releases.path(".")}/latest`, "9.9"),
            69,
            "fetch",
          ],
          [
            "a version that is a path",
            async () => {
              await Deno.writeTextFile(`${releases.path(".")}/latest`, "../../etc");
            },
            64,
            "is no version",
          ],
        ];
      for (const [what, prepare, code, words] of cases) {
        await Deno.remove(releases.path("0.2.0"), { recursive: true }).catch(() => {});
        await prepare();
        const refused = await releases.install();
        assertEquals(refused.code, code, `${what}: ${refused.stderr}`);
        assertStringIncludes(refused.stderr, words, what);
        assertEquals(await releases.installed(), "0.1.0", what);
      }
      const left = [...Deno.readDirSync(`${releases.prefix}/lib/sonde`)].map(({ name }) => name).sort();
      assertEquals(left, ["0.1.0", "current"]);
    }),
);
