/**
 * The ring of poisonous batches: two files of half a MiB, the older overwritten by the newer when that is full.
 * Same record format as the spool, read by `sonde spool ls` and `cat`.
 * @module
 */
import { segmentName, writeAll } from "./spool_files.ts";
import { encodeRecord, encodeSegmentHeader } from "./spool_record.ts";
import type { LaneBatch } from "./queue.ts";

const HALF_BYTES_MAX = 512 * 1024;
/** The ring's folder in the lane's. */
export const DEAD_FOLDER = "dead";

export class DeadRing {
  readonly #folder: string;
  readonly #lane: number;

  constructor(laneFolder: string, lane: number) {
    this.#folder = `${laneFolder}/${DEAD_FOLDER}`;
    this.#lane = lane;
  }

  /** Throws what the disk throws. */
  async append(batch: LaneBatch): Promise<void> {
    const record = encodeRecord(batch.header.sequence, batch);
    await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const newer = `${this.#folder}/${segmentName(2)}`;
    using file = await this.#open(newer, record.length);
    await writeAll(file, record);
    await file.syncData();
  }

  async #open(newer: string, bytes: number): Promise<Deno.FsFile> {
    const file = await Deno.open(newer, { append: true, create: true, mode: 0o600 });
    const { size } = await file.stat();
    if (size > 0 && size + bytes <= HALF_BYTES_MAX) return file;
    if (size > 0) {
      file.close();
      await Deno.rename(newer, `${this.#folder}/${segmentName(1)}`);
      return await this.#open(newer, bytes);
    }
    await writeAll(file, encodeSegmentHeader({ sequence: 2, createdMs: 0, lane: this.#lane }));
    return file;
  }
}
