/**
 * What the tests of the packaged forms share: the one-file program, built once for a run; roots to try it in; and the
 * reasons why a machine cannot. A missing tool is a reason that CI does not accept; missing rights are one that it does.
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { SOURCES } from "../scripts/bundle.ts";
import { peerTest } from "./peers/peer.ts";

export const checkout: string = decodeURIComponent(new URL("..", import.meta.url).pathname);

/** The built program. */
export const PORTABLE: string = `${checkout}dist/sonde-portable`;

/** How a program ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
}

/** Runs a program to its end, with PATH and what is given as its only environment. */
export async function run(
  program: string,
  args: readonly string[],
  { env = {}, cwd = "/", stdin }: RunOptions = {},
): Promise<Outcome> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    clearEnv: true,
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...env },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Output as text, colours taken out. */
function decode(bytes: Uint8Array): string {
  return stripVTControlCharacters(new TextDecoder().decode(bytes));
}

async function newest(path: string): Promise<number> {
  const { mtime, isDirectory } = await Deno.stat(path);
  let latest = mtime?.getTime() ?? 0;
  if (!isDirectory) return latest;
  for await (const { name } of Deno.readDir(path)) latest = Math.max(latest, await newest(`${path}/${name}`));
  return latest;
}

/** Builds the program unless it is newer than all it is made of; its path. */
export async function portable(): Promise<string> {
  const builtMs = await Deno.stat(PORTABLE).then(({ mtime }) => mtime?.getTime() ?? 0, () => 0);
  let sourceMs = 0;
  for (const path of [...SOURCES, "scripts"]) {
    sourceMs = Math.max(sourceMs, await newest(`${checkout}${path}`));
  }
  if (builtMs > sourceMs) return PORTABLE;
  const { HOME = "/", DENO_DIR } = Deno.env.toObject();
  const env = { DENO_NO_UPDATE_CHECK: "1", HOME, ...(DENO_DIR === undefined ? {} : { DENO_DIR }) };
  const options = { cwd: checkout, env };
  const built = await run(Deno.execPath(), ["run", "-A", "--no-check", "scripts/portable.ts"], options);
  if (built.code !== 0) throw new Error(`Cannot build ${PORTABLE}:\n${built.stdout}${built.stderr}`);
  return PORTABLE;
}

function succeeds(program: string, ...args: readonly string[]): boolean {
  try {
    return new Deno.Command(program, { args: [...args], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** Why these tools cannot be used; undefined: all are there. */
export function toolAbsence(...programs: readonly string[]): string | undefined {
  const missing = programs.filter((program) => !succeeds("sh", "-c", `command -v ${program}`));
  return missing.length === 0 ? undefined : `${missing.join(", ")} is not installed`;
}

let mounting: boolean | undefined;

/** True where a mount namespace of one's own and chroot are allowed. */
export function canMount(): boolean {
  return mounting ??= succeeds("unshare", "--mount", "sh", "-c", "mount -t tmpfs none /mnt && chroot / true");
}

/** Registers a test that needs tools and the right to mount and to change root. */
export function rootTest(title: string, tools: readonly string[], test: () => Promise<void>): void {
  if (canMount()) return peerTest(title, toolAbsence(...tools), test);
  const reason = "mounting and changing root need rights that are missing here";
  Deno.stderr.writeSync(new TextEncoder().encode(`skipped: ${title}: ${reason}\n`));
  Deno.test({ name: title, ignore: true, fn: test });
}

/** Runs a shell script in a mount namespace of its own: whatever it mounts is gone with it. */
export async function inNamespace(script: string, options: RunOptions = {}): Promise<Outcome> {
  return await run("unshare", ["--mount", "--propagation", "private", "sh", "-euc", script], options);
}

/** Script that gives a root its kernel filesystems. */
export function mountKernel(root: string): string {
  return `mount -t proc proc ${root}/proc; mount --rbind /sys ${root}/sys; mount --rbind /dev ${root}/dev\n`;
}

/** A root with the C library alone, and the program as /sonde; nothing else, not even a shell. */
export async function libraryRoot(root: string): Promise<void> {
  const program = await portable();
  const { stdout } = await run("ldd", [program]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
  for (const path of libraries) {
    await Deno.mkdir(`${root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.copyFile(path, `${root}${path}`);
  }
  for (const folder of ["proc", "sys", "dev", "tmp"]) await Deno.mkdir(`${root}/${folder}`);
  await Deno.copyFile(program, `${root}/sonde`);
  await Deno.chmod(root, 0o755);
}

function cacheFolder(): string {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${home}/sonde/peers`;
}

/** Unpacks Debian's smallest root, with these packages added; made by debootstrap once, kept outside the checkout. */
export async function debianRoot(root: string, added: readonly string[] = []): Promise<void> {
  const archive = `${cacheFolder()}/${["bookworm", ...added].join("-")}-minbase.tar`;
  if (!await Deno.stat(archive).then(() => true, () => false)) {
    await Deno.mkdir(cacheFolder(), { recursive: true });
    const folder = await Deno.makeTempDir({ prefix: "sonde-debootstrap-" });
    const include = added.length === 0 ? "" : `--include=${added.join(",")}`;
    const script = `debootstrap --variant=minbase ${include} bookworm ${folder}/root &&
      tar -C ${folder}/root --exclude=./var/cache/apt/archives/*.deb -cf ${archive}.new . && mv ${archive}.new ${archive}`;
    const made = await run("sh", ["-c", script]);
    await Deno.remove(folder, { recursive: true });
    if (made.code !== 0) {
      throw new Error(`Cannot make Debian root:\n${made.stdout.slice(-2000)}${made.stderr}`);
    }
  }
  const unpacked = await run("tar", ["-C", root, "-xf", archive]);
  if (unpacked.code !== 0) throw new Error(`Cannot unpack "${archive}":\n${unpacked.stderr}`);
  await Deno.chmod(root, 0o755);
}
