/**
 * The structural check of a received request: one walk over the protobuf wire format, nothing decoded into
 * objects. Every length in bounds, known fields with their wire types, text that is UTF-8 (a parser that checks it
 * refuses the whole batch, with what others sent), items counted, times found. Hot path: one byte table lookup per
 * field and no call per string; the UTF-8 check is one native pass over a copy with all that is no text blanked.
 * @module
 */
import { isUtf8 } from "node:buffer";
import type { Signal } from "./batch.ts";
import { release } from "./growing_bytes.ts";
import {
  ANY_VALUE,
  BYTES_VALUE,
  CUMULATIVE,
  DELTA,
  FAR,
  FIXED32_VALUE,
  FIXED64_VALUE,
  ITEM,
  KEY_VALUE,
  LAYOUTS,
  MESSAGE,
  PACKED64_VALUE,
  PACKED_VARINT_VALUE,
  REQUESTS,
  STRING_VALUE,
  TEMPORALITY_VALUE,
  TIME_VALUE,
  UNKNOWN,
  VARINT_VALUE,
} from "./received_layout.ts";
import { DEPTH_MAX } from "./wire.ts";

/** What a request holds, as far as its header and the rows need to know. */
export interface Tally {
  /** Data points, spans or log records. */
  readonly items: number;
  /** Of the first and the last item, milliseconds since 1970; undefined when one has no time. */
  readonly firstTimeMs?: number;
  readonly lastTimeMs?: number;
  readonly hasDelta: boolean;
  readonly hasCumulative: boolean;
}

/** Of a `KeyValue`. */
const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
/** Of an `AnyValue`. */
const TEXT_TAG = 0x0a;
const BOOL_TAG = 0x10;
const INT_TAG = 0x18;
const DOUBLE_TAG = 0x21;

/** The usual request's copy is made here, so that it costs no allocation; a larger one gets its own. */
const scratch = new Uint8Array(262_144);

function copyForText(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length > scratch.length) return new Uint8Array(bytes);
  const text = scratch.subarray(0, bytes.length);
  text.set(bytes);
  return text;
}

/** Walks a request once. Throws `SyntaxError` when the bytes are no such request. */
export function scanRequest(bytes: Uint8Array, signal: Signal): Tally {
  const text = copyForText(bytes);
  try {
    return new Scan(bytes, text).run(signal);
  } finally {
    if (text.buffer !== scratch.buffer) release(text);
  }
}

class Scan {
  readonly #bytes: Uint8Array;
  /** A copy in which everything but text is blanked. */
  readonly #text: Uint8Array;
  /** Where the last slow varint ended. */
  #next = 0;
  #firstTimeAt = -1;
  #lastTimeAt = -1;
  #temporalities = 0;

  constructor(bytes: Uint8Array, text: Uint8Array) {
    this.#bytes = bytes;
    this.#text = text;
  }

