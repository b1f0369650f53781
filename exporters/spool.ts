/**
 * The spool of a process: its lock, a folder per destination and signal, the inbox. Opening never fails: what cannot
 * be used is told, and the lanes live in memory (otlp 4.5; design 2 "One agent owns a state directory").
 * @module
 */
import { laneKey, type Signal } from "./batch.ts";
import type { Clock } from "./clock.ts";
import type { LaneBaseline, LogRecord } from "./messages.ts";
import { SpoolDisk } from "./spool_disk.ts";
import { removeIfThere, writeFileAside } from "./spool_files.ts";
import { removeForeign } from "./spool_foreign.ts";
import { INBOX_FOLDER, inboxHash, readInbox } from "./spool_inbox.ts";
import {
  DESTINATION_FILE,
  destinationHash,
  destinationKey,
  LOCK_FILE,
  type SpoolLaneKey,
} from "./spool_key.ts";
import { type LaneFolder, laneFolders, laneNumber, listFolder } from "./spool_list.ts";
import { SpoolLane } from "./spool_lane.ts";

export interface SpoolOptions {
  /** `STATE/spool`. */
  readonly path: string;
  readonly bytesMax: number;
  readonly lanes: readonly SpoolLaneKey[];
  readonly clock: Clock;
  readonly log: (record: LogRecord) => void;
}

const INBOX_EVERY_MS = 5_000;
const FOREIGN_EVERY_MS = 3_600_000;
/** Older data is of no use to most backends (otlp M19). */
const FOREIGN_AGE_MS = 48 * 3_600_000;

