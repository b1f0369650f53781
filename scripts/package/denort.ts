/**
 * Deno's runtime base for `deno task compile`: which file it is and what its digest must be. Deno downloads it without
 * looking at a checksum, so DENORT_SHA256 pins it here: of the file DENORT_BIN names, else of the archive downloaded.
 * @module
 */
import { run } from "../terminal.ts";
import { sha256 } from "./runtime.ts";

/** What a build is made for: the names of Deno, and what the file is called. */
export const TARGETS: Readonly<Record<string, { readonly triple: string; readonly file: string }>> = {
  x64: { triple: "x86_64-unknown-linux-gnu", file: "sonde" },
  arm64: { triple: "aarch64-unknown-linux-gnu", file: "sonde-arm64" },
};

/** Where Deno keeps the archive it downloads; undefined where it cannot say. */
async function archivePath(triple: string): Promise<string | undefined> {
  const { code, stdout } = await run(Deno.execPath(), ["info", "--json"]);
  if (code !== 0) return undefined;
  const { denoDir }: { denoDir: string } = JSON.parse(stdout);
  return `${denoDir}/dl/release/v${Deno.version.deno}/denort-${triple}.zip`;
}

/** Digest of the base, hexadecimal; undefined when there is none yet. Throws when it is not the pinned one. */
export async function denortDigest(triple: string): Promise<string | undefined> {
  const path = Deno.env.get("DENORT_BIN") ?? await archivePath(triple);
  const bytes = path === undefined ? undefined : await Deno.readFile(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const digest = await sha256(bytes);
  const pinned = Deno.env.get("DENORT_SHA256");
  if (pinned !== undefined && digest !== pinned.toLowerCase()) {
    throw new Error(`Cannot compile with "${path}": its SHA-256 is ${digest}, expected ${pinned}`);
  }
  return digest;
}

/** Has Deno download the base by compiling nothing much. What it said where that failed. */
export async function fetchDenort(triple: string): Promise<string | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/empty.js`, "");
    const { code, stderr } = await run(Deno.execPath(), [
      ...["compile", "--no-config", "--target", triple, "-o", `${folder}/empty`, `${folder}/empty.js`],
    ]);
    return code === 0 ? undefined : stderr;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
