/**
 * The log file that Heka's `LOG_LOCATION` names: opened for append while that is still allowed, kept under a cap
 * afterwards through the same handle, because nothing can be renamed or opened any more (design 7, heka.md 12).
 * @module
 */

/** What the file may grow to; then its newest half stays. */
export const LOG_BYTES_MAX: number = 10 * 1024 * 1024;

/** An open log file. Writing never throws: a full disk must not stop an agent. */
export class LogFile {
  readonly #file: Deno.FsFile;
  readonly #bytesMax: number;
  #bytes: number;

  /** Opens the file, and makes its folder when it is missing. Throws when that is not possible. */
  constructor(path: string, bytesMax: number = LOG_BYTES_MAX) {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true, mode: 0o750 });
    this.#file = Deno.openSync(path, { read: true, append: true, create: true, mode: 0o640 });
    this.#bytes = this.#file.statSync().size;
    this.#bytesMax = bytesMax;
  }

  write(text: string): void {
    try {
      const bytes = new TextEncoder().encode(text);
      if (this.#bytes + bytes.length > this.#bytesMax) this.#halve();
      this.#append(bytes);
    } catch {
      // The same line went to standard error.
    }
  }

  close(): void {
    this.#file.close();
  }

  #append(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(this.#file.writeSync(rest));
    this.#bytes += bytes.length;
  }

  /** Keeps whole lines of the newer half. */
  #halve(): void {
    const kept = new Uint8Array(Math.min(this.#bytes, Math.floor(this.#bytesMax / 2)));
    this.#file.seekSync(this.#bytes - kept.length, Deno.SeekMode.Start);
    let read = 0;
    for (let count = this.#file.readSync(kept); count; count = this.#file.readSync(kept.subarray(read))) {
      read += count;
    }
    this.#file.truncateSync(0);
    this.#bytes = 0;
    this.#append(kept.subarray(kept.indexOf(0x0a) + 1, read));
  }
}
