/**
 * Configuration's view of files that outlives the permission to look: what was found at the start is remembered, and
 * a reload replays it with the texts that the courier has read anew (design 2).
 * @module
 */
import type { ConfigFiles, FileFacts } from "./files.ts";

/** A file read again, or why it could not be. */
export type Reread =
  | { readonly text: string; readonly facts: FileFacts; readonly fault?: never }
  | { readonly fault: string; readonly text?: never };

/** Files as they are now, beside those a reload asked for and may not read. */
export interface Replay {
  readonly files: ConfigFiles;
  /** Filled while configuration is loaded: paths that were not read at the start. */
  readonly missed: Set<string>;
}

/** Files that remember what was asked of them. */
export class RememberedFiles implements ConfigFiles {
  readonly uid: number;
  readonly folder: string;
  readonly #files: ConfigFiles;
  readonly #facts = new Map<string, FileFacts | undefined>();
  readonly #lists = new Map<string, readonly string[]>();

  constructor(files: ConfigFiles) {
    this.#files = files;
    this.uid = files.uid;
    this.folder = files.folder;
  }

  read(path: string): string {
    return this.#files.read(path);
  }

  facts(path: string): FileFacts | undefined {
    const facts = this.#files.facts(path);
    this.#facts.set(path, facts);
    return facts;
  }

  list(path: string): readonly string[] {
    const names = this.#files.list(path);
    this.#lists.set(path, names);
    return names;
  }

  /** The same files with fresh texts by path; what was not read at the start cannot be read now. */
  replay(fresh: ReadonlyMap<string, Reread>): Replay {
    const missed = new Set<string>();
    const read = (path: string): string => {
      const file = fresh.get(path);
      if (file?.text !== undefined) return file.text;
      if (file === undefined) missed.add(path);
      throw new Error(file?.fault ?? "it was not in use at the start");
    };
    const facts = (path: string): FileFacts | undefined => {
      const file = fresh.get(path);
      return file?.text === undefined ? this.#facts.get(path) : file.facts;
    };
    const list = (path: string): readonly string[] => this.#lists.get(path) ?? [];
    return { missed, files: { read, facts, list, uid: this.uid, folder: this.folder } };
  }
}