  run(signal: Signal): Tally {
    const items = this.#walk(signal);
    checkText(this.#text);
    const [first, last] = [this.#timeMs(this.#firstTimeAt), this.#timeMs(this.#lastTimeAt)];
    return {
      items,
      ...(first > 0 && last > 0 && { firstTimeMs: Math.min(first, last), lastTimeMs: Math.max(first, last) }),
      hasDelta: (this.#temporalities & 1 << DELTA) !== 0,
      hasCumulative: (this.#temporalities & 1 << CUMULATIVE) !== 0,
    };
  }

  /**
   * Items inside. A stack of arrays rather than a call per message, and one blanking for all that lies between two
   * texts: without a JIT a call costs as much as several fields.
   */
  #walk(signal: Signal): number {
    const bytes = this.#bytes;
    const text = this.#text;
    const ends: number[] = [];
    const outer: Uint8Array[] = [];
    let actions = REQUESTS[signal];
    let end = bytes.length;
    let [at, depth, items, textEnd] = [0, 0, 0, 0];
    let isDirty = false;
    for (;;) {
      while (at >= end) {
        if (at > end) throw failure(at, "a field past the end", "a whole message");
        if (depth === 0) {
          text.fill(0, textEnd);
          return items;
        }
        actions = outer[--depth] ?? actions;
        end = ends[depth] ?? 0;
      }
      const action = actions[bytes[at] ?? 0] ?? UNKNOWN;
      if (action < STRING_VALUE) {
        if (action === VARINT_VALUE && (bytes[at + 1] ?? 128) < 128) {
          at += 2;
          continue;
        }
        isDirty = true;
        if (action === TIME_VALUE) {
          this.#lastTimeAt = at + 1;
          if (this.#firstTimeAt < 0) this.#firstTimeAt = at + 1;
          at += 9;
        } else if (action === FIXED64_VALUE) at += 9;
        else at = this.#value(actions, at, end);
        continue;
      }
      let size = bytes[at + 1] ?? 0;
      at += 2;
      if (size > 127) {
        size = this.#varint(at - 1, end);
        at = this.#next;
        isDirty = true;
      }
      const stop = at + size;
      if (stop > end) throw failure(at, "a field past the end", "a whole message");
      let textStop = -1;
      if (action === KEY_VALUE) {
        // The form nearly all attributes have: a key and a value, every length in one byte.
        const value = at + 2 + (bytes[at + 1] ?? 0);
        if (size < 128 && bytes[at] === KEY_TAG && bytes[value] === VALUE_TAG) {
          if (value + 2 + (bytes[value + 1] ?? 0) === stop) textStop = valueText(bytes, value + 2, stop);
        }
      } else if (action === STRING_VALUE) textStop = stop;
      else if (action === ANY_VALUE && size < 128) textStop = valueText(bytes, at, stop);
      if (textStop >= 0) {
        if (isDirty) text.fill(0, textEnd, at);
        isDirty = textStop < stop;
        textEnd = textStop;
        at = stop;
      } else if (action === BYTES_VALUE) {
        at = stop;
        isDirty = true;
      } else {
        items += ITEM[action] ?? 0;
        if (depth === DEPTH_MAX) throw failure(at, "a deeper message", `at most ${DEPTH_MAX} levels`);
        outer[depth] = actions;
        ends[depth++] = end;
        actions = LAYOUTS[action - MESSAGE] ?? actions;
        end = stop;
      }
    }
  }

  /** One past a field that is neither text nor bytes nor a message, or that is not known. */
  #value(actions: Uint8Array, at: number, end: number): number {
    const key = this.#varint(at, end);
    const start = this.#next;
    // A tag in more bytes than it needs would be looked up as unknown here and be known to a decoder.
    if (key < 128 && start > at + 1) throw failure(at, "a tag that is too long", "the shortest form");
    switch (actions[key < 128 ? key : FAR + key] ?? UNKNOWN) {
      case FIXED64_VALUE:
        return skipTo(start + 8, end);
      case FIXED32_VALUE:
        return skipTo(start + 4, end);
      case TEMPORALITY_VALUE:
        this.#temporalities |= 1 << Math.min(this.#varint(start, end), 30);
        return this.#next;
      case PACKED64_VALUE:
        return this.#packed(start, end, 8);
      case PACKED_VARINT_VALUE:
        return this.#packed(start, end, 1);
      case VARINT_VALUE:
        this.#varint(start, end);
        return this.#next;
      case UNKNOWN:
        return this.#unknown(key, start, end);
      default:
        throw failure(at, "a known field of another wire type", "the type of that field");
    }
  }

  #unknown(key: number, at: number, end: number): number {
    if (key < 8 || key > 0xffff_ffff) throw failure(at, "no field number", "one from 1 to 2^29 - 1");
    switch (key % 8) {
      case 0:
        this.#varint(at, end);
        return this.#next;
      case 1:
        return skipTo(at + 8, end);
      case 2: {
        const size = this.#varint(at, end);
        return skipTo(this.#next + size, end);
      }
      case 5:
        return skipTo(at + 4, end);
      default:
        throw failure(at, `wire type ${key % 8}`, "0, 1, 2 or 5");
    }
  }

  /** Packed numbers of `width` bytes; 1: varints. */
  #packed(at: number, end: number, width: 1 | 8): number {
    const size = this.#varint(at, end);
    const start = this.#next;
    const stop = skipTo(start + size, end);
    if (size % width !== 0) throw failure(at, `${size} bytes of 64-bit numbers`, "a multiple of 8");
    if (width === 1) {
      for (let position = start; position < stop; position = this.#next) this.#varint(position, stop);
    }
    return stop;
  }

  /** The varint at `at`, exact below 2^53; leaves the place after it in `#next`. */
  #varint(at: number, end: number): number {
    let value = 0;
    for (let i = 0, unit = 1; i < 10 && at + i < end; i++, unit *= 128) {
      const byte = this.#bytes[at + i] ?? 0;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        this.#next = at + i + 1;
        return value;
      }
    }
    throw failure(at, "a cut or endless varint", "at most 10 bytes inside the message");
  }

  /** Milliseconds since 1970 of a time field; 0 when there is none. */
  #timeMs(at: number): number {
    if (at < 0) return 0;
    const bytes = this.#bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
    return Math.floor((view.getUint32(4, true) * 4294967296 + view.getUint32(0, true)) / 1e6);
  }
}

/**
 * The end of the text in an `AnyValue` of few bytes: all of it, or none when it is a number that is no ASCII; -1 for
 * any other form. All that is passed is checked.
 */
function valueText(bytes: Uint8Array, at: number, stop: number): number {
  const tag = bytes[at];
  const first = bytes[at + 1] ?? 128;
  if (tag === TEXT_TAG) return at + 2 + first === stop ? stop : -1;
  if (tag === DOUBLE_TAG) return at + 9 === stop ? at : -1;
  if (tag !== INT_TAG && tag !== BOOL_TAG) return -1;
  if (first < 128) return at + 2 === stop ? stop : -1;
  let last = at + 2;
  while ((bytes[last] ?? 0) > 127) last++;
  return last + 1 === stop && last - at <= 10 ? at : -1;
}

function skipTo(stop: number, end: number): number {
  if (stop > end) throw failure(stop, "a field past the end", "a whole message");
  return stop;
}

function checkText(text: Uint8Array): void {
  if (isUtf8(text)) return;
  throw new SyntaxError("Cannot read request: text that is not UTF-8, expected UTF-8 in every string");
}

function failure(at: number, found: string, rule: string): SyntaxError {
  return new SyntaxError(`Cannot read request at byte ${at}: ${found}, expected ${rule}`);
}
