/**
 * How much the courier can still take, told to each sender that asks its clients to wait when it is little (the
 * receiver): at once, after every batch of theirs, and when it has changed by more than a tenth.
 * @module
 */
import type { BatchMessage } from "./batch.ts";
import type { FromCourierPort } from "./receiver_messages.ts";

/** A change smaller than this part of what was said last is not worth a message. */
const WORTH_TELLING = 0.1;

interface Sender {
  readonly port: MessagePort;
  /** Highest sequence taken from it. */
  sequence: number;
  /** What it was told last. */
  bytes: number;
}

/** Serves the ports of other senders. */
export class Room {
  readonly #free: () => number;
  readonly #senders: Sender[] = [];

  /** `free`: bytes that fit into queue and spool now. */
  constructor(free: () => number) {
    this.#free = free;
  }

  /** Takes batches from a port for good. */
  attach(port: MessagePort, accept: (message: BatchMessage) => Promise<void>): void {
    const sender: Sender = { port, sequence: 0, bytes: 0 };
    this.#senders.push(sender);
    port.onmessage = async ({ data }: MessageEvent<BatchMessage>) => {
      // Only what lies in a queue has taken its room.
      await accept(data);
      for (const { sequence } of data.headers) sender.sequence = Math.max(sender.sequence, sequence);
      this.#tell(sender);
    };
    this.#tell(sender);
  }

  /** Something moved: tells those for whom it makes a difference. */
  look(): void {
    const free = this.#free();
    for (const sender of this.#senders) {
      if (Math.abs(free - sender.bytes) > sender.bytes * WORTH_TELLING) this.#tell(sender);
    }
  }

  #tell(sender: Sender): void {
    sender.bytes = this.#free();
    const room: FromCourierPort = { type: "room", bytes: sender.bytes, sequence: sender.sequence };
    sender.port.postMessage(room);
  }
}
