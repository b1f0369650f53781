/**
 * The segment that is written to: rotated by size and time, durable in name before its first record, never left
 * with a partial record by a failed write (otlp 4.5 "Append", "Rotate").
 * @module
 */
import type { Clock } from "./clock.ts";
import { removeIfThere, segmentName, syncFolder, writeAll } from "./spool_files.ts";
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES } from "./spool_record.ts";
import type { Segment } from "./spool_recover.ts";

export interface SegmentWriterOptions {
  readonly folder: string;
  /** CRC of the lane's key. */
  readonly lane: number;
  readonly clock: Clock;
  readonly segmentBytes: number;
  readonly nextSegment: number;
  /** A new segment was begun. */
  readonly opened: (segment: Segment) => void;
}

/** A segment is sealed after this time, so that age never waits for size. */
const SEAL_AFTER_MS = 5 * 60_000;

interface OpenSegment {
  readonly segment: Segment;
  readonly file: Deno.FsFile;
  readonly openedMs: number;
}

export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #open: OpenSegment | undefined;
  #nextSegment: number;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
    this.#nextSegment = options.nextSegment;
  }

  /** The open segment; undefined before the first record and after a seal. */
  get segment(): Segment | undefined {
    return this.#open?.segment;
  }

  /** Writes the record, to a new segment when the open one is full or old. Throws what the disk throws. */
  async append(record: Uint8Array): Promise<Segment> {
    const { file, segment } = await this.#current(record.length);
    try {
      await file.seek(segment.bytes, Deno.SeekMode.Start);
      await writeAll(file, record);
    } catch (error) {
      // Where even this fails the file is of a disk that is no more, or not to be written; what is behind the last whole
      // record is found when the segment is read.
      await file.truncate(segment.bytes).catch(() => this.#abandon());
      throw error;
    }
    segment.bytes += record.length;
    return segment;
  }

  async sync(): Promise<void> {
    await this.#open?.file.syncData();
  }

  /** The open segment becomes immutable. */
  async seal(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    try {
      await open.file.syncData();
    } finally {
      open.file.close();
    }
  }

  #abandon(): void {
    this.#open?.file.close();
    this.#open = undefined;
  }

  async #current(bytes: number): Promise<OpenSegment> {
    const open = this.#open;
    const now = this.#options.clock.mono();
    if (open !== undefined) {
      const used = open.segment.bytes;
      const isFull = used + bytes > this.#options.segmentBytes && used > SEGMENT_HEADER_BYTES;
      if (!isFull && now - open.openedMs < SEAL_AFTER_MS) return open;
      await this.seal();
    }
    return this.#open = { ...await this.#begin(), openedMs: now };
  }

  async #begin(): Promise<{ segment: Segment; file: Deno.FsFile }> {
    const { folder, lane, clock, opened } = this.#options;
    const sequence = this.#nextSegment++;
    const path = `${folder}/${segmentName(sequence)}`;
    const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    try {
      await writeAll(file, encodeSegmentHeader({ sequence, createdMs: clock.wall(), lane }));
      await file.sync();
      await syncFolder(folder);
    } catch (error) {
      file.close();
      await removeIfThere(path).catch(() => undefined);
      throw error;
    }
    const segment = { sequence, path, bytes: SEGMENT_HEADER_BYTES, lastSequence: 0, items: 0, batches: 0 };
    opened(segment);
    return { segment, file };
  }
}
