/**
 * Records this host as a tree for `--root`: exactly what the collectors look at, scrubbed (scrub.ts), in the layout of
 * tests/fixtures/hosts. Look at what it wrote before it leaves the machine.
 *
 *     deno run -A scripts/capture.ts DIR [--again SECONDS]     DIR/t0, and DIR/t1 so much later
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Host, Statfs } from "../collectors/collector.ts";
import { hostRoot, openHost } from "../collectors/host.ts";
import { parseMounts } from "../collectors/mountinfo.ts";
import { collectors } from "../collectors/registry.ts";
import { openLibc } from "../collectors/statfs.ts";
import { sleep } from "../exporters/clock.ts";
import { Scrubber } from "./scrub.ts";
import { print, say } from "./terminal.ts";

/** What the collectors looked at. */
interface Looked {
  readonly files: Map<string, string>;
  readonly links: Map<string, string>;
  readonly folders: Set<string>;
}

/** Clocks and mounts, which the program itself reads besides. */
const ALWAYS = [
  ...["/proc/uptime", "/proc/stat", "/proc/sys/kernel/hostname", "/proc/sys/kernel/osrelease"],
  ...["/proc/sys/kernel/arch", "/proc/sys/kernel/random/boot_id", "/etc/machine-id", "/etc/os-release"],
  ...["/proc/1/mountinfo", "/proc/self/cgroup", "/proc/self/mountinfo"],
];
/** A listing of all processes says nothing that a collector needs. */
const UNLISTED: ReadonlySet<string> = new Set(["/proc"]);

/** A host that remembers what it was asked. */
function watched(host: Host, looked: Looked): Host {
  return {
    ...host,
    read: (path) => {
      const text = host.read(path);
      if (text !== undefined) looked.files.set(path, text);
      return text;
    },
    list: (path) => {
      const names = host.list(path);
      if (!UNLISTED.has(path)) {
        for (const name of names) {
          if (host.list(`${path}/${name}`).length > 0) looked.folders.add(`${path}/${name}`);
        }
      }
      return names;
    },
    link: (path) => {
      const target = host.link(path);
      if (target !== undefined) looked.links.set(path, target);
      return target;
    },
    exists: (path) => {
      const isThere = host.exists(path);
      const text = isThere ? host.read(path) : undefined;
      if (text !== undefined) looked.files.set(path, text);
      else if (isThere) looked.folders.add(path);
      return isThere;
    },
    processCounter: () => undefined,
    openFileCounter: () => undefined,
  };
}

/** Everything all collectors look at, opt-in ones included. */
function lookAround(host: Host): Looked {
  const looked: Looked = { files: new Map(), links: new Map(), folders: new Set() };
  const seen = watched(host, looked);
  for (const path of ALWAYS) seen.read(path);
  for (const collector of collectors()) {
    const prepared = collector.prepare(seen);
    for (const path of [...prepared.files, ...prepared.slowFiles ?? []]) seen.read(path);
  }
  return looked;
}

/** What the page size and the tick rate are read from, without the addresses that stand beside them. */
function auxv({ pageSize, ticksPerSecond }: Host): Uint8Array {
  const view = new DataView(new ArrayBuffer(48));
  for (const [at, word] of [6, pageSize, 17, ticksPerSecond, 0, 0].entries()) {
    view.setBigUint64(at * 8, BigInt(word), true);
  }
  return new Uint8Array(view.buffer);
}

async function figures(host: Host, mounts: string | undefined): Promise<Record<string, Statfs>> {
  const found: Record<string, Statfs> = {};
  for (const { mountPoint, source } of parseMounts(mounts ?? "", () => {})) {
    if (!source.startsWith("/dev/")) continue;
    const figures = await host.statfs(mountPoint);
    if (figures !== undefined) found[mountPoint] = figures;
  }
  return found;
}

function put(root: string, path: string, body: string | Uint8Array): void {
  const at = root + path;
  Deno.mkdirSync(at.slice(0, at.lastIndexOf("/")), { recursive: true });
  if (typeof body === "string") Deno.writeTextFileSync(at, body);
  else Deno.writeFileSync(at, body);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Records one moment; gives the number of files. */
async function capture(root: string): Promise<number> {
  const libc = openLibc();
  if (libc === undefined) throw new Error("Cannot record this host: libc has no statfs");
  const host = openHost(hostRoot("/"), libc);
  const looked = lookAround(host);
  const scrubber = new Scrubber([host.read("/proc/sys/kernel/hostname")?.trim() ?? ""]);
  for (const [path, text] of looked.files) put(root, path, scrubber.scrub(path, text));
  for (const path of looked.folders) Deno.mkdirSync(root + path, { recursive: true });
  for (const [path, target] of looked.links) {
    if (exists(root + path)) continue;
    Deno.mkdirSync((root + path).slice(0, (root + path).lastIndexOf("/")), { recursive: true });
    Deno.symlinkSync(target, root + path);
  }
  put(root, "/proc/self/auxv", auxv(host));
  const statfs = await figures(host, looked.files.get("/proc/self/mountinfo"));
  put(root, "/statfs.json", scrubber.scrub("", `${JSON.stringify(statfs, null, 2)}\n`));
  const { pageSize, ticksPerSecond, is32Bit } = host;
  put(root, "/host.json", `${JSON.stringify({ pageSize, ticksPerSecond, is32Bit })}\n`);
  libc.close();
  return looked.files.size;
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["again", "_"] });
  const [folder] = flags._;
  const seconds = Number(flags.again ?? 0);
  if (folder === undefined || !(seconds >= 0)) {
    say("usage: deno run -A scripts/capture.ts DIR [--again SECONDS]");
    Deno.exit(64);
  }
  print(`${await capture(`${folder}/t0`)} files in ${folder}/t0`);
  if (seconds > 0) {
    await sleep(seconds * 1000);
    print(`${await capture(`${folder}/t1`)} files in ${folder}/t1`);
  }
}
