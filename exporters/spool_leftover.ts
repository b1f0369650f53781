/**
 * Where a short-lived process leaves what it could not deliver while another one holds the spool's lock: in the inbox,
 * one file per batch, at its end and not before, so that nothing is delivered twice (design 2).
 * @module
 */
import type { LaneSpool } from "./backlog.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { LaneBatch } from "./queue.ts";
import { writeInbox } from "./spool_inbox.ts";
import { destinationHash, destinationKey } from "./spool_key.ts";

export interface LeftoverOptions {
  /** `STATE/spool`. */
  readonly path: string;
  /** Tells processes apart in file names. */
  readonly writer: string;
}

/** The inbox as a lane's disk: closed until the process ends, then open for writing only. */
export class Leftover {
  readonly #options: LeftoverOptions;
  #isOpen = false;
  #count = 0;
  /** Why a batch could not be left; undefined when all is well. */
  fault: string | undefined;

  constructor(options: LeftoverOptions) {
    this.#options = options;
  }

  /** From now on batches are written. */
  open(): void {
    this.#isOpen = true;
  }

  laneSpool(lane: LaneConfig): LaneSpool {
    return new LeftoverLane((batch) => this.#write(lane, batch));
  }

  async #write(lane: LaneConfig, batch: LaneBatch): Promise<number | undefined> {
    if (!this.#isOpen) return undefined;
    const hash = await destinationHash(destinationKey(lane));
    const number = ++this.#count;
    const name = `${batch.header.firstTimeMs.toString(36)}-${this.#options.writer}-${number}-${hash}`;
    try {
      await writeInbox(this.#options.path, name, batch);
      return number;
    } catch (error) {
      this.fault = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }
}

class LeftoverLane implements LaneSpool {
  readonly #write: (batch: LaneBatch) => Promise<number | undefined>;
  readonly inherited = 0;
  readonly oldestTimeMs = undefined;
  onDrop: LaneSpool["onDrop"] = () => {};
  onAdopt: LaneSpool["onAdopt"] = () => {};
  items = 0;
  batches = 0;
  bytes = 0;

  constructor(write: (batch: LaneBatch) => Promise<number | undefined>) {
    this.#write = write;
  }

  async append(batch: LaneBatch): Promise<number | undefined> {
    const number = await this.#write(batch);
    if (number === undefined) return undefined;
    this.items += batch.header.items;
    this.batches++;
    this.bytes += batch.body.bytes.length;
    return number;
  }

  /** What is left belongs to whoever claims it: it is never read back. */
  head(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  after(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  holds(): boolean {
    return false;
  }

  acknowledge(): Promise<boolean> {
    return Promise.resolve(false);
  }

  quarantine(): Promise<boolean> {
    return Promise.resolve(false);
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }
}
