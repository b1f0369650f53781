/**
 * One signal's way through an OTLP client: items into a batch processor, batches into the signal's lanes, all of it
 * in one account.
 * @module
 */
import { addDrop } from "./account.ts";
import type { BatchHeader, Signal } from "./batch.ts";
import type { Clock } from "./clock.ts";
import type { Delivery } from "./delivery.ts";
import type { Encoded } from "./encoder.ts";
import { Batcher } from "./otlp_batcher.ts";
import type { SignalPlan } from "./otlp_plan.ts";
import { type Counted, type SignalReport, sumReports } from "./otlp_report.ts";
import type { LeftOut, RequestHead, RequestOptions, Requests } from "./otlp_request.ts";

/** Where one signal's items go in. */
export interface SignalIntake<T> {
  /** Hands items over. Never waits, never throws; a full queue costs items, and counts them. */
  readonly add: (...items: readonly T[]) => void;
}

/** What is particular about a signal. */
export interface SignalKind<T> {
  readonly encode: (items: readonly T[], head: RequestHead, options: RequestOptions) => Requests;
  /** How many items a request of it alone would hold. */
  readonly itemsOf: (what: T) => number;
  /** About how many bytes. */
  readonly bytesOf: (what: T) => number;
}

/** What a channel works with. */
export interface ChannelParts<T> {
  readonly kind: SignalKind<T>;
  readonly head: RequestHead;
  readonly delivery: Delivery;
  readonly clock: Clock;
}

/** A signal that is sent. */
export class Channel<T> implements SignalIntake<T> {
  readonly #plan: SignalPlan;
  readonly #parts: ChannelParts<T>;
  readonly #batcher: Batcher<T>;
  readonly #counted: Counted = { added: 0, handed: 0, badIds: 0, dropped: {} };
  #sequence = 0;

  constructor(plan: SignalPlan, parts: ChannelParts<T>) {
    this.#plan = plan;
    this.#parts = parts;
    const { kind: { itemsOf, bytesOf }, clock } = parts;
    this.#batcher = new Batcher({
      ...{ limits: plan.limits, clock, itemsOf, bytesOf },
      send: (items) => this.#send(items),
      dropped: (reason, items) => addDrop(this.#counted, reason, items),
    });
  }

  readonly add = (...items: readonly T[]): void => {
    for (const item of items) {
      this.#counted.added += this.#parts.kind.itemsOf(item);
      this.#batcher.add(item);
    }
  };

  /** Hands on all that waits. */
  flush(): Promise<void> {
    return this.#batcher.flush();
  }

  /** The same, and takes nothing any more. */
  close(): Promise<void> {
    return this.#batcher.close();
  }

  report(): SignalReport {
    return sumReports(this.#plan.signal, {
      counted: this.#counted,
      waiting: this.#batcher.items,
      lanes: this.#lanes(),
    });
  }

  #lanes(): ReturnType<Delivery["report"]> {
    return this.#parts.delivery.report().filter(({ signal }) => signal === this.#plan.signal);
  }

  async #send(items: readonly T[]): Promise<void> {
    const [lane] = this.#plan.lanes;
    if (lane === undefined) throw new Error("BUG: a signal without a lane");
    const { batches, leftOut } = this.#parts.kind.encode(items, this.#parts.head, lane);
    // Both columns in one step, so that no item is in none or in two when somebody looks.
    for (const batch of batches) this.#counted.handed += batch.items;
    this.#leaveOut(leftOut);
    for (const batch of batches) await this.#hand(batch, lane);
  }

  #leaveOut({ invalid, nonFinite, oversize, badIds }: LeftOut): void {
    this.#counted.badIds += badIds;
    for (const [reason, items] of Object.entries({ invalid, non_finite: nonFinite, oversize })) {
      if (items > 0) addDrop(this.#counted, reason, items);
    }
  }

  async #hand(
    { body, items }: Encoded,
    { signal, encoding }: SignalPlan["lanes"][number],
  ): Promise<void> {
    // Its age counts from here: what a program sends may be about last year.
    const nowMs = this.#parts.clock.wall();
    const header: BatchHeader = {
      ...{ destination: this.#leastBusy(), signal, encoding, items, firstTimeMs: nowMs, lastTimeMs: nowMs },
      sequence: ++this.#sequence,
      uncompressedBytes: body.length,
    };
    await this.#parts.delivery.accept({
      ...{ type: "batch", origin: "control", headers: [header], body, gzipped: false },
    });
  }

  /** Of several lanes, the one that holds least. */
  #leastBusy(): string {
    const [lane, ...others] = this.#plan.lanes;
    if (others.length === 0) return lane?.destination ?? "";
    return this.#lanes().toSorted((a, b) => a.queued - b.queued)[0]?.destination ?? "";
  }
}

/** A signal that is switched off: what comes is counted and goes nowhere. */
export class ClosedChannel<T> implements SignalIntake<T> {
  readonly #signal: Signal;
  readonly #kind: SignalKind<T>;
  readonly #counted: Counted = { added: 0, handed: 0, badIds: 0, dropped: {} };

  constructor(signal: Signal, kind: SignalKind<T>) {
    this.#signal = signal;
    this.#kind = kind;
  }

  readonly add = (...items: readonly T[]): void => {
    for (const item of items) {
      const count = this.#kind.itemsOf(item);
      this.#counted.added += count;
      addDrop(this.#counted, "unsupported_signal", count);
    }
  };

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  report(): SignalReport {
    return sumReports(this.#signal, { counted: this.#counted, waiting: 0, lanes: [] });
  }
}