/** The courier's disk. */
export class Spool {
  /** What opening found. */
  readonly notes: LogRecord[] = [];
  readonly #options: SpoolOptions;
  readonly #disk: SpoolDisk;
  readonly #lanes = new Map<string, SpoolLane>();
  readonly #closing = new AbortController();
  #lock: Deno.FsFile | undefined;
  #unusable: string | undefined;
  #isHeldElsewhere = false;
  #claiming: Promise<number> = Promise.resolve(0);
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#disk = new SpoolDisk(options);
  }

  /** Why nothing is kept on disk; undefined when all is well. */
  get fault(): string | undefined {
    return this.#unusable ?? this.#disk.fault;
  }

  /** Bytes that fit before the oldest have to go. */
  get freeBytes(): number {
    return this.#unusable === undefined ? this.#disk.freeBytes : 0;
  }

  /** What is free on the filesystem: the spool gives way before others run out. */
  roomIs(room: { readonly freeBytes: number; readonly totalBytes: number }): void {
    this.#disk.roomIs(room);
  }

  /** True when another process holds the lock. */
  get isHeldElsewhere(): boolean {
    return this.#isHeldElsewhere;
  }

  /** True when no disk operation is under way. */
  get isIdle(): boolean {
    return this.#disk.isIdle;
  }

  /** Where the delta lanes go on. */
  get baselines(): LaneBaseline[] {
    return [...this.#lanes.values()].flatMap(({ baseline, place: { destination, signal } }) =>
      baseline === undefined ? [] : [{ destination, signal, baseline }]
    );
  }

  /** The lane's disk; undefined when the spool cannot be used. */
  laneSpool({ destination, signal }: { destination: string; signal: Signal }): SpoolLane | undefined {
    return this.#lanes.get(laneKey({ destination, signal }));
  }

  async open(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      this.#unusable = error instanceof Error ? error.message : String(error);
      this.#note("error", "spool unusable, keeping data in memory", { fault: this.#unusable });
    }
  }

  /** Removes what waits for endpoints that are not configured now and has grown too old. */
  async removeForeign(): Promise<void> {
    const { path, clock, log } = this.#options;
    const own = new Set([...this.#lanes.values()].map(({ place }) => place.folder));
    try {
      for (const gone of await removeForeign(path, own, { nowMs: clock.wall(), maxAgeMs: FOREIGN_AGE_MS })) {
        log({ level: "warn", event: "removed the old spool of another endpoint", fields: { ...gone } });
      }
    } catch (error) {
      this.#disk.failed(error);
    }
  }

  /** Claims what other processes hand in, now and every 5 s until the spool is closed, and tidies up once an hour. */
  watchInbox(): void {
    if (this.#unusable !== undefined) return;
    const { clock } = this.#options;
    const watch = async () => {
      let foreignMs = -Infinity;
      while (!this.#closing.signal.aborted) {
        await this.claimInbox();
        if (clock.mono() - foreignMs >= FOREIGN_EVERY_MS) {
          foreignMs = clock.mono();
          await this.removeForeign();
        }
        await clock.sleep(INBOX_EVERY_MS, this.#closing.signal);
      }
    };
    this.#sweeping = watch();
  }

  /** Moves the inbox's batches into their lanes' spools, one sweep at a time; gives how many. Never rejects. */
  claimInbox(): Promise<number> {
    if (this.#unusable !== undefined) return Promise.resolve(0);
    return this.#claiming = this.#claiming.then(() => this.#claim());
  }

  async #claim(): Promise<number> {
    let count = 0;
    try {
      for (const { path, batch } of await readInbox(this.#options.path, (name) => this.#isOurs(name))) {
        if (batch === undefined) {
          await Deno.rename(path, `${path}.bad`);
          this.#options.log({ level: "warn", event: "damaged batch in the spool's inbox", fields: { path } });
          continue;
        }
        // A batch for a destination that is not configured now waits until it is.
        if (!await this.laneSpool(batch.header)?.adopt(batch)) continue;
        await removeIfThere(path);
        count++;
      }
    } catch (error) {
      this.#disk.failed(error);
    }
    return count;
  }

  /** Drops queued batches that end before `cutoffMs`, in every lane that is open; returns how many. */
  async dropOlder(cutoffMs: number): Promise<number> {
    let count = 0;
    for (const lane of this.#lanes.values()) count += await lane.dropOlder(cutoffMs);
    return count;
  }

  /**
   * Moves what waits under another endpoint's folder (its name, or the first characters of it) to the lanes of
   * `destination`; returns how many batches. What cannot be written stays where it is. Throws a RangeError unless exactly
   * one folder begins so.
   */
  async adopt(hash: string, destination: string): Promise<number> {
    const own = new Set([...this.#lanes.values()].map(({ place }) => place.folder));
    const folders = (await laneFolders(this.#options.path)).filter((folder) => folder.hash.startsWith(hash));
    const names = new Set(folders.map((folder) => folder.hash));
    if (names.size !== 1 || folders.some(({ path }) => own.has(path))) {
      throw new RangeError(
        `Cannot adopt "${hash}": ${names.size} folders match, expected one of another endpoint`,
      );
    }
    let count = 0;
    for (const folder of folders) count += await this.#adoptFolder(folder, destination);
    return count;
  }

  /** Syncs and closes every file and gives the lock back. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#sweeping;
    for (const lane of this.#lanes.values()) await lane.close();
    this.#disk.close();
    this.#lock?.close();
    this.#lock = undefined;
  }

  async #open(): Promise<void> {
    const { path, lanes } = this.#options;
    await Deno.mkdir(`${path}/${INBOX_FOLDER}`, { recursive: true, mode: 0o700 });
    this.#lock = await Deno.open(`${path}/${LOCK_FILE}`, { write: true, create: true, mode: 0o600 });
    if (!await this.#lock.tryLock(true)) {
      this.#lock.close();
      this.#lock = undefined;
      this.#isHeldElsewhere = true;
      throw new Error(`Cannot lock "${path}": another process holds it`);
    }
    for (const lane of lanes) await this.#openLane(lane);
  }

  async #openLane(lane: SpoolLaneKey): Promise<void> {
    const key = destinationKey(lane);
    const hash = await destinationHash(key);
    const { destination, signal } = lane;
    const folder = `${this.#options.path}/${hash}`;
    const place = {
      folder: `${folder}/${signal}`,
      destination,
      signal,
      lane: laneNumber(hash, signal),
    };
    const opened = await SpoolLane.open(place, { disk: this.#disk, clock: this.#options.clock });
    this.#lanes.set(laneKey(lane), opened);
    const described = writeFileAside(folder, DESTINATION_FILE, new TextEncoder().encode(JSON.stringify(key)));
    // Only people miss it: a disk that is full now may have room for batches later.
    await described.catch((error) => this.#disk.failed(error));
    for (const what of opened.damage) this.#note("warn", "spool damage", { destination, signal, what });
  }

  async #adoptFolder(folder: LaneFolder, destination: string): Promise<number> {
    const lane = this.laneSpool({ destination, signal: folder.signal });
    if (lane === undefined) return 0;
    let count = 0;
    for await (const { batch } of listFolder(folder, "queued")) {
      if (batch === undefined) continue;
      if (!await lane.adopt(batch)) return count;
      count++;
    }
    await lane.sync();
    await Deno.remove(folder.path, { recursive: true });
    return count;
  }

  /** A name that ends with an endpoint's hash is for that endpoint only. */
  #isOurs(name: string): boolean {
    const hash = inboxHash(name);
    return hash === undefined ||
      [...this.#lanes.values()].some(({ place }) => place.folder.includes(`/${hash}/`));
  }

  #note(level: LogRecord["level"], event: string, fields: Record<string, string>): void {
    this.notes.push({ level, event, fields });
  }
}

/** Opens the spool under `path`, taking its lock. Never rejects: look at `fault`. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const spool = new Spool(options);
  await spool.open();
  return spool;
}
