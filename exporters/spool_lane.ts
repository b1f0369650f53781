/**
 * One lane's spool: append at the end, deliver from the front, acknowledge, drop oldest by whole segment. All
 * operations of all lanes run one after another; none rejects (otlp 4.5).
 * @module
 */
import type { DropReason } from "./account.ts";
import type { LaneSpool } from "./backlog.ts";
import type { Clock } from "./clock.ts";
import type { Entry, LaneBatch } from "./queue.ts";
import type { AckFile } from "./spool_ack.ts";
import { Condenser } from "./spool_condense.ts";
import { DeadRing } from "./spool_dead.ts";
import type { SpoolDisk, SpoolTenant } from "./spool_disk.ts";
import { isDiskFull, removeIfThere } from "./spool_files.ts";
import type { SpoolPlace } from "./spool_key.ts";
import { entryOf, readNext, readRecord, type StoredRecord } from "./spool_read.ts";
import { encodeRecord, PAYLOAD_BYTES_MAX, SEGMENT_HEADER_BYTES } from "./spool_record.ts";
import { recoverLane, type Segment } from "./spool_recover.ts";
import { SegmentWriter } from "./spool_writer.ts";

export interface SpoolLaneParts {
  readonly disk: SpoolDisk;
  readonly clock: Clock;
}

/** Room for a delta baseline beside the largest body. */
const BODY_BYTES_MAX = PAYLOAD_BYTES_MAX - 1024 * 1024;

export class SpoolLane implements LaneSpool, SpoolTenant {
  readonly place: SpoolPlace;
  /** The ledger state of the last batch kept by an earlier life. */
  readonly baseline: string | undefined;
  readonly inherited: number;
  /** What recovery found damaged. */
  readonly damage: readonly string[];
  onDrop: (reason: DropReason, items: number) => void = () => {};
  onAdopt: (items: number) => void = () => {};
  onMerge: (items: number) => void = () => {};
  readonly #disk: SpoolDisk;
  readonly #ack: AckFile;
  readonly #segments: Segment[];
  readonly #writer: SegmentWriter;
  readonly #dead: DeadRing;
  #nextSequence: number;
  #hasBaseline: boolean;
  /** Where the oldest undelivered record begins in the first segment. */
  #offset = SEGMENT_HEADER_BYTES;
  #head: StoredRecord | undefined;
  /** Up to here, what was not delivered was dropped. */
  #evicted = 0;
  readonly #condenser: Condenser;

