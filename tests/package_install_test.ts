/**
 * install.sh against a release server on loopback, signed with a key made for the test: only what is signed, unchanged
 * and able to work here replaces what runs, and the replaced program can be brought back.
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { sha256 } from "../scripts/package/runtime.ts";
import { checkout, type Outcome, portable, run, toolAbsence } from "./package_rig.ts";
import { peerTest } from "./peers/peer.ts";
import { inFolder } from "./program.ts";

/** A folder of releases, served, and a folder to install into. */
class Releases {
  readonly #folder: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly prefix: string;
  key = "";

  constructor(folder: string) {
    this.#folder = folder;
    this.prefix = `${folder}/prefix`;
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async ({ url }) => {
      const body = await Deno.readFile(`${folder}/www${new URL(url).pathname}`).catch(() => undefined);
      return body === undefined ? new Response(null, { status: 404 }) : new Response(body);
    });
  }

  async makeKey(name: string): Promise<string> {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", `${this.#folder}/${name}`]);
    return (await Deno.readTextFile(`${this.#folder}/${name}.pub`)).trim();
  }

  path(version: string): string {
    return `${this.#folder}/www/${version}`;
  }

  /** Publishes a program under a version, signed with the key of that name. */
  async publish(version: string, program: Uint8Array<ArrayBuffer>, keyName = "release"): Promise<void> {
    const folder = this.path(version);
    await Deno.mkdir(folder, { recursive: true });
    const name = `sonde-${version}-linux-x64`;
    await Deno.writeFile(`${folder}/${name}`, program);
    await Deno.writeTextFile(`${folder}/SHA256SUMS`, `${await sha256(program)}  ${name}\n`);
    await Deno.remove(`${folder}/SHA256SUMS.sig`).catch(() => {});
    const signed = await run("ssh-keygen", [
      ...["-Y", "sign", "-q", "-f", `${this.#folder}/${keyName}`, "-n", "sonde", `${folder}/SHA256SUMS`],
    ]);
    assertEquals(signed.code, 0, signed.stderr);
    await Deno.writeTextFile(`${this.#folder}/www/latest`, `${version}\n`);
  }

  async install(...args: readonly string[]): Promise<Outcome> {
    const base = `http://127.0.0.1:${this.#server.addr.port}`;
    const env = {
      HOME: this.#folder,
      SONDE_STATE_DIR: `${this.#folder}/state`,
      SONDE_ENV_FILE: `${this.#folder}/env`,
    };
    return await run("sh", [
      ...[`${checkout}scripts/package/install.sh`, ...args, "--prefix", this.prefix],
      ...(args.includes("rollback") ? [] : ["--base", base, "--key", this.key]),
    ], { env });
  }

  /** Which version the link leads to. */
  async installed(): Promise<string | undefined> {
    const path = await Deno.realPath(`${this.prefix}/bin/sonde`).catch(() => undefined);
    return path?.split("/").at(-2);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

async function withReleases(test: (releases: Releases, program: Uint8Array<ArrayBuffer>) => Promise<void>) {
  const program = await Deno.readFile(await portable());
  await inFolder(async (folder) => {
    await using releases = new Releases(folder);
    await Deno.writeTextFile(`${folder}/env`, "", { mode: 0o600 });
    releases.key = await releases.makeKey("release");
    await test(releases, program);
  });
}

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
