/**
 * From a request's body to the groups: decompress, check and count, complete the resource, convert for rows that need
 * it, ask for room, join. Acknowledged is what the courier has room for and a group has taken; a group is handed over
 * when it is full or due, at the stop at the latest. Nothing is decoded into objects unless a row needs the other
 * encoding or another temporality.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import { type Signal, SIGNALS } from "./batch.ts";
import { scanRequest } from "./received_scan.ts";
import { ResourceCompletion } from "./received_resource.ts";
import { size } from "./received_wire.ts";
import { LaneAccount, type ReceiverAccount } from "./receiver_account.ts";
import { accepted, type Answer, type Partial } from "./receiver_answer.ts";
import { tooLarge } from "./receiver_body.ts";
import type { ReceivedRequest } from "./receiver_connection.ts";
import { type Checked, type Form, formsOf } from "./receiver_form.ts";
import type { HandOver } from "./receiver_hand_over.ts";
import type { ReceiverStart } from "./receiver_messages.ts";
import { RefusedRequest } from "./receiver_refusal.ts";
import type { Clock } from "./clock.ts";

/** What the intake works with. */
export interface IntakeOptions {
  readonly start: Pick<ReceiverStart, "destinations" | "lanes" | "resource" | "limits">;
  readonly account: ReceiverAccount;
  readonly handOver: HandOver;
  readonly clock: Pick<Clock, "wall" | "mono">;
}

/** A client that is told "full" comes back after so many seconds. */
const RETRY_AFTER_FULL = 5;

/** What comes out of a gzip body at a time: all of it, as a rule. */
const PIECE_BYTES_MAX = 262_144;
const PIECE_BYTES_MIN = 64;

type JsonModule = typeof import("./received_json.ts");
type ZlibModule = typeof import("node:zlib");

export class Intake {
  readonly #options: IntakeOptions;
  readonly #completion: ResourceCompletion;
  readonly #host: Attributes;
  readonly #forms: Readonly<Record<Signal, readonly Form[]>>;
  readonly #all: readonly Form[];
  /** Destinations that do not accept a signal. */
  readonly #strangers: Readonly<Record<Signal, readonly LaneAccount[]>>;
  #zlib: ZlibModule | undefined;

