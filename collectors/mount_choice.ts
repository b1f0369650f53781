/**
 * Which mounts are asked for their figures: real file systems, each once, under the path that leads to it; not
 * pseudo, read-only image, network and FUSE file systems (host-metrics P9 to P11, P22).
 * @module
 */
import type { Host } from "./collector.ts";
import { matcher } from "./glob.ts";
import type { Omission } from "./metric.ts";
import { coveringMount, type Mount, parseMounts, visibleMounts } from "./mountinfo.ts";
import { wholeLines } from "./text.ts";

/** What the operator decides about mounts; patterns are globs. */
export interface MountRules {
  /** Mount points, devices or types to leave out. */
  readonly filesystemExclude?: readonly string[];
  /** File system types to take in besides: tmpfs, network and FUSE types. */
  readonly filesystemTypes?: readonly string[];
  /** Where the host's root is mounted for this process; its mounts carry this prefix in our own table. */
  readonly rootPrefix?: string;
}

/** What became of one text of the mount table. */
export interface MountChoice {
  readonly mounts: readonly Mount[];
  readonly omitted: readonly Omission[];
  readonly faults: readonly string[];
}

/** Most mounts reported; the rest is named in one omission (host-metrics P36). */
export const MOUNTS_MAX = 64;

/** Without a block device behind them, yet real. */
const REAL_TYPES = ["zfs", "ubifs", "bcachefs"] as const;
/** With a block device behind them, yet always full by design or able to hang. */
const LEFT_OUT_TYPES: ReadonlySet<string> = new Set([
  "squashfs",
  "erofs",
  "iso9660",
  "udf",
  "cramfs",
  "fuseblk",
]);
/** Taken where the kernel's own list cannot be read. */
const USUAL_TYPES = [
  "ext2",
  "ext3",
  "ext4",
  "xfs",
  "btrfs",
  "f2fs",
  "vfat",
  "exfat",
  "ntfs3",
  "jfs",
  "reiserfs",
];
/** Files that container engines bind from the host's disk: no file systems of their own. */
const BOUND_FILES: ReadonlySet<string> = new Set([
  "/etc/hosts",
  "/etc/hostname",
  "/etc/resolv.conf",
  "/dev/termination-log",
]);

/** Types that need a block device, by /proc/filesystems: a line without "nodev". */
function blockTypes(text: string | undefined): readonly string[] {
  if (text === undefined) return USUAL_TYPES;
  return wholeLines(text).filter((line) => line.startsWith("\t")).map((line) => line.trim());
}

/** One answer for each mount: may it be asked at all. */
function typeRule(host: Host, rules: MountRules): (mount: Mount) => boolean {
  const isIncluded = matcher(rules.filesystemTypes ?? []);
  const isExcluded = matcher(rules.filesystemExclude ?? []);
  let types = new Set<string>([...REAL_TYPES, ...blockTypes(host.read("/proc/filesystems"))]);
  if (types.size === REAL_TYPES.length) types = new Set([...REAL_TYPES, ...USUAL_TYPES]);
  return (mount) => {
    if ([mount.mountPoint, mount.source, mount.type].some(isExcluded)) return false;
    if (isIncluded(mount.type)) return true;
    if (mount.type === "overlay") return mount.mountPoint === "/";
    if (mount.root !== "/" && BOUND_FILES.has(mount.mountPoint)) return false;
    // A module loaded later is not in the list read at start; a device node as source tells it as well.
    const isBlock = types.has(mount.type) ||
      mount.source.startsWith("/dev/") && !mount.type.startsWith("fuse");
    return isBlock && !LEFT_OUT_TYPES.has(mount.type);
  };
}

/** Better to report of two mounts of one file system: the whole of it, then the shorter path. */
function isBetter(mount: Mount, than: Mount): boolean {
  // All mounts of a btrfs show the same space; the subvolume at "/" is the one people look for.
  const isWhole = (one: Mount) => one.root === "/" || one.type === "btrfs";
  if (isWhole(mount) !== isWhole(than)) return isWhole(mount);
  return mount.mountPoint.length < than.mountPoint.length;
}

/** One mount per file system. */
function distinct(mounts: readonly Mount[]): Mount[] {
  const chosen = new Map<string, Mount>();
  for (const mount of mounts) {
    const key = mount.type === "btrfs" ? mount.source : mount.device;
    const other = chosen.get(key);
    if (other === undefined || isBetter(mount, other)) chosen.set(key, mount);
  }
  return [...chosen.values()];
}

/** A container's own table shows the host below a prefix: take only that, under the host's own paths. */
function withoutPrefix(mounts: readonly Mount[], prefix: string): Mount[] {
  const below = mounts.filter(({ mountPoint }) =>
    mountPoint === prefix || mountPoint.startsWith(prefix + "/")
  );
  if (below.length === 0) return [...mounts];
  return below.map((mount) => ({ ...mount, mountPoint: mount.mountPoint.slice(prefix.length) || "/" }));
}

/** Why a mount cannot be asked under its path for us, or undefined when it can. */
function obstacle(
  mount: Mount,
  { path, own }: { readonly path: string; readonly own: ReadonlyMap<string, Mount> | undefined },
): string | undefined {
  if (mount.mountPoint.includes("\uFFFD")) {
    return "the mount point is not UTF-8, so it cannot be asked by name";
  }
  if (own === undefined) return undefined;
  if (coveringMount(own, path)?.device === mount.device) return undefined;
  return "hidden from this process by its own mount namespace";
}

/** Chooses from the text of the host's table and, where our own differs in meaning, from that as well. */
export function chooseMounts(
  [hostText, ownText]: readonly (string | undefined)[],
  host: Host,
  rules: MountRules,
): MountChoice {
  if (hostText === undefined) return { mounts: [], omitted: [], faults: [] };
  const faults: string[] = [];
  const fault = (message: string): void => void faults.push(message);
  const prefix = rules.rootPrefix ?? "";
  const table = visibleMounts(parseMounts(hostText, fault));
  const named = prefix === "" ? table : withoutPrefix(table, prefix);
  const candidates = distinct(named.filter(typeRule(host, rules)));
  const own = ownText === undefined
    ? undefined
    : new Map(visibleMounts(parseMounts(ownText, fault)).map((mount) => [mount.mountPoint, mount]));

  const mounts: Mount[] = [];
  const omitted: Omission[] = [];
  for (const mount of candidates) {
    const why = obstacle(mount, { path: (prefix + mount.mountPoint).replace(/(.)\/$/, "$1"), own });
    if (why !== undefined) omitted.push({ what: mount.mountPoint, why });
    else if (mounts.length < MOUNTS_MAX) mounts.push(mount);
  }
  const left = candidates.length - omitted.length - mounts.length;
  if (left > 0) {
    omitted.push({ what: "filesystem", why: `${left} mounts above the limit of ${MOUNTS_MAX}` });
  }
  // More faults than this say nothing new; the count of the first is enough to look for the cause.
  return { mounts, omitted, faults: faults.slice(0, 3) };
}
