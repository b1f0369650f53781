/**
 * A release server on loopback, its releases signed with keys made for the test, and install.sh run against it.
 * @module
 */
import { assertEquals } from "@std/assert";
import { sha256 } from "../scripts/package/runtime.ts";
import { checkout, type Outcome, portable, run } from "./package_rig.ts";
import { inFolder } from "./program.ts";

/** A folder of releases, served, and a folder to install into. */
export class Releases {
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

  /** What `--base` is given. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
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
    await this.sign(version, keyName);
  }

  /** Signs what lies under a version, and makes it the latest. */
  async sign(version: string, keyName = "release"): Promise<void> {
    const folder = this.path(version);
    await Deno.remove(`${folder}/SHA256SUMS.sig`).catch(() => {});
    const signed = await run("ssh-keygen", [
      ...["-Y", "sign", "-q", "-f", `${this.#folder}/${keyName}`, "-n", "sonde", `${folder}/SHA256SUMS`],
    ]);
    assertEquals(signed.code, 0, signed.stderr);
    await Deno.writeTextFile(`${this.#folder}/www/latest`, `${version}\n`);
  }

  async install(...args: readonly string[]): Promise<Outcome> {
    const env = {
      HOME: this.#folder,
      SONDE_STATE_DIR: `${this.#folder}/state`,
      SONDE_ENV_FILE: `${this.#folder}/env`,
    };
    return await run("sh", [
      ...[`${checkout}scripts/package/install.sh`, ...args, "--prefix", this.prefix],
      ...(args.includes("rollback") ? [] : ["--base", this.url, "--key", this.key]),
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

/** Runs a test with a server of releases and a key made for it. */
export async function withReleases(
  test: (releases: Releases, program: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  const program = await Deno.readFile(await portable());
  await inFolder(async (folder) => {
    await using releases = new Releases(folder);
    await Deno.writeTextFile(`${folder}/env`, "", { mode: 0o600 });
    releases.key = await releases.makeKey("release");
    await test(releases, program);
  });
}
