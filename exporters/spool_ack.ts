/**
 * How far a lane's spool has been delivered: a file of two slots, written in turn and never in one sector, so that a
 * torn write leaves the older slot. Losing it costs duplicates and never data (otlp 4.5).
 * @module
 */
import { crc32 } from "./crc32.ts";

const SLOT_BYTES = 28;
const SLOT_OFFSETS: readonly [number, number] = [0, 4096];

/** All records up to `sequence` are done with. */
export interface Ack {
  readonly generation: number;
  readonly sequence: number;
}

const NOTHING: Ack = { generation: 0, sequence: 0 };

export function encodeAck({ generation, sequence }: Ack): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(generation), true);
  view.setBigUint64(8, BigInt(sequence), true);
  view.setUint32(24, crc32(bytes.subarray(0, 24)), true);
  return bytes;
}

/** The newest valid slot of the file's bytes; a file without one says that nothing was delivered. */
export function decodeAck(bytes: Uint8Array): Ack {
  return SLOT_OFFSETS.map((offset) => decodeSlot(bytes.subarray(offset, offset + SLOT_BYTES)))
    .reduce((newest, slot) => slot.generation > newest.generation ? slot : newest, NOTHING);
}

function decodeSlot(bytes: Uint8Array): Ack {
  if (bytes.length < SLOT_BYTES) return NOTHING;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(24, true) !== crc32(bytes.subarray(0, 24))) return NOTHING;
  return { generation: Number(view.getBigUint64(0, true)), sequence: Number(view.getBigUint64(8, true)) };
}

/** The file's name in the lane's folder. */
export const ACK_FILE = "ack";

/** The file of a lane; opened anew after a fault, since a disk that was mounted anew is not the one it was opened on. */
export class AckFile {
  readonly #path: string;
  #file: Deno.FsFile | undefined;
  #last: Ack;

  private constructor(path: string, file: Deno.FsFile, last: Ack) {
    this.#path = path;
    this.#file = file;
    this.#last = last;
  }

  static async open(folder: string): Promise<AckFile> {
    const path = `${folder}/${ACK_FILE}`;
    const file = await openFile(path);
    return new AckFile(path, file, decodeAck(await Deno.readFile(path)));
  }

  get sequence(): number {
    return this.#last.sequence;
  }

  /** Writes the slot that is not the newest. Throws what the disk throws; the position in memory holds all the same. */
  async advance(sequence: number): Promise<void> {
    this.#last = { generation: this.#last.generation + 1, sequence };
    const bytes = encodeAck(this.#last);
    const file = this.#file ??= await openFile(this.#path);
    await this.#orClose(async () => {
      await file.seek(SLOT_OFFSETS[this.#last.generation % 2 === 0 ? 0 : 1], Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    });
  }

  async sync(): Promise<void> {
    const file = this.#file;
    if (file !== undefined) await this.#orClose(() => file.syncData());
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  async #orClose(operation: () => Promise<void>): Promise<void> {
    try {
      await operation();
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

function openFile(path: string): Promise<Deno.FsFile> {
  return Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
}
