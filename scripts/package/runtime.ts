/**
 * Deno's runtime for the one-file sonde: the program in an npm package, pinned by its digest. The Deno that runs this
 * script is taken when it is byte for byte the same; otherwise npm fetches the package.
 * @module
 */
import { root, run } from "../terminal.ts";

/** The pinned runtime. A new Deno means new rows here, in README and .ci/run. */
export const RUNTIME = {
  package: "@deno/linux-x64-glibc",
  version: "2.9.6",
  sha256: "bceb5b6a6239b0b010418406d8c77a508f67cf4337d94288f1c19fe71304aab0",
} as const;

/** Hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function verified(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bytes = await Deno.readFile(path).catch(() => undefined);
  return bytes !== undefined && await sha256(bytes) === RUNTIME.sha256 ? bytes : undefined;
}

async function fetchPackage(folder: string): Promise<void> {
  const packed = await run("npm", [
    ...["pack", "--silent", "--ignore-scripts", "--pack-destination", folder],
    `${RUNTIME.package}@${RUNTIME.version}`,
  ], { cwd: folder });
  const [archive = ""] = packed.stdout.trim().split("\n");
  const unpacked = await run("tar", ["-xzf", archive, "--strip-components=1", "package/deno"], {
    cwd: folder,
  });
  if (packed.code === 0 && unpacked.code === 0) return;
  throw new Error(`Cannot fetch ${RUNTIME.package}@${RUNTIME.version}:\n${packed.stderr}${unpacked.stderr}`);
}

/** The runtime's bytes. Throws when npm cannot fetch it, or what it fetched is not what is pinned. */
export async function runtimeBytes(): Promise<Uint8Array<ArrayBuffer>> {
  const own = await verified(Deno.execPath());
  if (own !== undefined) return own;
  const kept = `${root}/.cache/runtime-${RUNTIME.version}`;
  const cached = await verified(`${kept}/deno`);
  if (cached !== undefined) return cached;
  await Deno.mkdir(kept, { recursive: true });
  await fetchPackage(kept);
  const fetched = await verified(`${kept}/deno`);
  if (fetched === undefined) {
    throw new Error(`Cannot use runtime "${kept}/deno": its SHA-256 is not the pinned ${RUNTIME.sha256}`);
  }
  return fetched;
}
