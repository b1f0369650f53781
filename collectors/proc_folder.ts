/**
 * The number of processes without walking /proc: the kernel adds it to the link count of the folder itself, which
 * an open handle still tells when nothing can be opened any more (fs/proc/root.c, proc_root_getattr).
 *
 *     links of /proc = 2 + its folders that are no processes + processes
 *
 * A driver that adds a folder to /proc later counts as one process: the price of looking once.
 * @module
 */
import type { FolderState } from "./statfs.ts";

/** Inode of the root of every proc file system; a recorded tree has another one. */
const PROC_ROOT_INODE = 1;
/** A folder counts itself and its parent. */
const OWN_LINKS = 2;

const isProcess = (name: string): boolean => /^\d+$/.test(name);

interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
}

function descriptors(): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      found.set(name, Deno.readLinkSync(`/proc/self/fd/${name}`));
    } catch {
      continue;
    }
  }
  return found;
}

type Fstat = (descriptor: number) => FolderState | undefined;

/** Opens a folder for life and finds the number it is open under. */
function keep(path: string): { readonly file: Deno.FsFile; readonly descriptor: number } {
  const before = descriptors();
  const file = Deno.openSync(path, { read: true });
  const target = Deno.realPathSync(path);
  const own = [...descriptors()].find(([name, to]) => to === target && before.get(name) !== to);
  if (own === undefined) {
    file.close();
    throw new Error(`BUG: "${target}" is open and has no number`);
  }
  return { file, descriptor: Number(own[0]) };
}

/** How many links of /proc are not processes. */
function otherLinks(entries: readonly Entry[]): number {
  return OWN_LINKS + entries.filter(({ name, isDirectory }) => isDirectory && !isProcess(name)).length;
}

/** A folder of /proc kept open, whose state is a count. */
export class ProcFolder {
  readonly #file: Deno.FsFile;
  readonly #count: () => number | undefined;

  private constructor(file: Deno.FsFile, count: () => number | undefined) {
    this.#file = file;
    this.#count = count;
  }

  /** Counts processes; needs all permissions. Undefined where /proc cannot be looked at. A recording's count is fixed. */
  static ofProcesses(path: string, fstat: Fstat): ProcFolder | undefined {
    try {
      const { file, descriptor } = keep(path);
      const entries: Entry[] = [...Deno.readDirSync(path)];
      if (Deno.statSync(path).ino !== PROC_ROOT_INODE) {
        return new ProcFolder(file, () => entries.filter(({ name }) => isProcess(name)).length);
      }
      const others = otherLinks(entries);
      return new ProcFolder(file, () => (fstat(descriptor)?.links ?? 0) - others);
    } catch {
      return undefined;
    }
  }

  /** Counts the files this process has open: the size of /proc/self/fd since Linux 6.2, 0 before. */
  static ofOpenFiles(path: string, fstat: Fstat): ProcFolder | undefined {
    try {
      const { file, descriptor } = keep(path);
      return new ProcFolder(file, () => fstat(descriptor)?.size);
    } catch {
      return undefined;
    }
  }

  /** The count now; undefined where the kernel does not tell. */
  count(): number | undefined {
    const count = this.#count();
    return count !== undefined && count > 0 ? count : undefined;
  }

  close(): void {
    this.#file.close();
  }
}