  private constructor(
    place: SpoolPlace,
    parts: SpoolLaneParts,
    recovered: Awaited<ReturnType<typeof recoverLane>>,
  ) {
    this.place = place;
    this.#disk = parts.disk;
    this.#ack = recovered.ack;
    this.#segments = recovered.segments;
    // Of the oldest segment an earlier life may have sent something.
    this.#condenser = new Condenser(place, recovered.segments[0]?.lastSequence ?? 0);
    this.#nextSequence = recovered.nextSequence;
    this.#writer = new SegmentWriter({
      folder: place.folder,
      lane: place.lane,
      clock: parts.clock,
      segmentBytes: parts.disk.segmentBytes,
      nextSegment: recovered.nextSegment,
      opened: (segment) => this.#segments.push(segment),
    });
    this.baseline = recovered.baseline;
    this.#hasBaseline = recovered.baseline !== undefined;
    this.damage = recovered.damage;
    this.inherited = this.items;
    this.#dead = new DeadRing(place.folder, place.lane);
    parts.disk.add(this);
  }

  /** Takes the folder over. Throws what the disk throws. */
  static async open(place: SpoolPlace, parts: SpoolLaneParts): Promise<SpoolLane> {
    return new SpoolLane(place, parts, await recoverLane(place.folder, place.lane));
  }

  get items(): number {
    return this.#segments.reduce((sum, { items }) => sum + items, 0);
  }

  get batches(): number {
    return this.#segments.reduce((sum, { batches }) => sum + batches, 0);
  }

  get fileBytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** File bytes, while something in them is undelivered. */
  get bytes(): number {
    return this.batches === 0 ? 0 : this.fileBytes;
  }

  get oldestTimeMs(): number | undefined {
    return this.#head?.header.firstTimeMs;
  }

  append(batch: LaneBatch): Promise<number | undefined> {
    return this.#guarded(async () => {
      if (!this.#disk.isWritable || batch.body.bytes.length > BODY_BYTES_MAX) return undefined;
      const record = encodeRecord(this.#nextSequence, batch);
      if (!await this.#disk.makeRoom(record.length + SEGMENT_HEADER_BYTES)) return undefined;
      const segment = await this.#write(record);
      if (batch.header.deltaBaseline !== undefined) {
        this.#hasBaseline = true;
        await this.#writer.sync();
      }
      this.#disk.succeeded();
      this.#disk.wrote(this);
      segment.items += batch.header.items;
      segment.batches++;
      return segment.lastSequence = this.#nextSequence++;
    });
  }

  /** Appends a batch that did not come through the lane's memory queue. */
  async adopt(batch: LaneBatch): Promise<boolean> {
    const sequence = await this.append(batch);
    if (sequence === undefined) return false;
    this.onAdopt(batch.header.items);
    return true;
  }

  async head(): Promise<Entry | undefined> {
    return this.#show(await this.#guarded(() => this.#readHead()));
  }

  async after(sequence: number): Promise<Entry | undefined> {
    const found = await this.#guarded(async () => {
      let record = await this.#readHead();
      while (record !== undefined && record.header.sequence <= sequence) {
        record = await readNext(record, this.#segments);
      }
      return record;
    });
    return this.#show(found);
  }

  holds(sequence: number): boolean {
    return sequence > this.#evicted && sequence > this.#ack.sequence;
  }

  async acknowledge(sequence: number): Promise<boolean> {
    return await this.#guarded(async () => {
      const head = await this.#readHead();
      if (head?.header.sequence !== sequence) return false;
      await this.#pass(head);
      return true;
    }) ?? false;
  }

  async quarantine(batch: LaneBatch): Promise<boolean> {
    return await this.#guarded(async () => {
      await this.#dead.append(batch);
      return true;
    }) ?? false;
  }

  async sync(): Promise<void> {
    await this.#guarded(() => this.syncFiles());
  }

  /** Drops what ends before `cutoffMs`; returns the number of batches. */
  async dropOlder(cutoffMs: number): Promise<number> {
    return await this.#guarded(async () => {
      let count = 0;
      for (let head = await this.#readHead(); head !== undefined; head = await this.#readHead()) {
        if (head.header.lastTimeMs >= cutoffMs) break;
        await this.#pass(head);
        this.onDrop("asked", head.header.items);
        count++;
      }
      return count;
    }) ?? 0;
  }

  async syncFiles(): Promise<void> {
    await this.#writer.sync();
    await this.#ack.sync();
  }

  async evict(): Promise<boolean> {
    const open = this.#writer.segment;
    if (this.#hasBaseline && await this.#condenser.condense(this.#segments, open, this.onMerge)) return true;
    if (this.#segments.length === 1) await this.#writer.seal();
    const [segment] = this.#segments;
    if (segment === undefined || segment === this.#writer.segment) return false;
    await removeIfThere(segment.path);
    this.#shift();
    this.#evicted = segment.lastSequence;
    if (segment.items > 0) this.onDrop("spool_full", segment.items);
    return true;
  }

  #show(record: StoredRecord | undefined): Entry | undefined {
    this.#condenser.show(record?.header.sequence ?? 0);
    return entryOf(record, this.place);
  }

  /** Everything is on the platter and every file closed. */
  async close(): Promise<void> {
    await this.#guarded(async () => {
      await this.syncFiles();
      await this.#writer.seal();
      // What is delivered is of no more use, but for the newest baseline.
      if (this.batches === 0 && !this.#hasBaseline) {
        while (this.#segments.length > 0) await this.#removeFirst();
      }
    });
    this.#ack.close();
  }

  /** The oldest undelivered record; steps over damage, counting it. */
  async #readHead(): Promise<StoredRecord | undefined> {
    while (this.#head === undefined) {
      const [segment] = this.#segments;
      if (segment === undefined) return undefined;
      if (segment.batches === 0) {
        if (segment === this.#segments.at(-1)) return undefined;
        await this.#removeFirst();
        continue;
      }
      const found = await readRecord(segment.path, this.#offset);
      if (found.kind === "end") {
        // What was there when the segment was counted is there no more.
        const { items } = segment;
        segment.items = segment.batches = 0;
        this.#offset = segment.bytes;
        this.onDrop("spool_damaged", items);
      } else if (found.header.sequence <= this.#ack.sequence) this.#offset = found.end;
      else if (found.kind === "damaged") {
        this.#forget(found.header.items, found.end);
        this.onDrop("spool_damaged", found.header.items);
      } else this.#head = found;
    }
    return this.#head;
  }

  /** The head is done with: durable first, then counted, in one step with the caller's books. */
  async #pass(head: StoredRecord): Promise<void> {
    await this.#ack.advance(head.header.sequence).catch((error) => this.#disk.failed(error));
    this.#disk.wrote(this);
    const [segment] = this.#segments;
    if (segment?.batches === 1 && segment !== this.#segments.at(-1)) {
      await this.#removeFirst();
    } else this.#forget(head.header.items, head.end);
  }

  #forget(items: number, end: number): void {
    const [segment] = this.#segments;
    if (segment === undefined) return;
    segment.items -= items;
    segment.batches--;
    this.#offset = end;
    this.#head = undefined;
  }

  async #removeFirst(): Promise<void> {
    const [segment] = this.#segments;
    // A file that cannot be removed must not be sent for ever: memory goes on, the next start finds it acknowledged.
    if (segment !== undefined) await removeIfThere(segment.path).catch((error) => this.#disk.failed(error));
    this.#shift();
  }

  #shift(): void {
    this.#segments.shift();
    this.#offset = SEGMENT_HEADER_BYTES;
    this.#head = undefined;
  }

  /** A full disk may have room again once the oldest segment is gone; any other failure is final for now. */
  async #write(record: Uint8Array): Promise<Segment> {
    try {
      return await this.#writer.append(record);
    } catch (error) {
      if (!isDiskFull(error) || !await this.#disk.evictOne()) throw error;
      return await this.#writer.append(record);
    }
  }

  /** In turn with every other lane; a failure becomes the disk's fault and undefined. */
  #guarded<T>(operation: () => Promise<T>): Promise<T | undefined> {
    return this.#disk.serial(operation).catch((error) => {
      this.#disk.failed(error);
      return undefined;
    });
  }
}
