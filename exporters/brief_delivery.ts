/**
 * Delivery for a process whose caller waits: one attempt for each batch, all at the same time, and the spool's inbox for
 * what was not taken. No queue, no breaker and no disk before the first attempt, so that little has to be loaded.
 * @module
 */
import { Account, emptyTally } from "./account.ts";
import { type BatchHeader, type BatchMessage, laneKey } from "./batch.ts";
import type { Clock } from "./clock.ts";
import type { DeliveryOptions } from "./delivery.ts";
import { type Body, compress } from "./gzip.ts";
import type { Reread } from "./known_credentials.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { Outcome } from "./outcome.ts";
import { createPoster, openTransports, type Poster, type Transport, transportKey } from "./post.ts";
import type { DeliveryReport, LaneReport } from "./report.ts";
import { writeInbox } from "./spool_inbox.ts";
import { destinationHash, destinationKey } from "./spool_key.ts";

/** Below this a few hundred bytes are saved, and a process that begins takes 4 ms to begin compressing. */
const PACKED_BYTES_MIN = 2_048;

export interface BriefOptions extends Pick<DeliveryOptions, "product" | "agentId" | "lanes"> {
  /** `STATE/spool`; absent: what is not taken is lost. */
  readonly path: string | undefined;
  /** Tells processes apart in the inbox. */
  readonly writer: string;
  readonly clock: Clock;
  readonly reread?: Reread;
}

/** True for a batch that a later attempt may bring home. */
function isWorthKeeping(outcome: Outcome, { items }: BatchHeader): boolean {
  switch (outcome.kind) {
    case "accepted":
      return false;
    case "retryable":
      return true;
    case "refused":
      // A later run halves what was too large.
      return outcome.keep || outcome.class === "too_large" && items > 1;
  }
}

/** One lane for the time of a delivery. */
class BriefLane {
  readonly #lane: LaneConfig;
  readonly #options: BriefOptions;
  readonly #poster: Poster;
  readonly #account = new Account();
  #kept = { queued: 0, spoolBytes: 0, spoolBatches: 0 };
  /** Why something could not be left in the inbox. */
  fault: string | undefined;

  constructor(lane: LaneConfig, options: BriefOptions, transport: Transport) {
    this.#lane = lane;
    this.#options = options;
    this.#poster = createPoster(lane, { ...options, transport });
  }

  /** Tries a batch once and settles it. Never rejects. */
  async take(header: BatchHeader, body: Body, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { items } = header;
    this.#account.produced += items;
    const begunMs = clock.mono();
    const outcome = await this.#poster.post(body, signal);
    const took = { bytes: body.bytes.length, wallMs: clock.wall(), tookMs: clock.mono() - begunMs };
    this.#account.attempted(outcome, took);
    if (isWorthKeeping(outcome, header)) return await this.#keep(header, body);
    const rejected = outcome.kind === "accepted" ? Math.min(outcome.rejected, items) : items;
    this.#account.book({ ...emptyTally(), delivered: items - rejected, rejected });
  }

  report(): LaneReport {
    const { destination, signal } = this.#lane;
    const state = { queuedBytes: 0, inherited: 0, breaker: "closed" } as const;
    return { destination, signal, ...this.#account.columns(), ...this.#kept, ...state };
  }

  async #keep(header: BatchHeader, body: Body): Promise<void> {
    const { path, writer } = this.#options;
    const { queued, spoolBytes, spoolBatches } = this.#kept;
    try {
      if (path === undefined) throw new Error("there is no spool");
      const hash = await destinationHash(destinationKey(this.#lane));
      const name = `${header.firstTimeMs.toString(36)}-${writer}-${header.signal}${header.sequence}-${hash}`;
      await writeInbox(path, name, { header, body });
      this.#kept = {
        queued: queued + header.items,
        spoolBytes: spoolBytes + body.bytes.length,
        spoolBatches: spoolBatches + 1,
      };
    } catch (error) {
      this.fault = error instanceof Error ? error.message : String(error);
      this.#account.drop("shutdown", header.items);
    }
  }
}

/** Everything that is open for one delivery. */
export class BriefDelivery {
  readonly #options: BriefOptions;
  readonly #lanes = new Map<string, BriefLane>();
  readonly #transports: ReadonlyMap<string, Transport>;

  private constructor(options: BriefOptions, transports: ReadonlyMap<string, Transport>) {
    this.#options = options;
    this.#transports = transports;
    for (const lane of options.lanes) {
      const transport = transports.get(transportKey(lane));
      if (transport === undefined) throw new Error("BUG: lane without a transport");
      this.#lanes.set(laneKey(lane), new BriefLane(lane, options, transport));
    }
  }

  /** Rejects when a client certificate cannot be used. */
  static async open(options: BriefOptions): Promise<BriefDelivery> {
    return new BriefDelivery(options, await openTransports(options.lanes));
  }

  /** Tries every batch once within the time, keeps the rest, and tells. Never rejects. */
  async deliver(batches: readonly BatchMessage[], deadlineMs: number): Promise<DeliveryReport> {
    const [over, done] = [new AbortController(), new AbortController()];
    this.#options.clock.sleep(deadlineMs, done.signal).then(() => over.abort());
    await Promise.all(batches.map((batch) => this.#take(batch, over.signal)));
    done.abort();
    for (const transport of this.#transports.values()) transport.close();
    const lanes = [...this.#lanes.values()];
    const spoolFault = lanes.find(({ fault }) => fault !== undefined)?.fault;
    return { lanes: lanes.map((lane) => lane.report()), ...(spoolFault !== undefined && { spoolFault }) };
  }

  async #take({ headers, body, gzipped }: BatchMessage, signal: AbortSignal): Promise<void> {
    const plain: Body = { bytes: body, gzipped };
    let packed: Promise<Body> | undefined;
    await Promise.all(headers.map(async (header) => {
      const config = this.#options.lanes.find((lane) => laneKey(lane) === laneKey(header));
      const wantsGzip = config?.compression === "gzip" && !gzipped && body.length >= PACKED_BYTES_MIN;
      const form = wantsGzip ? await (packed ??= compress(body)) : plain;
      await this.#lanes.get(laneKey(header))?.take(header, form, signal);
    }));
  }
}
