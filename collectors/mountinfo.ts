/**
 * The mount table, and which of its mounts a path really leads to. Kernel: Documentation/filesystems/proc.rst 3.5.
 *
 *     36 27 8:1 /sub /mnt/my\040disk rw,noatime shared:5 master:2 - ext4 /dev/sda1 rw,errors=continue
 *     id parent major:minor root mount-point options [optional fields] - type source superblock-options
 * @module
 */
import { quote, wholeLines } from "./text.ts";

/** One line of the mount table, escapes undone. */
export interface Mount {
  readonly id: string;
  readonly parent: string;
  /** major:minor of the superblock: equal for binds and subvolumes of one file system. */
  readonly device: string;
  /** The part of the file system that is mounted: "/" unless it is a bind or a subvolume. */
  readonly root: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly source: string;
  readonly mode: "ro" | "rw";
}

const decoder = new TextDecoder();

/** Undoes the kernel's octal escapes, once and on bytes, so that an escaped backslash stays one (host-metrics P7). */
export function unescapeOctal(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/(?:\\[0-3][0-7]{2})+/g, (run) => {
    const codes = run.split("\\").slice(1).map((digits) => parseInt(digits, 8));
    return decoder.decode(Uint8Array.from(codes));
  });
}

const isReadOnly = (options: string): boolean => /(^|,)(ro|emergency_ro)(,|$)/.test(options);

/** Parses the table; a line that is no mount is handed to `fault` and skipped. */
export function parseMounts(text: string, fault: (message: string) => void): Mount[] {
  const mounts: Mount[] = [];
  for (const line of wholeLines(text)) {
    const mount = parseMount(line);
    if (mount === undefined) {
      fault(`Cannot parse mount ${quote(line)}: expected at least 10 fields with " - "`);
    } else mounts.push(mount);
  }
  return mounts;
}

function parseMount(line: string): Mount | undefined {
  // The number of optional fields varies; a lone dash ends them (host-metrics P8).
  const separator = line.indexOf(" - ");
  if (separator < 0) return undefined;
  const [id, parent, device, root, mountPoint, options] = line.slice(0, separator).split(" ");
  const [type, source, superOptions] = line.slice(separator + 3).split(" ");
  if (id === undefined || parent === undefined || device === undefined || root === undefined) {
    return undefined;
  }
  if (mountPoint === undefined || options === undefined || type === undefined) return undefined;
  if (source === undefined || superOptions === undefined || !/^\d+:\d+$/.test(device)) return undefined;
  return {
    id,
    parent,
    device,
    root: unescapeOctal(root),
    mountPoint: unescapeOctal(mountPoint),
    type,
    source: unescapeOctal(source),
    mode: isReadOnly(options) || isReadOnly(superOptions) ? "ro" : "rw",
  };
}

/** The folder that holds a path; "/" holds itself. */
function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

/**
 * The mounts that their own mount point leads to. One that is mounted over, or whose path runs through a later
 * mount, cannot be asked: statfs of its path would describe another file system (host-metrics P11).
 */
export function visibleMounts(mounts: readonly Mount[]): Mount[] {
  const byId = new Map(mounts.map((mount) => [mount.id, mount]));
  const last = new Map(mounts.map((mount) => [`${mount.parent} ${mount.mountPoint}`, mount]));
  const known = new Map<Mount, boolean>();

  /** Something else stands on the way to its mount point. */
  const isBuried = (mount: Mount): boolean => {
    if (last.get(`${mount.parent} ${mount.mountPoint}`) !== mount) return true;
    const floor = byId.get(mount.parent)?.mountPoint ?? "/";
    for (let path = mount.mountPoint; path.length > floor.length;) {
      path = folderOf(path);
      const over = last.get(`${mount.parent} ${path}`);
      if (over !== undefined && over !== mount) return true;
    }
    return false;
  };

  const isReachable = (start: Mount): boolean => {
    const chain: Mount[] = [];
    let at: Mount | undefined = start;
    // A damaged table may hold a ring of parents: no mount is looked at twice.
    while (at !== undefined && !known.has(at)) {
      chain.push(at);
      known.set(at, false);
      at = byId.get(at.parent);
    }
    let answer = at === undefined || known.get(at) === true;
    for (const mount of chain.reverse()) {
      answer = answer && !isBuried(mount);
      known.set(mount, answer);
    }
    return answer;
  };
  const isOnTop = (mount: Mount): boolean => !last.has(`${mount.id} ${mount.mountPoint}`);
  return mounts.filter((mount) => isOnTop(mount) && (known.get(mount) ?? isReachable(mount)));
}

/** The mount a path leads to: that of the path itself or of its nearest folder above. */
export function coveringMount(byPath: ReadonlyMap<string, Mount>, path: string): Mount | undefined {
  for (let at = path;; at = folderOf(at)) {
    const mount = byPath.get(at);
    if (mount !== undefined || at === "/") return mount;
  }
}
