/**
 * The series of `emit` and `exec`, remembered in the state directory by whoever holds its lock: the running agent for
 * its life, else one short-lived process after another (design 8). Two files are written in turn, each with a CRC, so
 * that a crash costs the last write at most; both stay open, so that they can be written after the drop.
 * @module
 */
import { sleep } from "../exporters/clock.ts";
import { crc32 } from "../exporters/crc32.ts";
import { isRecord } from "../exporters/json_value.ts";
import type { Measurement } from "../exporters/measurement.ts";
import {
  accumulate,
  type Moment,
  rowFromJson,
  rowToJson,
  seriesName,
  type SeriesRow,
} from "../exporters/series.ts";

/** Series remembered; the one that was measured longest ago makes room and would begin anew. */
const SERIES_MAX = 2_000;
/** Larger files are none of ours. */
const FILE_BYTES_MAX = 32 * 1024 * 1024;
/** How long a short-lived process waits for another. */
const LOCK_MS = 1_000;
const LOCK_EVERY_MS = 10;
const CRC_CHARS = 8;

interface Slots {
  readonly lock: Deno.FsFile;
  readonly files: readonly [Deno.FsFile, Deno.FsFile];
}

interface Stored {
  readonly generation: number;
  readonly rows: readonly SeriesRow[];
}

function readAll(file: Deno.FsFile): Uint8Array {
  const bytes = new Uint8Array(Math.min(file.statSync().size, FILE_BYTES_MAX));
  file.seekSync(0, Deno.SeekMode.Start);
  let at = 0;
  for (let n = file.readSync(bytes); n !== null && n > 0; n = file.readSync(bytes.subarray(at))) at += n;
  return bytes.subarray(0, at);
}

function hexCrc(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(CRC_CHARS, "0");
}

/** What a file holds; undefined when it was never written whole. */
function read(file: Deno.FsFile): Stored | undefined {
  const bytes = readAll(file);
  const body = bytes.subarray(CRC_CHARS + 1);
  if (new TextDecoder().decode(bytes.subarray(0, CRC_CHARS)) !== hexCrc(body)) return undefined;
  const json: unknown = JSON.parse(new TextDecoder().decode(body));
  if (!isRecord(json) || typeof json["generation"] !== "number" || !Array.isArray(json["series"])) {
    return undefined;
  }
  const rows = json["series"].map(rowFromJson).filter((row) => row !== undefined);
  return { generation: json["generation"], rows };
}

function write(file: Deno.FsFile, { generation, rows }: Stored): void {
  const json = JSON.stringify({ generation, series: rows.map(rowToJson) });
  const body = new TextEncoder().encode(json);
  const bytes = new TextEncoder().encode(`${hexCrc(body)} ${json}`);
  file.truncateSync(0);
  file.seekSync(0, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** Series by name, in the order of their last measurement. */
export class SeriesMemory implements Disposable {
  readonly #slots: Slots | undefined;
  readonly #rows = new Map<string, SeriesRow>();
  #generation = 0;
  /** Why nothing is remembered; undefined when all is well. */
  fault: string | undefined;

  constructor(slots?: Slots) {
    this.#slots = slots;
    const found = slots?.files.flatMap((file) => read(file) ?? []) ?? [];
    const newest = found.sort((a, b) => b.generation - a.generation)[0];
    this.#generation = newest?.generation ?? 0;
    for (const row of newest?.rows ?? []) this.#rows.set(seriesName(row.series), row);
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Adds measurements, remembers, and gives each one's series as it stands then. */
  record(measurements: readonly Measurement[], moment: Moment): SeriesRow[] {
    const rows = measurements.map((measurement) => {
      const name = seriesName(measurement);
      const row = accumulate(this.#rows.get(name), measurement, moment);
      this.#rows.delete(name);
      this.#rows.set(name, row);
      return row;
    });
    for (const name of this.#rows.keys()) {
      if (this.#rows.size <= SERIES_MAX) break;
      this.#rows.delete(name);
    }
    this.#save();
    return rows;
  }

  [Symbol.dispose](): void {
    for (const file of this.#slots?.files ?? []) file.close();
    this.#slots?.lock.close();
  }

  #save(): void {
    if (this.#slots === undefined) return;
    const generation = ++this.#generation;
    const [even, odd] = this.#slots.files;
    try {
      write(generation % 2 === 0 ? even : odd, { generation, rows: [...this.#rows.values()] });
      this.fault = undefined;
    } catch (error) {
      this.fault = error instanceof Error ? error.message : String(error);
    }
  }
}

async function takeLock(path: string, waitMs: number): Promise<Deno.FsFile | undefined> {
  const lock = Deno.openSync(path, { write: true, create: true, mode: 0o600 });
  for (let waited = 0; !lock.tryLockSync(true); waited += LOCK_EVERY_MS) {
    if (waited >= waitMs) {
      lock.close();
      return undefined;
    }
    await sleep(LOCK_EVERY_MS);
  }
  return lock;
}

/**
 * Opens what is remembered in a state directory. Where that cannot be had the series live as long as this process, and
 * `fault` says why. `waitMs`: for another short-lived process.
 */
export async function openSeriesMemory(
  stateDir: string | undefined,
  { waitMs = LOCK_MS }: { readonly waitMs?: number } = {},
): Promise<SeriesMemory> {
  if (stateDir === undefined) return new SeriesMemory();
  let lock: Deno.FsFile | undefined;
  try {
    lock = await takeLock(`${stateDir}/series.lock`, waitMs);
    if (lock === undefined) return forgetful("another process holds them");
    const open = (name: string) =>
      Deno.openSync(`${stateDir}/${name}`, { read: true, write: true, create: true, mode: 0o600 });
    return new SeriesMemory({ lock, files: [open("series.0"), open("series.1")] });
  } catch (error) {
    // Who can read them after all must not find them locked by a process that cannot.
    lock?.close();
    return forgetful(error instanceof Error ? error.message : String(error));
  }
}

function forgetful(why: string): SeriesMemory {
  const memory = new SeriesMemory();
  memory.fault = why;
  return memory;
}
