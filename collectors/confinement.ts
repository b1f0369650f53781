/**
 * What this process is kept from seeing of its host: folders that a service manager covers, files that a container
 * engine makes up, and namespaces that show a container only (host-metrics P21). It is said instead of measured.
 *
 *     /proc/self/mountinfo: 51 36 0:44 / /home rw,nosuid - tmpfs tmpfs rw,size=0k
 * @module
 */
import { isContainer } from "./cgroup.ts";
import type { Host } from "./collector.ts";
import type { Omission } from "./metric.ts";
import { type Mount, parseMounts, visibleMounts } from "./mountinfo.ts";

/** Folders that systemd's ProtectHome= and its like cover with an empty file system. */
const COVERED = ["/home", "/root", "/run/user"] as const;

/** Files of the kernel that lxcfs makes up from a container's limits. */
const MADE_UP = "fuse.lxcfs";

function mountsOf(text: string | undefined): Mount[] {
  return text === undefined ? [] : visibleMounts(parseMounts(text, () => {}));
}

function coveredFolders(own: readonly Mount[], hosts: readonly Mount[]): Omission[] {
  return own.flatMap(({ mountPoint, type, device }) => {
    const isCover = type === "tmpfs" && COVERED.some((folder) => folder === mountPoint);
    const isHosts = hosts.some((mount) => mount.mountPoint === mountPoint && mount.device === device);
    return isCover && !isHosts
      ? [{ what: mountPoint, why: "covered by an empty tmpfs in this process's mount namespace" }]
      : [];
  });
}

function madeUpFiles(own: readonly Mount[]): Omission[] {
  return own.filter(({ type, mountPoint }) => type === MADE_UP && mountPoint.startsWith("/proc/"))
    .map(({ mountPoint }) => ({
      what: `${mountPoint} of the host`,
      why: "lxcfs shows the container's own figures there",
    }));
}

const IN_CONTAINER =
  "this is a container that sees its own only; mount the host's root and name it in SONDE_ROOT";
const OF_HOST = ["system.network.*", "system.filesystem.*", "host.name"] as const;

/** Everything that can be told at start to be hidden from this process; nothing for a host's root or a recording. */
export function confinement(host: Host): Omission[] {
  if (host.isForeign) return [];
  const own = mountsOf(host.read("/proc/self/mountinfo"));
  const hosts = mountsOf(host.read("/proc/1/mountinfo"));
  const isInside = isContainer(host);
  return [
    // Inside a container process 1 is the container's: its table is no host's.
    ...(isInside ? [] : coveredFolders(own, hosts)),
    ...madeUpFiles(own),
    ...(isInside ? OF_HOST.map((what) => ({ what: `${what} of the host`, why: IN_CONTAINER })) : []),
  ];
}
