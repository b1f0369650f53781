/**
 * Small requests of one form joined into one batch: repeated protobuf fields concatenate, JSON entries join in one
 * array. A group goes out when it is full or due; after a quiet time its first request goes out at once, so that a
 * lone program's data never waits in memory. Bounds: bytes, items, time.
 * @module
 */
import type { Encoding, Signal } from "./batch.ts";
import { GrowingBytes, release } from "./growing_bytes.ts";
import { concat } from "./gzip.ts";
import type { LaneAccount } from "./receiver_account.ts";
import type { HandOver } from "./receiver_hand_over.ts";
import type { ReceiverLane } from "./receiver_messages.ts";
import { splitRequest } from "./split.ts";

/** One request as it joins a group. JSON: the entries without the brackets around them. */
export interface Part {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
  readonly items: number;
  /** Milliseconds since 1970. */
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
}

/** Bounds of a batch where a lane allows more (otlp 4.3). */
const BATCH_BYTES_MAX = 524_288;
const BATCH_ITEMS_MAX = 8_192;

/** How long a group waits at most; less than the contract's 1 s and 5 s, since delivery takes time as well. */
const DELAY_MS: Readonly<Record<Signal, number>> = { logs: 700, traces: 4_000, metrics: 10_000 };

const encoder = new TextEncoder();
const OPENINGS: Readonly<Record<Signal, Uint8Array>> = {
  logs: encoder.encode('{"resourceLogs":['),
  traces: encoder.encode('{"resourceSpans":['),
  metrics: encoder.encode('{"resourceMetrics":['),
};
const NO_TIMES = { firstTimeMs: Infinity, lastTimeMs: 0 };
const COMMA = encoder.encode(",");
const END = encoder.encode("]}");

/** A lane and its books. */
export interface GroupLane {
  readonly lane: ReceiverLane;
  readonly account: LaneAccount;
}

/** What one or more lanes want in the same bytes. */
export class Group {
  readonly signal: Signal;
  readonly encoding: Encoding;
  readonly lanes: readonly GroupLane[];
  readonly #handOver: HandOver;
  readonly #bytesMax: number;
  readonly #itemsMax: number;
  readonly #body: GrowingBytes;
  #times = NO_TIMES;
  #openedMs = 0;
  #lastSentMs = -Infinity;
  bytes = 0;
  items = 0;

  constructor(lanes: readonly [GroupLane, ...GroupLane[]], handOver: HandOver) {
    const [{ lane }] = lanes;
    this.signal = lane.signal;
    this.encoding = lane.encoding;
    this.lanes = lanes;
    this.#handOver = handOver;
    this.#bytesMax = Math.min(BATCH_BYTES_MAX, ...lanes.map((it) => it.lane.batchBytesMax));
    this.#itemsMax = Math.min(BATCH_ITEMS_MAX, ...lanes.map((it) => it.lane.batchItemsMax));
    this.#body = new GrowingBytes(this.#bytesMax);
  }

  /** Room these bytes take at the courier. */
  cost(bytes: number): number {
    return bytes * this.lanes.length;
  }

  /** Joins a request, whose bytes are copied; `nowMs` is monotonic. */
  add(part: Part, nowMs: number): void {
    if (this.#isTooLarge(part)) return this.#addParts(part, nowMs);
    const wouldOverflow = this.bytes + part.bytes > this.#bytesMax ||
      this.items + part.items > this.#itemsMax;
    if (wouldOverflow) this.send(nowMs);
    if (this.items === 0) this.#openedMs = nowMs;
    this.#append(part);
    this.bytes += part.bytes;
    this.items += part.items;
    for (const { account } of this.lanes) {
      account.taken += part.items;
      account.grouped += part.items;
    }
    const isFull = this.bytes >= this.#bytesMax || this.items >= this.#itemsMax;
    // Metrics wait for the sensor's cycle: one request of the radio for both.
    const isFirst = this.signal !== "metrics" && nowMs - this.#lastSentMs >= DELAY_MS[this.signal];
    if (isFull || isFirst) this.send(nowMs);
  }

  /** JSON is cut where it is sent, if it must be: here it is text without its brackets. */
  #isTooLarge({ items, bytes }: Part): boolean {
    return this.encoding === "protobuf" && items > 1 && (items > this.#itemsMax || bytes > this.#bytesMax);
  }

  #addParts({ pieces, bytes, items, ...times }: Part, nowMs: number): void {
    const [only] = pieces;
    const joined = pieces.length === 1 && only !== undefined ? undefined : concat(pieces, bytes);
    const whole = joined ?? only ?? new Uint8Array();
    const count = Math.max(2, Math.ceil(Math.max(bytes / this.#bytesMax, items / this.#itemsMax)));
    const { signal, encoding } = this;
    for (const part of splitRequest(whole, { signal, encoding, items }, count)) {
      const body = part.join();
      this.add({ pieces: [body], bytes: body.length, items: part.items, ...times }, nowMs);
      release(body);
    }
    if (joined !== undefined) release(joined);
  }

  /** Sends what has waited long enough. */
  sendDue(nowMs: number): void {
    if (this.items > 0 && nowMs - this.#openedMs >= DELAY_MS[this.signal]) this.send(nowMs);
  }

  /** Hands over what is here, if anything. */
  send(nowMs: number): void {
    if (this.items === 0) return;
    const { items } = this;
    if (this.encoding === "json") this.#body.append(END);
    this.#handOver.send(this.#body.take(), {
      lanes: this.lanes.map((it) => it.lane),
      items,
      ...this.#times,
    });
    this.bytes = 0;
    this.items = 0;
    this.#times = NO_TIMES;
    this.#lastSentMs = nowMs;
    for (const { account } of this.lanes) {
      account.forwarded += items;
      account.grouped -= items;
    }
  }

  #append({ pieces, bytes, firstTimeMs, lastTimeMs }: Part): void {
    this.#body.reserve(bytes);
    if (this.encoding === "json") this.#body.append(this.items > 0 ? COMMA : OPENINGS[this.signal]);
    for (const piece of pieces) this.#body.append(piece);
    this.#times = {
      firstTimeMs: Math.min(this.#times.firstTimeMs, firstTimeMs),
      lastTimeMs: Math.max(this.#times.lastTimeMs, lastTimeMs),
    };
  }
}
