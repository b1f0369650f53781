/**
 * The structural check of a received request: one walk over the protobuf wire format, nothing decoded into
 * objects. Every length in bounds, known fields with their wire types, text that is UTF-8 (a parser that checks it
 * refuses the whole batch, with what others sent), items counted, times found. Hot path: one byte table lookup per
 * field and no call per string; the UTF-8 check is one native pass over a copy with all that is no text blanked.
 * @module
 */
import type { Signal } from "./batch.ts";
import {
  BYTES_VALUE,
  FIXED32_VALUE,
  FIXED64_VALUE,
  KEY_VALUE,
  LAYOUTS,
  MESSAGE,
  MISMATCH,
  PACKED64_VALUE,
  PACKED_VARINT_VALUE,
  REQUESTS,
  STRING_VALUE,
  TEMPORALITY_VALUE,
  TIME_VALUE,
  UNKNOWN,
  VARINT_VALUE,
} from "./received_layout.ts";

/** What a request holds, as far as its header and the rows need to know. */
export interface Tally {
  /** Data points, spans or log records. */
  readonly items: number;
  /** Milliseconds since 1970; undefined when no item has a time. */
  readonly firstTimeMs?: number;
  readonly lastTimeMs?: number;
  readonly hasDelta: boolean;
  readonly hasCumulative: boolean;
}

/** Messages inside messages; protobuf's own parsers stop here too. */
const DEPTH_MAX = 100;
/** Text is checked in pieces of this size, so that a large body does not become a large string. */
const TEXT_PIECE = 65_536;

const DELTA = 1;
const CUMULATIVE = 2;

/** Walks a request once. Throws `SyntaxError` when the bytes are no such request. */
export function scanRequest(bytes: Uint8Array, signal: Signal): Tally {
  return new Scan(bytes).run(signal);
}

