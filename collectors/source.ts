/**
 * Open kernel files, kept for life: opened once with all permissions, then re-read from the start every cycle.
 * A seq file gives about a page per read, so reading goes on to the end; zero-size files defeat every
 * size-probing read (host-metrics D3, D4). The only file-opening code beside host.ts.
 * @module
 */

/** Longest kernel file read; beyond it the file is treated as unreadable. */
export const SOURCE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Bytes asked for at a time: /proc/sys refuses reads of 4 MiB and more with ENOMEM, whatever the file's size. */
const READ_BYTES_MAX = 256 * 1024;

const decoder = new TextDecoder();
/** One buffer for all sources: reads are synchronous and one after another. Grows by doubling up to the limit. */
let buffer = new Uint8Array(64 * 1024);

/** A kernel file that cannot be opened or read; `reason` is short and stable, fit for `omitted`. */
export class SourceError extends Error {
  readonly reason: string;
  constructor(
    verb: "open" | "read",
    path: string,
    why: { readonly reason: string; readonly cause?: unknown },
  ) {
    super(`Cannot ${verb} "${path}": ${why.reason}`, { cause: why.cause });
    this.name = "SourceError";
    this.reason = why.reason;
  }
}

/** Says in a few stable words why a file operation failed. Kept handles give no error code, only text. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "file does not exist";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/, (open|readfile|read).*$/, "").slice(0, 120);
}

function whyOf(cause: unknown): { reason: string; cause: unknown } {
  return { reason: reasonOf(cause), cause };
}

/** Reads a file from its current position to its end into the shared buffer and decodes it. */
function drain(file: Deno.FsFile, path: string): string {
  let length = 0;
  for (;;) {
    if (length === buffer.length) {
      if (length >= SOURCE_BYTES_MAX) {
        throw new SourceError("read", path, { reason: `longer than ${SOURCE_BYTES_MAX} bytes` });
      }
      const larger = new Uint8Array(buffer.length * 2);
      larger.set(buffer);
      buffer = larger;
    }
    const n = file.readSync(buffer.subarray(length, length + READ_BYTES_MAX));
    if (n === null || n === 0) break;
    length += n;
  }
  return decoder.decode(buffer.subarray(0, length));
}

/** Reads a file once, to its end. Throws `SourceError`. */
export function readFileOnce(path: string): string {
  const file = openFile(path);
  try {
    return drain(file, path);
  } catch (error) {
    throw error instanceof SourceError ? error : new SourceError("read", path, whyOf(error));
  } finally {
    file.close();
  }
}

function openFile(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true });
  } catch (error) {
    throw new SourceError("open", path, whyOf(error));
  }
}

/** One open kernel file. */
export class Source {
  readonly path: string;
  #file: Deno.FsFile;
  #cycle = -1;
  #text = "";
  #busy: Promise<string> | undefined;

  /** Opens the file. Throws `SourceError`. */
  constructor(path: string) {
    this.path = path;
    this.#file = openFile(path);
  }

  /** The file's text now, read at most once per cycle number. Throws `SourceError`. */
  read(cycle: number): string {
    if (this.#cycle === cycle) return this.#text;
    this.#cycle = -1;
    try {
      this.#file.seekSync(0, Deno.SeekMode.Start);
      this.#text = drain(this.#file, this.path);
    } catch (error) {
      throw error instanceof SourceError ? error : new SourceError("read", this.path, whyOf(error));
    }
    this.#cycle = cycle;
    return this.#text;
  }

  /**
   * The file's text, read on the thread pool: for files that may block (sensors). Callers that come while a
   * read hangs share it, so one file never holds more than one thread.
   */
  readAsync(): Promise<string> {
    this.#busy ??= this.#readSlow().finally(() => this.#busy = undefined);
    return this.#busy;
  }

  async #readSlow(): Promise<string> {
    try {
      await this.#file.seek(0, Deno.SeekMode.Start);
      return decoder.decode(await this.#drainSlow());
    } catch (error) {
      throw error instanceof SourceError ? error : new SourceError("read", this.path, whyOf(error));
    }
  }

  /** A table of sockets comes a page at a time, like every seq file: reading goes on to the end here too. */
  async #drainSlow(): Promise<Uint8Array> {
    let bytes = new Uint8Array(4096);
    let length = 0;
    for (;;) {
      const n = await this.#file.read(bytes.subarray(length));
      if (n === null || n === 0) return bytes.subarray(0, length);
      length += n;
      if (length > SOURCE_BYTES_MAX) {
        throw new SourceError("read", this.path, { reason: `longer than ${SOURCE_BYTES_MAX} bytes` });
      }
      if (length === bytes.length) {
        const larger = new Uint8Array(bytes.length * 2);
        larger.set(bytes);
        bytes = larger;
      }
    }
  }

  close(): void {
    this.#file.close();
  }
}

/** All open sources, one per path however many collectors share it. */
export class Sources {
  readonly #open = new Map<string, Source>();
  readonly #missing = new Map<string, string>();

  /** Opens a path, or remembers why it cannot be. */
  open(path: string): Source | undefined {
    const known = this.#open.get(path);
    if (known !== undefined || this.#missing.has(path)) return known;
    try {
      const source = new Source(path);
      this.#open.set(path, source);
      return source;
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.#missing.set(path, error.reason);
      return undefined;
    }
  }

  /** Why a path is not open, or undefined when it is. */
  whyMissing(path: string): string | undefined {
    return this.#missing.get(path);
  }

  /** Paths of every kept file, sorted. */
  get paths(): string[] {
    return [...this.#open.keys()].sort();
  }

  /** Reads every file; true where it worked. */
  readAll(cycle: number): boolean[] {
    return [...this.#open.values()].map((source) => {
      try {
        source.read(cycle);
        return true;
      } catch {
        return false;
      }
    });
  }

  close(): void {
    for (const source of this.#open.values()) source.close();
    this.#open.clear();
  }
}