  constructor(options: IntakeOptions) {
    const { start, account, handOver, clock } = options;
    this.#options = options;
    this.#host = start.resource;
    this.#completion = new ResourceCompletion(start.resource);
    const startNs = BigInt(clock.wall()) * 1_000_000n;
    const formsFor = (signal: Signal) =>
      formsOf(signal, { lanes: start.lanes, account, handOver, seriesMax: start.limits.series, startNs });
    this.#forms = { metrics: formsFor("metrics"), logs: formsFor("logs"), traces: formsFor("traces") };
    this.#all = SIGNALS.flatMap((signal) => this.#forms[signal]);
    const strangersTo = (signal: Signal) =>
      start.destinations
        .filter((name) => !start.lanes.some((lane) => lane.destination === name && lane.signal === signal))
        .map((destination) => new LaneAccount({ destination, signal }));
    this.#strangers = {
      metrics: strangersTo("metrics"),
      logs: strangersTo("logs"),
      traces: strangersTo("traces"),
    };
    account.lanes.push(...Object.values(this.#strangers).flat());
  }

  /** Series remembered for delta-only rows. */
  get series(): number {
    return this.#forms.metrics.reduce((total, form) => total + form.series, 0);
  }

  /** True when no request waits for its batch. */
  get isEmpty(): boolean {
    return this.#all.every((form) => form.group.items === 0);
  }

  /** Takes a request as a whole, or throws `RefusedRequest`. */
  async take(request: ReceivedRequest): Promise<Answer> {
    const { signal, encoding } = request;
    const plain = request.isGzipped ? await this.#inflate(request.body) : request.body;
    const checked = await this.#check({ ...request, body: plain });
    const { items } = checked.tally;
    if (items === 0) return accepted(signal, encoding);
    const forms = this.#forms[signal];
    for (const form of forms) if (form.needs(checked)) await form.prepare(checked);
    // From here on nothing waits: room that was found is room that is used.
    const bytes = size(checked.protobuf);
    this.#checkRoom(forms, { bytes, items });
    this.#options.account.received[signal] += items;
    return accepted(signal, encoding, this.#distribute(checked));
  }

  /** A cycle of the sensor's went out: received metrics follow. */
  sendMetrics(): void {
    for (const form of this.#forms.metrics) form.group.send(this.#options.clock.mono());
  }

  /** Sends what has waited long enough. */
  sendDue(): void {
    for (const form of this.#all) form.group.sendDue(this.#options.clock.mono());
  }

  /** Sends all there is. */
  sendAll(): void {
    for (const form of this.#all) form.group.send(this.#options.clock.mono());
  }

  /** By node:zlib, once a program compresses: half the CPU of the runtime's stream (no JIT), for 3 MB. */
  async #inflate(body: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const { bodyBytes } = this.#options.start.limits;
    this.#zlib ??= await import("node:zlib");
    const { buffer, byteOffset, length } = gunzip(this.#zlib, body, bodyBytes);
    if (!(buffer instanceof ArrayBuffer)) throw new Error("BUG: gunzipSync() gave shared memory");
    const plain = new Uint8Array(buffer, byteOffset, length);
    // A group would keep the whole buffer of a body that is smaller than it said.
    return length * 2 < buffer.byteLength ? plain.slice() : plain;
  }

  async #check(request: ReceivedRequest): Promise<Checked> {
    const { signal, encoding, body } = request;
    try {
      if (encoding === "protobuf") return this.#checkProtobuf(signal, body);
      const module: JsonModule = await import("./received_json.ts");
      const { protobuf, entries } = module.readJson(body, signal);
      return { ...this.#checkProtobuf(signal, protobuf), json: module.completedEntries(entries, this.#host) };
    } catch (error) {
      if (error instanceof SyntaxError) throw badBody(error.message, error);
      throw error;
    }
  }

  #checkProtobuf(signal: Signal, body: Uint8Array): Checked {
    const tally = scanRequest(body, signal);
    return { signal, tally, protobuf: tally.items === 0 ? [] : this.#completion.complete(body) };
  }

  #checkRoom(
    forms: readonly Form[],
    { bytes, items }: { readonly bytes: number; readonly items: number },
  ): void {
    const { handOver, account } = this.#options;
    const grouped = this.#all.reduce((total, form) => total + form.group.cost(form.group.bytes), 0);
    const needed = forms.reduce((total, form) => total + form.group.cost(bytes), 0);
    if (needed <= handOver.free - grouped) return;
    account.deferred += items;
    throw new RefusedRequest("Cannot take more now: queue and spool are full, expected room", {
      status: 503,
      reason: "full",
      retryAfter: RETRY_AFTER_FULL,
    });
  }

  /** Gives every form its part; what is to be said to the client about it. */
  #distribute(checked: Checked): Partial | undefined {
    const { items } = checked.tally;
    const forms = this.#forms[checked.signal];
    const words: string[] = [];
    const nowMs = { mono: this.#options.clock.mono(), wall: this.#options.clock.wall() };
    let rejected = items;
    for (const form of forms) {
      const refusedItems = form.add(checked, nowMs);
      rejected = Math.min(rejected, refusedItems);
      if (refusedItems > 0) words.push(`${form.names} takes cumulative data only`);
    }
    for (const stranger of this.#strangers[checked.signal]) {
      stranger.drop({ unsupported_signal: items });
      words.push(`destination "${stranger.destination}" does not accept ${checked.signal}`);
    }
    if (forms.length === 0 && words.length === 0) words.push(`no destination accepts ${checked.signal}`);
    return words.length === 0 ? undefined : { rejected, message: words.join("; ") };
  }
}

function gunzip({ gunzipSync }: ZlibModule, body: Uint8Array<ArrayBuffer>, bytesMax: number): Uint8Array {
  const chunkSize = Math.min(Math.max(claimedSize(body) + 1, PIECE_BYTES_MIN), PIECE_BYTES_MAX);
  try {
    return gunzipSync(body, { chunkSize, maxOutputLength: bytesMax });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge("more bytes after decompression", bytesMax);
    throw badBody("Cannot decompress body: it is no gzip, expected gzip as its header says", error);
  }
}

/** The last four bytes of gzip: the plain size, if they are true (RFC 1952, 2.3.1). */
function claimedSize(body: Uint8Array<ArrayBuffer>): number {
  return body.length < 4 ? 0 : new DataView(body.buffer, body.byteOffset).getUint32(body.length - 4, true);
}

function badBody(message: string, cause: unknown): RefusedRequest {
  return new RefusedRequest(message, { status: 400, reason: "bad_body", cause });
}
