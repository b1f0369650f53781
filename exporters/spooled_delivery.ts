/**
 * Delivery with its disk: what the courier runs for an agent, and what a verb that ends by itself may run in its own
 * isolate. Where no spool is open, what is left at the end goes to its inbox (design 2).
 * @module
 */
import type { BatchMessage } from "./batch.ts";
import type { Delivery, DeliveryOptions } from "./delivery.ts";
import type { FlushOptions } from "./drive.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { CourierStart, LaneBaseline, LogRecord } from "./messages.ts";
import type { DeliveryReport, LaneLeft } from "./report.ts";
import type { Spool } from "./spool.ts";
import type { Leftover } from "./spool_leftover.ts";
import { obey, type SpoolOrder, type SpoolOrderResult } from "./spool_order.ts";

/** What it delivers, and where its disk is, if it has one. */
export type SpooledOptions =
  & Omit<DeliveryOptions, "spoolAlways">
  & Pick<CourierStart, "spool">;

/** Lanes, and the spool behind them. */
export class SpooledDelivery {
  readonly #delivery: Delivery;
  readonly #spool: Spool | undefined;
  readonly #leftover: Leftover | undefined;
  #closing: Promise<void> | undefined;

  constructor(delivery: Delivery, spool: Spool | undefined, leftover: Leftover | undefined) {
    this.#delivery = delivery;
    this.#spool = spool;
    this.#leftover = leftover;
  }

  /** What opening the spool found. */
  get notes(): readonly LogRecord[] {
    return this.#leftover === undefined ? this.#spool?.notes ?? [] : [];
  }

  /** Delta lanes: the state of the last batch that was kept. */
  get baselines(): readonly LaneBaseline[] {
    return this.#spool?.baselines ?? [];
  }

  /** Bytes that still fit, in memory and on disk. */
  get freeBytes(): number {
    return this.#delivery.freeBytes + (this.#spool?.freeBytes ?? 0);
  }

  /** Takes a batch; resolves when each of its lanes has it. Never rejects. */
  accept(message: BatchMessage): Promise<void> {
    return this.#delivery.accept(message);
  }

  /** Sends what it can until the deadline, puts the rest on disk, gives what is left. Nothing is done after a final one. */
  async flush(options: FlushOptions): Promise<readonly LaneLeft[]> {
    const { deadlineMs, final } = options;
    const isLeaving = this.#leftover !== undefined && final;
    if (isLeaving) {
      await this.#delivery.flush({ ...options, final: false });
      this.#leftover?.open();
    }
    const left = await this.#delivery.flush({ ...options, deadlineMs: isLeaving ? 0 : deadlineMs });
    // A second flush, in a hurry, may overtake the first.
    if (final) await (this.#closing ??= this.#spool?.close());
    return left;
  }

  /** Carries out what an operator asks of the spool. Never rejects. */
  obey(order: SpoolOrder): Promise<SpoolOrderResult> {
    return obey(order, this.#spool);
  }

  /** What was handed in by files is taken over from now on. */
  watchInbox(): void {
    this.#spool?.watchInbox();
  }

  /** What the filesystem of the spool has left. */
  roomIs(room: { readonly freeBytes: number; readonly totalBytes: number }): void {
    this.#spool?.roomIs(room);
  }

  /** Takes renewed credentials. Rejects when a client certificate cannot be used. */
  renew(lanes: readonly LaneConfig[]): Promise<void> {
    return this.#delivery.renew(lanes);
  }

  report(): DeliveryReport {
    const fault = this.#leftover === undefined ? this.#spool?.fault : this.#leftover.fault;
    return { lanes: this.#delivery.report(), ...(fault !== undefined && { spoolFault: fault }) };
  }
}
