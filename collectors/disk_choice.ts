/**
 * Which block devices are disks worth reporting: whole disks, not partitions, no hidden paths of a multipath disk,
 * nothing the operator excludes (host-metrics P19, P20). sysfs is asked once; a name that comes later is judged by
 * whether its parent is there.
 * @module
 */
import type { Host } from "./collector.ts";
import { matcher } from "./glob.ts";

/** Left out unless the operator says otherwise: backed by files or memory, or removable and idle. */
export const DISK_EXCLUDE: readonly string[] = ["loop*", "ram*", "fd*", "sr*", "zram*"];

/** sysfs writes "!" for the "/" in "cciss/c0d0". */
const kernelName = (name: string): string => name.replaceAll("!", "/");

/** "sda1" → "sda", "nvme0n1p2" → "nvme0n1": partitions of names that end in a digit have a "p" before theirs. */
const PARTITION = /^(?:(.*\d)p|(.*[^\d]))\d+$/;

/** Decides about names in /proc/diskstats. */
export class DiskChoice {
  readonly #disks: ReadonlySet<string>;
  readonly #partitions: ReadonlySet<string>;
  readonly #identities = new Map<string, string>();
  #patterns: readonly string[] = DISK_EXCLUDE;
  #isExcluded: (name: string) => boolean = matcher(DISK_EXCLUDE);

  constructor(host: Host) {
    this.#disks = new Set(host.list("/sys/block").map(kernelName));
    const all = host.list("/sys/class/block").map(kernelName);
    this.#partitions = new Set(all.filter((name) => !this.#disks.has(name)));
    for (const name of this.#disks) {
      const sequence = host.read(`/sys/block/${name.replaceAll("/", "!")}/diskseq`)?.trim();
      if (sequence !== undefined) this.#identities.set(name, sequence);
    }
  }

  /** Takes the operator's patterns; cheap while they stay the same list. */
  exclude(patterns: readonly string[]): void {
    if (patterns === this.#patterns) return;
    this.#patterns = patterns;
    this.#isExcluded = matcher(patterns);
  }

  /** True for a disk to report. `has` tells whether a name is in the same reading of diskstats. */
  takes(name: string, major: number, has: (name: string) => boolean): boolean {
    // Major 0 is a hidden path of a multipath disk.
    if (major === 0 || this.#partitions.has(name) || this.#isExcluded(name)) return false;
    return this.#disks.has(name) || !isPartitionName(name, has);
  }

  /** Sequence number of the disk that had this name at start, until it is gone. */
  sequence(name: string): string {
    return this.#identities.get(name) ?? "";
  }

  /** The disk is gone: whatever has its name next is another one. */
  forget(name: string): void {
    this.#identities.delete(name);
  }
}

/** True when the name is a partition's and its disk is there too: "xvda1" alone is a whole disk. */
function isPartitionName(name: string, has: (name: string) => boolean): boolean {
  const [, numbered, plain] = PARTITION.exec(name) ?? [];
  const parent = numbered ?? plain;
  return parent !== undefined && has(parent);
}
