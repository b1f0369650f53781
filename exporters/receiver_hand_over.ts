/**
 * The receiver's end of the port to the courier, and the only place that posts to it. Flow control by credit: the
 * courier says how many bytes it can take after which batch; what was handed over since is subtracted here, so that the
 * answer is right however late the courier's word comes.
 * @module
 */
import type { BatchHeader, BatchMessage } from "./batch.ts";
import type { ReceiverLane, Room } from "./receiver_messages.ts";

/**
 * Bytes on their way to the courier at most, unless it is one batch alone: what it has room for is mostly disk, and
 * until a batch lies there it is in memory, plain.
 */
const WINDOW_BYTES = 1_048_576;

/** The port's sending side. */
export type BatchPort = (message: BatchMessage, transfer: Transferable[]) => void;

/** A batch but for what each lane's header adds. */
export interface Contents {
  readonly lanes: readonly ReceiverLane[];
  readonly items: number;
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
}

export class HandOver {
  readonly #post: BatchPort;
  #sequence = 0;
  #room: Room = { type: "room", bytes: 0, sequence: 0 };
  /** Batches the courier has not spoken of yet. */
  #unseen: { readonly sequence: number; readonly bytes: number; readonly lanes: number }[] = [];
  #heard = Promise.withResolvers<void>();
  batches = 0;

  constructor(post: BatchPort) {
    this.#post = post;
  }

  /** Bytes the courier can still take, as far as is known. */
  get free(): number {
    return this.#room.bytes - this.#unseen.reduce((total, { bytes, lanes }) => total + bytes * lanes, 0);
  }

  /** Bytes in memory that the courier has not taken yet, as far as is known. */
  get underWay(): number {
    return this.#unseen.reduce((total, { bytes }) => total + bytes, 0);
  }

  /** True when so much may be handed over without waiting for the courier to take what is on its way. */
  fits(bytes: number): boolean {
    const { underWay } = this;
    return underWay === 0 || underWay + bytes <= WINDOW_BYTES;
  }

  /** Resolves when the courier has spoken again, or at `nudge`. */
  get heard(): Promise<void> {
    return this.#heard.promise;
  }

  /** Makes those who wait look at the clock. */
  nudge(): void {
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  /** The courier's word. */
  hear(room: Room): void {
    this.#room = room;
    this.#unseen = this.#unseen.filter((batch) => batch.sequence > room.sequence);
    this.nudge();
  }

  /** Posts a batch; the body is transferred. */
  send(body: Uint8Array<ArrayBuffer>, contents: Contents): void {
    const { items, firstTimeMs, lastTimeMs } = contents;
    const uncompressedBytes = body.length;
    const headers: BatchHeader[] = contents.lanes.map(({ destination, signal, encoding }) => ({
      ...{ destination, signal, encoding, items, firstTimeMs, lastTimeMs, uncompressedBytes },
      sequence: ++this.#sequence,
    }));
    this.#unseen.push({ sequence: this.#sequence, bytes: uncompressedBytes, lanes: headers.length });
    this.batches++;
    this.#post({ type: "batch", origin: "receiver", headers, body, gzipped: false }, [body.buffer]);
  }
}
