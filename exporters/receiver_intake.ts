/**
 * From a request's body to the groups: decompress, check and count, complete the resource, convert for rows that need
 * it, ask for room, join. Acknowledged is what the courier has room for and a group has taken; a group is handed over
 * when it is full or due, at the stop at the latest. Nothing is decoded into objects unless a row needs the other
 * encoding or another temporality.
 * @module
 */
import { type Signal, SIGNALS } from "./batch.ts";
import { release } from "./growing_bytes.ts";
import { claimedSize } from "./gzip.ts";
import { scanRequest } from "./received_scan.ts";
import { ResourceCompletion } from "./received_resource.ts";
import { size } from "./received_wire.ts";
import { LaneAccount, type ReceiverAccount } from "./receiver_account.ts";
import { accepted, type Answer, type Partial } from "./receiver_answer.ts";
import type { ReceivedRequest } from "./receiver_connection.ts";
import { type Checked, type Form, formsOf } from "./receiver_form.ts";
import type { HandOver } from "./receiver_hand_over.ts";
import type { ReceiverStart } from "./receiver_messages.ts";
import { Inflater } from "./receiver_inflate.ts";
import { badBody, RefusedRequest } from "./receiver_refusal.ts";
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
/** So long a request waits for a courier that has room and does not come round to it. */
const BEHIND_MS = 3_000;

type JsonModule = typeof import("./received_json.ts");

/** What reading gives; a body that cannot be read is refused. */
function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError) throw badBody(error.message, error);
    throw error;
  }
}

/** A JSON body as protobuf; it is gone afterwards. */
async function readJsonBody(signal: Signal, text: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const { readJson }: JsonModule = await import("./received_json.ts");
  try {
    return readable(() => readJson(text, signal));
  } finally {
    release(text);
  }
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #completion: ResourceCompletion;
  readonly #forms: Readonly<Record<Signal, readonly Form[]>>;
  readonly #all: readonly Form[];
  /** Destinations that do not accept a signal. */
  readonly #strangers: Readonly<Record<Signal, readonly LaneAccount[]>>;
  readonly #inflater: Inflater;
  #isStopping = false;
  /** Resolves when the last body that came is read. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: IntakeOptions) {
    const { start, account, handOver, clock } = options;
    this.#options = options;
    this.#inflater = new Inflater(start.limits.bodyBytes);
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

  /** Takes a request as a whole, or throws `RefusedRequest`; either way its body is gone afterwards. */
  async take(request: ReceivedRequest): Promise<Answer> {
    const { signal, encoding } = request;
    const { body, checked } = await this.#inTurn(() => this.#check(request));
    try {
      const { items } = checked.tally;
      if (items === 0) return accepted(signal, encoding);
      const forms = this.#forms[signal];
      for (const form of forms) if (form.needs(checked)) await form.prepare(checked);
      await this.#waitForRoom(forms, { bytes: size(checked.protobuf), items });
      // From here on nothing waits: room that was found is room that is used.
      this.#options.account.received[signal] += items;
      return accepted(signal, encoding, this.#distribute(checked));
    } finally {
      release(body);
    }
  }

  /** One body at a time is made plain: those that come together would all be in memory, and outlive collections. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      return await work();
    } finally {
      resolve();
    }
  }

  /** The body as plain protobuf, and what it holds. */
  async #check(request: ReceivedRequest): Promise<{ body: Uint8Array<ArrayBuffer>; checked: Checked }> {
    const { signal, encoding } = request;
    const plain = request.isGzipped ? await this.#inflate(request) : request.body;
    const body = encoding === "json" ? await readJsonBody(signal, plain) : plain;
    try {
      const tally = readable(() => scanRequest(body, signal));
      return { body, checked: { signal, tally, protobuf: this.#completion.complete(body) } };
    } catch (error) {
      release(body);
      throw error;
    }
  }

  async #inflate({ body, share }: ReceivedRequest): Promise<Uint8Array<ArrayBuffer>> {
    // Its word is taken for the room it needs, and corrected when it was too small.
    const claimed = Math.min(claimedSize(body), this.#options.start.limits.bodyBytes);
    share.take(claimed);
    const plain = await this.#inflater.inflate(body);
    const packedBytes = body.length;
    release(body);
    try {
      share.take(Math.max(0, plain.length - claimed - packedBytes));
    } catch (error) {
      release(plain);
      throw error;
    }
    return plain;
  }

  /** A cycle of the sensor's went out: received metrics follow. */
  sendMetrics(): void {
    for (const form of this.#forms.metrics) form.group.send(this.#options.clock.mono());
  }

  /** Sends what has waited long enough, and refuses what has. */
  sendDue(): void {
    this.#options.handOver.nudge();
    for (const form of this.#all) form.group.sendDue(this.#options.clock.mono());
  }

  /** From now on no request waits for room: their programs keep what does not fit at once. */
  stopWaiting(): void {
    this.#isStopping = true;
    this.#options.handOver.nudge();
  }

  /** Sends all there is. */
  sendAll(): void {
    for (const form of this.#all) form.group.send(this.#options.clock.mono());
  }

  /** Waits while the courier is behind; throws `RefusedRequest` with 503 when it is full or stays behind. */
  async #waitForRoom(
    forms: readonly Form[],
    { bytes, items }: { readonly bytes: number; readonly items: number },
  ): Promise<void> {
    const { handOver, account, clock } = this.#options;
    const untilMs = clock.mono() + BEHIND_MS;
    const needed = forms.reduce((total, form) => total + form.group.cost(bytes), 0);
    while (needed + this.#grouped <= handOver.free) {
      if (handOver.fits(bytes)) return;
      if (this.#isStopping || clock.mono() >= untilMs) break;
      await handOver.heard;
    }
    account.deferred += items;
    throw new RefusedRequest("Cannot take more now: queue and spool are full, expected room", {
      status: 503,
      reason: "full",
      retryAfter: RETRY_AFTER_FULL,
    });
  }

  get #grouped(): number {
    return this.#all.reduce((total, form) => total + form.group.cost(form.group.bytes), 0);
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