class Scan {
  readonly #bytes: Uint8Array;
  /** A copy in which everything but text is blanked. */
  readonly #text: Uint8Array;
  readonly #view: DataView;
  /** Where the last slow varint ended. */
  #next = 0;
  #firstNs = Infinity;
  #lastNs = 0;
  #temporalities = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#text = bytes.slice();
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  run(signal: Signal): Tally {
    const items = this.#walk(signal);
    checkText(this.#text);
    const times = this.#lastNs === 0
      ? {}
      : { firstTimeMs: Math.floor(this.#firstNs / 1e6), lastTimeMs: Math.floor(this.#lastNs / 1e6) };
    return {
      items,
      ...times,
      hasDelta: (this.#temporalities & 1 << DELTA) !== 0,
      hasCumulative: (this.#temporalities & 1 << CUMULATIVE) !== 0,
    };
  }

  /** Items inside. The stack is two arrays: a call per message would double the cost. */
  #walk(signal: Signal): number {
    const bytes = this.#bytes;
    const ends: number[] = [];
    const outer: Uint8Array[] = [];
    let { actions } = REQUESTS[signal];
    let end = bytes.length;
    let at = 0;
    let items = 0;
    for (;;) {
      while (at === end) {
        const above = outer.pop();
        if (above === undefined) return items;
        actions = above;
        end = ends.pop() ?? 0;
      }
      let key = bytes[at++] ?? 0;
      if (key > 127) {
        key = this.#varint(at - 1, end);
        at = this.#next;
      }
      const action = actions[key] ?? UNKNOWN;
      if (action === VARINT_VALUE && at < end && (bytes[at] ?? 0) < 128) {
        at++;
        continue;
      }
      if (action < STRING_VALUE || action > BYTES_VALUE && action < MESSAGE) {
        at = action === UNKNOWN ? this.#unknown(key, at, end) : this.#value(action, at, end);
        continue;
      }
      let size = bytes[at++] ?? 0;
      if (size > 127) {
        size = this.#varint(at - 1, end);
        at = this.#next;
      }
      const stop = at + size;
      if (stop > end) throw failure(at, "a field past the end", "a whole message");
      if (action === STRING_VALUE) {
        at = stop;
      } else if (action === BYTES_VALUE) {
        this.#text.fill(0, at, stop);
        at = stop;
      } else if (action === KEY_VALUE && this.#isTextAttribute(at, stop)) {
        at = stop;
      } else {
        const layout = LAYOUTS[action - MESSAGE];
        if (layout === undefined) throw new TypeError(`BUG: no layout ${action - MESSAGE}`);
        if (layout.isItem) items++;
        if (outer.length === DEPTH_MAX) throw failure(at, "a deeper message", `at most ${DEPTH_MAX} levels`);
        outer.push(actions);
        ends.push(end);
        actions = layout.actions;
        end = stop;
      }
    }
  }

  /**
   * True for the form most attributes have, a short key and a short string, in this order, their lengths in one byte: such a
   * message is passed in one step. Nothing in it needs blanking.
   */
  #isTextAttribute(at: number, stop: number): boolean {
    const bytes = this.#bytes;
    const keySize = bytes[at + 1] ?? 128;
    const value = at + 2 + keySize;
    const size = bytes[value + 3] ?? 128;
    return keySize < 128 && size < 126 && bytes[at] === 0x0a && bytes[value] === 0x12 &&
      bytes[value + 1] === size + 2 && bytes[value + 2] === 0x0a && value + 4 + size === stop;
  }

  /** One past a value that is neither text nor a message. */
  #value(action: number, at: number, end: number): number {
    switch (action) {
      case TIME_VALUE:
        this.#time(at, end);
        return this.#blank(at, at + 8, end);
      case FIXED64_VALUE:
        return this.#blank(at, at + 8, end);
      case FIXED32_VALUE:
        return this.#blank(at, at + 4, end);
      case TEMPORALITY_VALUE:
        this.#temporalities |= 1 << Math.min(this.#varint(at, end), 30);
        return this.#next;
      case PACKED64_VALUE:
      case PACKED_VARINT_VALUE:
        return this.#packed(action, at, end);
      case MISMATCH:
        throw failure(at, "a known field of another wire type", "the type of that field");
      default:
        this.#varint(at, end);
        return this.#next;
    }
  }

  #unknown(key: number, at: number, end: number): number {
    if (key < 8 || key > 0xffff_ffff) throw failure(at, "no field number", "one from 1 to 2^29 - 1");
    switch (key % 8) {
      case 0:
        this.#varint(at, end);
        return this.#next;
      case 1:
        return this.#blank(at, at + 8, end);
      case 2: {
        const size = this.#varint(at, end);
        return this.#blank(this.#next, this.#next + size, end);
      }
      case 5:
        return this.#blank(at, at + 4, end);
      default:
        throw failure(at, `wire type ${key % 8}`, "0, 1, 2 or 5");
    }
  }

  #packed(action: number, at: number, end: number): number {
    const size = this.#varint(at, end);
    const start = this.#next;
    const stop = this.#blank(start, start + size, end);
    if (action === PACKED64_VALUE) {
      if (size % 8 !== 0) throw failure(at, `${size} bytes of 64-bit numbers`, "a multiple of 8");
    } else {
      for (let position = start; position < stop; position = this.#next) this.#varint(position, stop);
    }
    return stop;
  }

  #time(at: number, end: number): void {
    if (at + 8 > end) return;
    const ns = this.#view.getUint32(at + 4, true) * 4294967296 + this.#view.getUint32(at, true);
    if (ns === 0) return;
    if (ns < this.#firstNs) this.#firstNs = ns;
    if (ns > this.#lastNs) this.#lastNs = ns;
  }

  #blank(at: number, stop: number, end: number): number {
    if (stop > end) throw failure(at, "a field past the end", "a whole message");
    this.#text.fill(0, at, stop);
    return stop;
  }

  /** The varint at `at`, exact below 2^53; leaves the place after it in `#next`. */
  #varint(at: number, end: number): number {
    let value = 0;
    for (let i = 0, unit = 1; i < 10; i++, unit *= 128) {
      const position = at + i;
      if (position >= end) break;
      const byte = this.#bytes[position] ?? 0;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        this.#next = position + 1;
        return value;
      }
      this.#text[position] = 0;
    }
    throw failure(at, "a cut or endless varint", "at most 10 bytes inside the message");
  }
}

function checkText(text: Uint8Array): void {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    for (let at = 0; at < text.length; at += TEXT_PIECE) {
      const isLast = at + TEXT_PIECE >= text.length;
      decoder.decode(text.subarray(at, at + TEXT_PIECE), { stream: !isLast });
    }
  } catch (cause) {
    throw new SyntaxError(`Cannot read request: text that is not UTF-8, expected UTF-8 in every string`, {
      cause,
    });
  }
}

function failure(at: number, found: string, rule: string): SyntaxError {
  return new SyntaxError(`Cannot read request at byte ${at}: ${found}, expected ${rule}`);
}
