/**
 * The bytes of one connection as the HTTP reader wants them: up to the end of a head, a line, or a count. One small
 * buffer per connection; body bytes go past it where they can. Searches with built-ins only (no JIT).
 * @module
 */
import { malformed, RefusedRequest } from "./receiver_refusal.ts";

/** What a connection must offer; `Deno.Conn` does. */
export interface Socket {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** Bytes a request's head may have. */
const HEAD_BYTES_MAX = 8_192;
/** A chunk's size with its extensions, or one trailer. */
const LINE_BYTES_MAX = 1_024;

const CR = 13;
const LF = 10;

/** A buffered reader. Every method rejects when the socket is closed under it. */
export class ByteStream {
  readonly #socket: Socket;
  readonly #buffer = new Uint8Array(HEAD_BYTES_MAX);
  readonly #decoder = new TextDecoder("latin1");
  #start = 0;
  #end = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** True when bytes are here that nobody has read. */
  get hasMore(): boolean {
    return this.#end > this.#start;
  }

  /** Waits for more bytes; false at the end of the stream. */
  async fill(): Promise<boolean> {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    const count = await this.#socket.read(this.#buffer.subarray(this.#end));
    if (count === null || count === 0) return false;
    this.#end += count;
    return true;
  }

  /** A request's head without its empty line; undefined when the stream ends within it. */
  async head(): Promise<string | undefined> {
    while (this.hasMore && (this.#buffer[this.#start] === CR || this.#buffer[this.#start] === LF)) {
      this.#start++;
    }
    let searched = 0;
    for (;;) {
      const at = this.#find(this.#start + searched, 4);
      if (at >= 0) return this.#text(at, 4);
      // The last three bytes may be the beginning of what is sought.
      searched = Math.max(0, this.#end - this.#start - 3);
      if (searched + 3 >= HEAD_BYTES_MAX) {
        throw new RefusedRequest(
          `Cannot read head: it has more than ${HEAD_BYTES_MAX} bytes, expected less`,
          {
            status: 431,
            reason: "head_too_large",
          },
        );
      }
      if (!await this.fill()) return undefined;
    }
  }

  /** A line without its end; undefined when the stream ends within it. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const at = this.#find(this.#start, 2);
      if (at >= 0) return this.#text(at, 2);
      if (this.#end - this.#start > LINE_BYTES_MAX) throw malformed("an endless line", "a chunk size");
      if (!await this.fill()) return undefined;
    }
  }

  /** Fills `target`; false when the stream ends before. */
  async take(target: Uint8Array): Promise<boolean> {
    let have = Math.min(target.length, this.#end - this.#start);
    target.set(this.#buffer.subarray(this.#start, this.#start + have));
    this.#start += have;
    while (have < target.length) {
      const count = await this.#socket.read(target.subarray(have));
      if (count === null || count === 0) return false;
      have += count;
    }
    return true;
  }

  /** Reads and forgets until the stream ends, or `bytesMax` were read. */
  async drain(bytesMax: number): Promise<void> {
    for (let total = this.#end - this.#start; total < bytesMax; total += this.#end) {
      this.#start = 0;
      this.#end = 0;
      if (!await this.fill()) return;
    }
  }

  /** Where CR LF (2) or CR LF CR LF (4) begins at or after `from`; -1 when it is not there yet. */
  #find(from: number, length: 2 | 4): number {
    const buffer = this.#buffer;
    for (let at = from; (at = buffer.indexOf(CR, at)) >= 0 && at + length <= this.#end; at++) {
      if (buffer[at + 1] !== LF) continue;
      if (length === 2 || buffer[at + 2] === CR && buffer[at + 3] === LF) return at;
    }
    return -1;
  }

  #text(end: number, skip: number): string {
    const text = this.#decoder.decode(this.#buffer.subarray(this.#start, end));
    this.#start = end + skip;
    return text;
  }
}
