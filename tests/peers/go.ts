/**
 * Builds the peers that are written in Go, from modules whose sums are committed, into a cache outside the
 * checkout. The cache key is the content of go.sum, go.mod and main.go, so an edit is never served by an old binary.
 * @module
 */

/** go.mod files say 1.25 or 1.26; from this version on the toolchain fetches a newer one by itself. */
const GO_MINOR_MIN = 21;

const SOURCES = ["go.mod", "go.sum", "main.go"];

export interface GoPeer {
  /** Folder beside this file, and name of the binary. */
  readonly name: string;
  /** What to build; absent: the folder's own main. */
  readonly target?: string;
  readonly tags?: string;
}

let absence: { readonly reason: string | undefined } | undefined;

/** Why Go peers cannot be built here; undefined: they can. */
export function goAbsence(): string | undefined {
  absence ??= { reason: findAbsence() };
  return absence.reason;
}

function findAbsence(): string | undefined {
  try {
    const { stdout } = new Deno.Command("go", { args: ["env", "GOVERSION"] }).outputSync();
    const version = new TextDecoder().decode(stdout).trim();
    const minor = Number(/^go1\.(\d+)/.exec(version)?.[1] ?? 0);
    return minor >= GO_MINOR_MIN ? undefined : `Go is "${version}", expected 1.${GO_MINOR_MIN} or later`;
  } catch {
    return "Go is not installed";
  }
}

/** Path of the peer's binary, built first when the cache has none. The Collector takes about a minute. */
export async function buildGoPeer(peer: GoPeer): Promise<string> {
  const source = new URL(`./${peer.name}/`, import.meta.url);
  const folder = `${cacheRoot()}/sonde/peers/${await contentHash(source, peer)}`;
  const binary = `${folder}/${peer.name}`;
  if (await isFile(binary)) return binary;
  await Deno.mkdir(folder, { recursive: true });
  // Two test runs may build at once: each writes aside, the last rename wins, both binaries are the same.
  const aside = `${binary}.${Deno.pid}`;
  const { success, stderr } = await new Deno.Command("go", {
    args: [
      ...["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"],
      ...(peer.tags === undefined ? [] : ["-tags", peer.tags]),
      ...["-o", aside, peer.target ?? "."],
    ],
    cwd: source,
    env: { CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(`Cannot build peer "${peer.name}":\n${new TextDecoder().decode(stderr).slice(-4_000)}`);
  }
  await Deno.rename(aside, binary);
  return binary;
}

function cacheRoot(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME");
  if (cache !== undefined && cache.startsWith("/")) return cache;
  return `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
}

async function contentHash(source: URL, peer: GoPeer): Promise<string> {
  const parts = [`${peer.target} ${peer.tags} ${Deno.build.arch}`];
  for (const name of SOURCES) {
    const file = new URL(name, source);
    if (await isFile(file)) parts.push(await Deno.readTextFile(file));
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(parts.join("\0")));
  return new Uint8Array(digest).toHex().slice(0, 32);
}

async function isFile(path: string | URL): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
