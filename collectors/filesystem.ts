/**
 * File systems: the mount table is read every cycle, the figures of each mount beside it, because statfs of a
 * dead mount never answers (host-metrics P7 to P12). Such a mount is reported as stuck and left alone; it delays
 * nothing. What is asked is decided in mount_choice.ts.
 *
 *     36 27 8:1 / /mnt/data rw,noatime shared:5 - ext4 /dev/sda1 rw
 * @module
 */
import type { Collector, Host, Prepared, Recorder, Statfs } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { chooseMounts, type MountChoice, type MountRules } from "./mount_choice.ts";
import type { Mount } from "./mountinfo.ts";
import { SlowRead } from "./slow_read.ts";
import { times } from "./text.ts";

const SOURCE = "/proc/1/mountinfo, else /proc/self/mountinfo; statfs(2) of the mount point";

const usage: Descriptor = {
  name: "system.filesystem.usage",
  kind: "sum",
  monotonic: false,
  unit: "By",
  valueType: "int",
  description: "Space of the file system by state; the states add up to its limit",
  source:
    `${SOURCE}: used (blocks - bfree) * frsize, free bavail * frsize, reserved (bfree - bavail) * frsize`,
};
const utilization: Descriptor = {
  name: "system.filesystem.utilization",
  kind: "gauge",
  unit: "1",
  valueType: "double",
  description: "Share of the file system's space by state",
  source: `${SOURCE}: each state / blocks; collector naming: used / (used + free), as df says`,
  on: false,
};
const limit: Descriptor = {
  name: "system.filesystem.limit",
  kind: "sum",
  monotonic: false,
  unit: "By",
  valueType: "int",
  description: "Size of the file system",
  source: `${SOURCE}: blocks * frsize`,
  on: false,
};
const inodes: Descriptor = {
  name: "system.filesystem.inodes.usage",
  kind: "sum",
  monotonic: false,
  unit: "{inode}",
  valueType: "int",
  description: "Inodes by state, where the file system has a fixed number of them",
  source: `${SOURCE}: used files - ffree, free ffree`,
};
const stuck: Descriptor = {
  name: "sonde.filesystem.stuck",
  kind: "sum",
  monotonic: false,
  unit: "{mount}",
  valueType: "int",
  description: "Mounts that do not answer statfs and are left alone until they do",
  source: "statfs(2) calls without an answer after 2 s",
};

const STUCK_SERIES: Series = series(stuck);

/** Longest wait for one mount, and how often all are asked. */
const LIMIT_MS = 2000;
const REFRESH_MS = 5000;
/** Calls under way at once: each holds a thread. */
const IN_FLIGHT_MAX = 4;

/** What the operator decides about file systems. */
export interface FilesystemOptions extends MountRules {
  /** Milliseconds after which a mount counts as stuck. */
  readonly statfsLimitMs?: number;
}

/** One mount with its last answer and its series. */
interface Watched {
  readonly mount: Mount;
  readonly answer: SlowRead<Statfs>;
  readonly usage: readonly [used: Series, free: Series, reserved: Series];
  readonly shares: readonly [used: Series, free: Series, reserved: Series];
  readonly share: Series;
  readonly inodes: readonly [used: Series, free: Series];
  readonly limit: Series;
}

function watch(mount: Mount): Watched {
  const attributes = {
    "system.device": mount.source,
    "system.filesystem.mountpoint": mount.mountPoint,
    "system.filesystem.type": mount.type,
    "system.filesystem.mode": mount.mode,
  };
  const of = (state: string) => ({ ...attributes, "system.filesystem.state": state });
  const states = (descriptor: Descriptor, only: Parameters<typeof series>[2] = {}) =>
    [
      series(descriptor, of("used"), only),
      series(descriptor, of("free"), only),
      series(descriptor, of("reserved"), only),
    ] as const;
  return {
    mount,
    answer: new SlowRead(),
    usage: states(usage),
    // The two namings disagree about attributes and formula, not about keys alone (host-metrics 1.2).
    shares: states(utilization, { namings: ["semconv", "dup"] }),
    share: series(utilization, attributes, { namings: ["collector"] }),
    inodes: [series(inodes, of("used")), series(inodes, of("free"))],
    limit: series(limit, attributes),
  };
}

/** A mount is the same as long as its line says the same. */
const keyOf = (mount: Mount): string =>
  [mount.id, mount.device, mount.mountPoint, mount.type, mount.source, mount.mode].join("\n");

const isSame = (now: readonly unknown[], before: readonly unknown[]): boolean =>
  now.length === before.length && now.every((each, at) => each === before[at]);

/** The watched mounts and the text they were chosen from. */
class Mounts {
  watched: ReadonlyMap<string, Watched> = new Map();
  readonly #host: Host;
  readonly #rules: MountRules;
  #choice: MountChoice = { mounts: [], omitted: [], faults: [] };
  #texts: readonly (string | undefined)[] = [];
  /** What the choice was made by; the operator's lists are others after a change. */
  #lists: readonly unknown[] = [];

