/**
 * A lane, its clock and its vendor, wired as the courier wires them, with the books checked whenever the clock
 * stands still.
 * @module
 */
import { assertStrictEquals } from "@std/assert";
import type { BatchHeader } from "../exporters/batch.ts";
import type { LaneSpool } from "../exporters/backlog.ts";
import { Lane } from "../exporters/lane.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { OriginPause } from "../exporters/lane_parts.ts";
import type { LogRecord } from "../exporters/messages.ts";
import { createPoster } from "../exporters/post.ts";
import { QueueBudget } from "../exporters/queue.ts";
import type { LaneReport } from "../exporters/report.ts";
import { FakeVendor } from "./fake_vendor.ts";
import { headerOf, laneTo } from "./lane_fixture.ts";
import { randomFrom, VirtualClock } from "./virtual_clock.ts";

export interface RigOptions {
  readonly config?: Partial<LaneConfig>;
  readonly spool?: LaneSpool;
  readonly clock?: VirtualClock;
  readonly vendor?: FakeVendor;
  readonly budget?: QueueBudget;
  readonly origin?: OriginPause;
  readonly startValue?: number;
  readonly spoolAlways?: boolean;
}

export class LaneRig {
  readonly clock: VirtualClock;
  readonly vendor: FakeVendor;
  readonly lane: Lane;
  readonly logs: LogRecord[] = [];
  readonly running: Promise<void>;
  #sequence = 0;

  constructor(options: RigOptions = {}) {
    this.clock = options.clock ?? new VirtualClock(randomFrom(options.startValue ?? 1));
    this.vendor = options.vendor ?? new FakeVendor(this.clock);
    const config = laneTo("http://127.0.0.1:4318", options.config);
    this.lane = new Lane(config, {
      poster: createPoster(config, { product: "sonde/1.2.3", transport: this.vendor, clock: this.clock }),
      clock: this.clock,
      budget: options.budget ?? new QueueBudget(4 * 1024 * 1024),
      origin: options.origin ?? { untilMs: 0 },
      ...(options.spool !== undefined && { spool: options.spool }),
      spoolAlways: options.spoolAlways ?? false,
      log: (record) => this.logs.push(record),
      changed: () => this.checkBooks(),
    });
    this.running = this.lane.run();
  }

  /** Events of the log, in order. */
  get events(): string[] {
    return this.logs.map(({ event }) => event);
  }

  get report(): LaneReport {
    return this.lane.report();
  }

  /** Hands in a batch whose body is its number, padded to `bytes`. */
  give(changes: Partial<BatchHeader> = {}, bytes = 20): number {
    const sequence = ++this.#sequence;
    const body = new TextEncoder().encode(`batch ${sequence} `.padEnd(bytes, "."));
    this.giveBody(body, { sequence, ...changes });
    return sequence;
  }

  /** Hands in a batch with this body. */
  giveBody(bytes: Uint8Array<ArrayBuffer>, changes: Partial<BatchHeader> = {}): void {
    const now = this.clock.wall();
    const times = { firstTimeMs: now, lastTimeMs: now, uncompressedBytes: bytes.length };
    const header = headerOf(0, { signal: this.lane.config.signal, ...times, ...changes });
    this.lane.accept({ header, body: { bytes, gzipped: false } });
  }

  /** Hands in a batch every `everyMs` from now until `untilMs`. */
  giveEvery(everyMs: number, untilMs: number): void {
    for (let at = this.clock.mono(); at < untilMs; at += everyMs) this.clock.at(at, () => this.give());
  }

  /** True when nothing moves until the clock does. */
  get isAtRest(): boolean {
    return this.lane.isWaiting || this.vendor.hanging > 0;
  }

  async runTo(ms: number): Promise<void> {
    await this.clock.runTo(ms, () => this.isAtRest);
    this.checkBooks();
  }

  /** Ends the lane; `deadlineMs` is virtual. */
  async stop(deadlineMs = 5_000): Promise<void> {
    let isDone = false;
    const flushed = this.lane.flush({ deadlineMs, final: true, brief: false }).then(() => isDone = true);
    await this.clock.runTo(this.clock.mono() + deadlineMs, () => isDone || this.isAtRest);
    await Promise.all([flushed, this.running]);
    this.checkBooks();
  }

  /** Numbers of the batches the vendor has accepted, in order. */
  get delivered(): number[] {
    return this.vendor.accepted.map(({ body }) =>
      Number(/^batch (\d+) /.exec(new TextDecoder().decode(body))?.[1])
    );
  }

  /** produced = delivered + rejected + dropped + merged + quarantined + queued. */
  checkBooks(): void {
    const { produced, delivered, rejected, dropped, merged, quarantined, queued } = this.lane.report();
    const discarded = Object.values(dropped).reduce((sum, items) => sum + items, 0);
    assertStrictEquals(delivered + rejected + discarded + merged + quarantined + queued, produced, "books");
  }
}

/** Whole numbers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
