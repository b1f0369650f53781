/**
 * What one life of sonde leaves to the next about counters: the boot instant and the counts that boot alone does not
 * explain (design 8), and what a byte budget has been spent on. After the drop no file can be renamed, so two files
 * kept open are written in turn, each with a number and a checksum: a cut write costs that one, and the other still
 * tells.
 * @module
 */

/** Longest record kept; a host with so many replaced devices begins anew. */
const RECORD_BYTES_MAX = 1024 * 1024;

/** The two files of one kind of record. */
export type FilePair = readonly [string, string];
const COUNTERS: FilePair = ["counters.json", "counters.other.json"];
/** The account of a byte budget. */
export const BUDGET_FILES: FilePair = ["budget.json", "budget.other.json"];

const encoder = new TextEncoder();

/** One record as it stands in a file: sequence, checksum, JSON. */
interface Saved {
  readonly sequence: number;
  readonly value: unknown;
}

/** FNV-1a: enough to tell a whole record from a cut one. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, "0");
}

function parse(text: string): Saved | undefined {
  const [, sequence, sum, json = ""] = /^(\d{1,15}) ([0-9a-f]{8}) ([^\n]*)\n/.exec(text) ?? [];
  if (sequence === undefined || checksum(json) !== sum) return undefined;
  try {
    return { sequence: Number(sequence), value: JSON.parse(json) };
  } catch {
    return undefined;
  }
}

function readAll(file: Deno.FsFile): string {
  const { size } = file.statSync();
  if (size > RECORD_BYTES_MAX) return "";
  const bytes = new Uint8Array(size);
  let length = 0;
  for (let n = file.readSync(bytes); n !== null && n > 0; n = file.readSync(bytes.subarray(length))) {
    length += n;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}

/** The two files, open for life. */
export class CountersFile {
  readonly #files: readonly Deno.FsFile[];
  #sequence = 0;
  /** What the life before left; undefined when there is nothing that can be believed. */
  readonly found: unknown;

  private constructor(files: readonly Deno.FsFile[]) {
    this.#files = files;
    const [first, second] = files.map((file) => parse(readAll(file)));
    const newest = (first?.sequence ?? -1) > (second?.sequence ?? -1) ? first : second;
    this.#sequence = newest?.sequence ?? 0;
    this.found = newest?.value;
  }

  /** Opens them in a state directory; needs its permissions. Undefined where that fails. */
  static open(stateDir: string, names: FilePair = COUNTERS): CountersFile | undefined {
    const files: Deno.FsFile[] = [];
    try {
      for (const name of names) {
        const options = { read: true, write: true, create: true, mode: 0o600 };
        files.push(Deno.openSync(`${stateDir}/${name}`, options));
      }
      return new CountersFile(files);
    } catch {
      for (const file of files) file.close();
      return undefined;
    }
  }

  /** Writes a record over the older of the two. False when it could not be kept. */
  save(value: unknown): boolean {
    const json = JSON.stringify(value);
    const sequence = this.#sequence + 1;
    const bytes = encoder.encode(`${sequence} ${checksum(json)} ${json}\n`);
    const file = this.#files[sequence % 2];
    if (file === undefined || bytes.length > RECORD_BYTES_MAX) return false;
    try {
      file.seekSync(0, Deno.SeekMode.Start);
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      file.truncateSync(bytes.length);
    } catch {
      return false;
    }
    this.#sequence = sequence;
    return true;
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}
