/**
 * What all lanes' spools share: the bound in bytes, one operation at a time, the fault of the disk, fsync on a timer.
 * A fault is never thrown at a producer: the lanes live in memory and the disk is tried again once a minute.
 * @module
 */
import type { Clock } from "./clock.ts";
import type { LogRecord } from "./messages.ts";

/** After a failed write the disk is left alone for so long. */
const RETEST_MS = 60_000;
/** The window that a power cut can cost. */
const SYNC_MS = 200;
const SEGMENT_BYTES_MAX = 1024 * 1024;
const SEGMENT_BYTES_MIN = 4 * 1024;
/** Segments a full spool consists of at least: one is what drop-oldest costs. */
const SEGMENTS_MIN = 16;

/** Free space left to others: 64 MiB, or a twentieth of a small disk. */
const FREE_BYTES_MIN = 64 * 1024 * 1024;
const FREE_PART_MIN = 0.05;

/** A lane's folder, as the disk sees it. */
export interface SpoolTenant {
  readonly fileBytes: number;
  /** Removes the oldest sealed segment; seals the open one when there is no other. False: nothing to give. */
  readonly evict: () => Promise<boolean>;
  readonly syncFiles: () => Promise<void>;
}

export interface DiskOptions {
  readonly bytesMax: number;
  readonly clock: Clock;
  readonly log: (record: LogRecord) => void;
}

export class SpoolDisk {
  readonly segmentBytes: number;
  readonly #options: DiskOptions;
  readonly #tenants: SpoolTenant[] = [];
  readonly #dirty = new Set<SpoolTenant>();
  readonly #closing = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #fault: string | undefined;
  /** Bytes that may still be written before others run short. */
  #room = Infinity;
  #retestMs = 0;
  #saidMs = -Infinity;

  constructor(options: DiskOptions) {
    this.#options = options;
    const share = Math.floor(options.bytesMax / SEGMENTS_MIN);
    this.segmentBytes = Math.max(SEGMENT_BYTES_MIN, Math.min(SEGMENT_BYTES_MAX, share));
  }

  /** Why nothing can be written now; undefined when all is well. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Bytes that fit before the oldest have to go; none while nothing can be written. */
  get freeBytes(): number {
    if (this.#fault !== undefined) return 0;
    return Math.max(0, Math.min(this.#options.bytesMax - this.#used(), this.#room));
  }

  /** True when a write may be tried. */
  get isWritable(): boolean {
    return this.#fault === undefined || this.#options.clock.mono() >= this.#retestMs;
  }

  /** True when no operation is under way. */
  get isIdle(): boolean {
    return this.#pending === 0;
  }

  add(tenant: SpoolTenant): void {
    this.#tenants.push(tenant);
  }

  /** Told from time to time; in between, what is written and removed is counted. */
  roomIs({ freeBytes, totalBytes }: { readonly freeBytes: number; readonly totalBytes: number }): void {
    this.#room = freeBytes - Math.min(FREE_BYTES_MIN, totalBytes * FREE_PART_MIN);
  }

  /** Runs one operation after all earlier ones. */
  serial<T>(operation: () => Promise<T>): Promise<T> {
    this.#pending++;
    const run = this.#last.then(operation).finally(() => this.#pending--);
    this.#last = run.catch(() => undefined);
    return run;
  }

  /** Drops oldest segments, of the lane that holds most, until `bytes` more fit. Only inside `serial`. */
  async makeRoom(bytes: number): Promise<boolean> {
    if (bytes > this.#options.bytesMax) return false;
    while (this.#used() + bytes > this.#options.bytesMax || bytes > this.#room) {
      const before = this.#used();
      if (!await this.evictOne()) {
        if (bytes > this.#room) this.failed(new Error("disk nearly full"));
        return false;
      }
      this.#room += before - this.#used();
    }
    this.#room -= bytes;
    return true;
  }

  /** Drops the oldest segment of the lane that holds most. Only inside `serial`. */
  async evictOne(): Promise<boolean> {
    for (const tenant of this.#tenants.toSorted((a, b) => b.fileBytes - a.fileBytes)) {
      if (await tenant.evict()) return true;
    }
    return false;
  }

  /** The tenant has written: it is on the platter at most 200 ms later. */
  wrote(tenant: SpoolTenant): void {
    if (this.#dirty.size === 0) {
      this.#options.clock.sleep(SYNC_MS, this.#closing.signal).then(() => this.#sync());
    }
    this.#dirty.add(tenant);
  }

  failed(error: unknown): void {
    const now = this.#options.clock.mono();
    const fault = error instanceof Error ? error.message : String(error);
    this.#retestMs = now + RETEST_MS;
    this.#fault = fault;
    if (now - this.#saidMs < RETEST_MS) return;
    this.#saidMs = now;
    this.#options.log({ level: "error", event: "spool unusable, keeping data in memory", fields: { fault } });
  }

  succeeded(): void {
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.#options.log({ level: "info", event: "spool usable again" });
  }

  /** Stops the timer; everything written is synced by the tenants' own closing. */
  close(): void {
    this.#closing.abort();
  }

  #used(): number {
    return this.#tenants.reduce((total, tenant) => total + tenant.fileBytes, 0);
  }

  #sync(): void {
    if (this.#closing.signal.aborted) return;
    const tenants = [...this.#dirty];
    this.#dirty.clear();
    for (const tenant of tenants) this.serial(() => tenant.syncFiles()).catch((error) => this.failed(error));
  }
}
