/**
 * A filesystem of its own that fills up quickly, for tests of what a full disk costs. Needs the right to mount.
 * @module
 */
import { assert } from "@std/assert";

/** Runs a program to its end; true when it succeeded. */
export async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output();
    return success;
  } catch {
    return false;
  }
}

/** True when a tmpfs can be mounted here; says so when not. */
export async function canMount(): Promise<boolean> {
  const path = await Deno.makeTempDir();
  const isMounted = Deno.uid() === 0 && await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path);
  if (isMounted) await run("umount", path);
  else await Deno.stderr.write(new TextEncoder().encode("skipped: no right to mount a tmpfs\n"));
  await Deno.remove(path);
  return isMounted;
}

/** Runs `use` on a tmpfs of 2 MiB. */
export function onSmallDisk(use: (path: string) => Promise<void>): Promise<void> {
  return onMemory("2m", use);
}

/** True when a file can be mounted as a disk here. */
export async function canLoop(): Promise<boolean> {
  const isThere = Deno.uid() === 0 && await run("losetup", "-f") && await run("mkfs.ext4", "-V");
  if (!isThere) {
    await Deno.stderr.write(new TextEncoder().encode("skipped: no loop device or no mkfs.ext4\n"));
  }
  return isThere;
}

/** What can be done to a disk under whoever uses it. */
export interface Remounts {
  /** The filesystem becomes read-only under files that are open for writing, as after an error of its journal. */
  readonly readOnly: () => Promise<void>;
  /** The same files again, writable, as after a check and a mount anew. */
  readonly writable: () => Promise<void>;
}

/** Runs `use` on an ext4 that can be remounted. */
export function onRemountedDisk(use: (path: string, remounts: Remounts) => Promise<void>): Promise<void> {
  return onMemory("32m", (under) =>
    onImage(under, (path) =>
      use(path, {
        readOnly: () => abort(path),
        writable: async () => {
          assert(await run("umount", "-l", path));
          assert(await run("cp", "--sparse=always", `${under}/image`, `${under}/checked`));
          assert(await run("mount", "-o", "loop", `${under}/checked`, path));
        },
      })));
}

/**
 * Runs `use` on an ext4 whose disk is a file of another ext4, which `fail` aborts: from then on the kernel answers
 * every write to the disk with EIO, never with what a full disk says, until the filesystem makes itself read-only.
 */
export function onFailingDisk(
  use: (path: string, fail: () => Promise<void>) => Promise<void>,
): Promise<void> {
  return onMemory(
    "32m",
    (memory) => onImage(memory, (under) => onImage(under, (path) => use(path, () => abort(under)))),
  );
}

/** Runs `use` on a tmpfs of `size`; lazily unmounted, since a test that failed has files open. */
async function onMemory(size: string, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir({ prefix: "sonde-disk-" });
  try {
    assert(await run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path));
    try {
      await use(path);
    } finally {
      await run("umount", "-l", path);
    }
  } finally {
    await Deno.remove(path);
  }
}

/** Runs `use` on an ext4 in a file with holes, `image`, of the folder `under`; read-only after its first error. */
async function onImage(under: string, use: (path: string) => Promise<void>): Promise<void> {
  const [image, path] = [`${under}/image`, `${under}/mounted`];
  assert(await run("truncate", "-s", "64M", image));
  assert(await run("mkfs.ext4", "-q", "-F", "-J", "size=4", image));
  await Deno.mkdir(path);
  assert(await run("mount", "-o", "loop,errors=remount-ro", image, path));
  try {
    await use(path);
  } finally {
    await run("umount", "-l", path);
  }
}

async function abort(path: string): Promise<void> {
  assert(await run("mount", "-o", "remount,abort", path));
}
