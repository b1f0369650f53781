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

/** /proc kept open. */
export class ProcFolder {
  readonly #file: Deno.FsFile;
  readonly #count: () => number | undefined;

  private constructor(file: Deno.FsFile, count: () => number | undefined) {
    this.#file = file;
    this.#count = count;
  }

  /** Opens it with all permissions; undefined where it cannot be looked at. A recording's count is fixed. */
  static open(path: string, fstat: (descriptor: number) => FolderState | undefined): ProcFolder | undefined {
    let file: Deno.FsFile | undefined;
    try {
      const before = descriptors();
      file = Deno.openSync(path, { read: true });
      const entries: Entry[] = [...Deno.readDirSync(path)];
      if (Deno.statSync(path).ino !== PROC_ROOT_INODE) {
        const recorded = entries.filter(({ name }) => isProcess(name)).length;
        return new ProcFolder(file, () => recorded || undefined);
      }
      const others = entries.filter(({ name, isDirectory }) => isDirectory && !isProcess(name)).length;
      const target = Deno.realPathSync(path);
      const own = [...descriptors()].find(([name, to]) => to === target && before.get(name) !== to);
      if (own === undefined) throw new Error(`BUG: "${target}" is open and has no number`);
      const descriptor = Number(own[0]);
      return new ProcFolder(file, () => {
        const links = fstat(descriptor)?.links;
        const processes = links === undefined ? 0 : links - OWN_LINKS - others;
        return processes > 0 ? processes : undefined;
      });
    } catch {
      file?.close();
      return undefined;
    }
  }

  /** Processes now, zombies included. */
  processes(): number | undefined {
    return this.#count();
  }

  close(): void {
    this.#file.close();
  }
}