  constructor(host: Host, rules: MountRules) {
    this.#host = host;
    this.#rules = rules;
  }

  /** Follows the mount table; does nothing while its text is the same, which is nearly always. */
  follow(texts: readonly (string | undefined)[]): MountChoice {
    const lists = [this.#rules.filesystemExclude, this.#rules.filesystemTypes];
    if (isSame(texts, this.#texts) && isSame(lists, this.#lists)) return this.#choice;
    this.#texts = [...texts];
    this.#lists = lists;
    this.#choice = chooseMounts(texts, this.#host, this.#rules);
    const before = this.watched;
    this.watched = new Map(this.#choice.mounts.map((mount) => {
      const key = keyOf(mount);
      return [key, before.get(key) ?? watch(mount)];
    }));
    return this.#choice;
  }
}

/** Asks every mount, a few at a time; a stuck one frees its place after the limit. */
async function askAll(mounts: Iterable<Watched>, host: Host, limitMs: number): Promise<void> {
  const waiting = [...mounts];
  const worker = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      if (one.answer.isStuck) continue;
      const path = one.mount.mountPoint;
      await one.answer.ask(() => host.statfs(path), limitMs);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT_MAX }, worker));
}

function addFigures(one: Watched, figures: Statfs, out: Recorder): void {
  const { blockSize, blocks, blocksFree, blocksAvailable, files, filesFree } = figures;
  if (blocks <= 0 || blockSize <= 0) return;
  if (blocksFree > blocks || blocksAvailable > blocksFree) {
    out.omit(one.mount.mountPoint, "the file system reports more free than it has");
    return;
  }
  const counts = [blocks - blocksFree, blocksAvailable, blocksFree - blocksAvailable] as const;
  for (const [at, count] of counts.entries()) {
    const [used, share] = [one.usage[at], one.shares[at]];
    if (used !== undefined) out.add(used, times(count, blockSize));
    if (share !== undefined) out.add(share, count / blocks);
  }
  const reachable = counts[0] + counts[1];
  if (reachable > 0) out.add(one.share, counts[0] / reachable);
  out.add(one.limit, times(blocks, blockSize));
  // btrfs and vfat make inodes as they need them and report none (host-metrics 1.2).
  if (files > 0 && filesFree <= files) {
    out.add(one.inodes[0], files - filesFree);
    out.add(one.inodes[1], filesFree);
  }
}

function collectMounts(watched: Iterable<Watched>, limitMs: number, out: Recorder): void {
  let stuckCount = 0;
  for (const one of watched) {
    const { answer, mount } = one;
    if (answer.isStuck) {
      stuckCount++;
      out.omit(mount.mountPoint, `statfs does not answer within ${limitMs / 1000} s`);
    } else if (answer.failure !== undefined) {
      out.omit(mount.mountPoint, `statfs failed: ${answer.failure}`);
    } else if (answer.value !== undefined) {
      addFigures(one, answer.value, out);
    }
  }
  out.add(STUCK_SERIES, stuckCount);
}

/** The files of the mount table, the host's own first; then ours, where it tells what a path means to us. */
function mountTables(host: Host, rootPrefix: string | undefined): string[] {
  const [first, own] = ["/proc/1/mountinfo", "/proc/self/mountinfo"] as const;
  if (host.read(first) === undefined) return [own];
  if (host.isForeign) {
    // Only /proc stands elsewhere: what a path leads to, our own table says.
    if (rootPrefix === "") return [first, own];
    // A root mounted without the mounts below it would show its own figures for each of them.
    const isMounted = rootPrefix !== undefined && host.read(own)?.includes(` ${rootPrefix} `) === true;
    return isMounted ? [first, own] : [first];
  }
  const namespace = host.link("/proc/self/ns/mnt");
  return namespace !== undefined && namespace === host.link("/proc/1/ns/mnt") ? [own] : [first, own];
}

/** File systems of the host, except those that the rules leave out. */
export function filesystem(options: FilesystemOptions = {}): Collector {
  const limitMs = options.statfsLimitMs ?? LIMIT_MS;
  return {
    name: "filesystem",
    descriptors: [usage, utilization, limit, inodes, stuck],
    prepare(host): Prepared {
      const mounts = new Mounts(host, options);
      const files = mountTables(host, options.rootPrefix);
      mounts.follow(files.map((path) => host.read(path)));
      return {
        files,
        seldom: files,
        refreshMs: REFRESH_MS,
        refresh: () => askAll(mounts.watched.values(), host, limitMs),
        collect(texts, out) {
          const choice = mounts.follow(texts);
          for (const message of choice.faults) out.fault(message);
          for (const { what, why } of choice.omitted) out.omit(what, why);
          collectMounts(mounts.watched.values(), limitMs, out);
        },
      };
    },
  };
}
