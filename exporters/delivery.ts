/**
 * All lanes of a process: one transport per destination, one memory bound, one pause per origin, and each batch
 * compressed once for all the lanes that want it. Knows no disk, worker or environment: the courier and the library
 * compose it with theirs.
 * @module
 */
import { Account } from "./account.ts";
import type { LaneSpool } from "./backlog.ts";
import { type BatchHeader, type BatchMessage, laneKey, type Signal } from "./batch.ts";
import type { Clock } from "./clock.ts";
import type { FlushOptions } from "./drive.ts";
import { release, wasted } from "./growing_bytes.ts";
import { type Body, compress, plainBytes } from "./gzip.ts";
import type { Reread } from "./known_credentials.ts";
import { Lane } from "./lane.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { OriginPause } from "./lane_parts.ts";
import type { LogRecord } from "./messages.ts";
import { createPoster, openTransports, type Poster, type Transport, transportKey } from "./post.ts";
import type { Outcome } from "./outcome.ts";
import { type DropPolicy, QueueBudget } from "./queue.ts";
import type { LaneLeft, LaneReport } from "./report.ts";

export interface DeliveryOptions {
  /** `sonde/1.2.3`. */
  readonly product: string;
  /** For lanes that send one. */
  readonly agentId?: string | undefined;
  readonly lanes: readonly LaneConfig[];
  /** Bytes in memory, all lanes together. */
  readonly queueBytesMax: number;
  /** What a full memory gives up; absent: the oldest. */
  readonly dropPolicy?: DropPolicy;
  /** True: every batch is on disk before its first attempt. */
  readonly spoolAlways?: boolean;
}

export interface DeliveryParts {
  readonly clock: Clock;
  readonly log: (record: LogRecord) => void;
  readonly changed: () => void;
  /** Told of every attempt. */
  readonly posted?: (lane: LaneConfig, body: Body, outcome: Outcome) => void;
  /** How a lane's credentials are read again; absent: they are not. */
  readonly reread?: Reread;
  /** A lane's disk, when it has one. */
  readonly spoolOf?: (lane: LaneConfig) => LaneSpool | undefined;
}

/** One body in the forms its lanes want, each made at most once. */
class Forms {
  readonly #given: Body;
  #packed: Promise<Body> | undefined;
  #plain: Promise<Body> | undefined;
  #isTaken = false;

  constructor(given: Body) {
    this.#given = given;
  }

  in(compression: LaneConfig["compression"]): Promise<Body> {
    const { bytes, gzipped } = this.#given;
    if (gzipped === (compression === "gzip")) {
      this.#isTaken = true;
      return Promise.resolve(this.#given);
    }
    if (compression === "gzip") return this.#packed ??= compress(bytes);
    return this.#plain ??= plainBytes(this.#given).then((plain) => ({ bytes: plain, gzipped: false }));
  }

  /** Frees what was given when no lane keeps it: half a megabyte a batch behind a busy receiver. */
  async release(): Promise<void> {
    const packed = await this.#packed;
    if (packed !== undefined && packed.bytes !== this.#given.bytes && !this.#isTaken) {
      release(this.#given.bytes);
    }
  }
}

export class Delivery {
  readonly #lanes = new Map<string, Lane>();
  /** Books of what came for lanes that do not exist. */
  readonly #strays = new Map<string, { destination: string; signal: Signal; account: Account }>();
  readonly #transports: Map<string, Transport>;
  readonly #posters = new Map<string, Poster>();
  readonly #sender: Pick<DeliveryOptions, "product" | "agentId">;
  readonly #parts: DeliveryParts;
  readonly #budget: QueueBudget;
  #intake: Promise<void> = Promise.resolve();
  #running: Promise<unknown>;

  constructor(options: DeliveryOptions, parts: DeliveryParts, transports: Map<string, Transport>) {
    this.#parts = parts;
    this.#transports = transports;
    this.#sender = { product: options.product, agentId: options.agentId };
    const budget = this.#budget = new QueueBudget(options.queueBytesMax, options.dropPolicy);
    const origins = new Map<string, OriginPause>();
    for (const config of options.lanes) {
      const { origin } = new URL(config.url);
      const pause = origins.get(origin) ?? { untilMs: 0 };
      origins.set(origin, pause);
      const spool = parts.spoolOf?.(config);
      const { clock, log, changed } = parts;
      const lane = new Lane(config, {
        poster: this.#posterOf(config),
        clock,
        budget,
        origin: pause,
        log,
        changed,
        spoolAlways: options.spoolAlways ?? false,
        ...(spool !== undefined && { spool }),
      });
      this.#lanes.set(laneKey(config), lane);
    }
    this.#running = Promise.all([...this.#lanes.values()].map((lane) => lane.run()));
  }

  /** Takes a batch for every lane it names; resolves when each has it. Never throws or rejects; order is kept. */
  accept(message: BatchMessage): Promise<void> {
    return this.#intake = this.#intake.then(() => this.#take(message));
  }

  /** Sends what it can until the deadline and puts the rest on disk, every lane at the same time; gives what is left. */
  async flush(options: FlushOptions): Promise<readonly LaneLeft[]> {
    await this.#intake;
    const left = await Promise.all([...this.#lanes.values()].map(async (lane) => {
      const { destination, signal } = lane.config;
      return { destination, signal, items: await lane.flush(options) };
    }));
    if (!options.final) return left;
    await this.#running;
    // A second flush, in a hurry, may overtake the first: each transport closes once.
    for (const transport of this.#transports.values()) transport.close();
    this.#transports.clear();
    return left;
  }

  /**
   * Takes headers, certificates and proxy of the lanes that go on to the same URL, and tries them at once. Anything
   * else about a lane is fixed for the life of the process. Throws when a client certificate cannot be used.
   */
  async renew(lanes: readonly LaneConfig[]): Promise<void> {
    const kept = lanes.filter((lane) => this.#lanes.get(laneKey(lane))?.config.url === lane.url);
    for (const [key, transport] of await openTransports(kept)) {
      this.#transports.get(key)?.close();
      this.#transports.set(key, transport);
    }
    for (const lane of kept) {
      this.#posters.set(laneKey(lane), this.#newPoster(lane));
      this.#lanes.get(laneKey(lane))?.retryNow();
    }
  }

  /** Bytes that still fit in memory, all lanes together. */
  get freeBytes(): number {
    return this.#budget.freeBytes;
  }

  /** All lanes' books; strays last. */
  report(): LaneReport[] {
    const strays = [...this.#strays.values()].map(({ destination, signal, account }): LaneReport => ({
      destination,
      signal,
      ...account.columns(),
      queued: 0,
      queuedBytes: 0,
      spoolBytes: 0,
      spoolBatches: 0,
      inherited: 0,
      breaker: "closed",
    }));
    return [...this.#lanes.values()].map((lane) => lane.report()).concat(strays);
  }

  /** A poster that stays the same while what it posts with is renewed. */
  #posterOf(config: LaneConfig): Poster {
    const key = laneKey(config);
    this.#posters.set(key, this.#newPoster(config));
    return {
      post: async (body, signal) => {
        const poster = this.#posters.get(key);
        if (poster === undefined) throw new Error("BUG: lane without a poster");
        const outcome = await poster.post(body, signal);
        // The body, as a rule, and the copy that the runtime has sent.
        wasted(body.bytes.length * 2);
        this.#parts.posted?.(config, body, outcome);
        return outcome;
      },
    };
  }

  #newPoster(config: LaneConfig): Poster {
    const transport = this.#transports.get(transportKey(config));
    if (transport === undefined) throw new Error("BUG: lane without a transport");
    const { clock, reread, log } = this.#parts;
    return createPoster(config, {
      ...{ ...this.#sender, transport, clock },
      plain: ({ destination, signal }, message) =>
        log({
          level: "warn",
          event: "destination takes no gzip, sending plain",
          fields: { destination, signal, message },
        }),
      ...(reread !== undefined && { reread }),
    });
  }

  async #take({ origin, headers, body, gzipped }: BatchMessage): Promise<void> {
    const forms = new Forms({ bytes: body, gzipped });
    for (const header of headers) {
      const lane = this.#lanes.get(laneKey(header));
      if (lane === undefined) {
        this.#stray(header);
        continue;
      }
      try {
        const isOwn = origin === "receiver" && headers.length === 1;
        const body = { ...await forms.in(lane.config.compression), isOwn };
        if (body.bytes.length > this.#budget.freeBytes) await lane.makeRoom(body.bytes.length);
        lane.accept({ header, body });
      } catch {
        // Said to be gzip and is not: no lane can send it.
        lane.account.produced += header.items;
        lane.account.drop("oversize", header.items);
      }
    }
    if (origin === "receiver") await forms.release();
  }

  #stray({ destination, signal, items }: BatchHeader): void {
    const key = laneKey({ destination, signal });
    const stray = this.#strays.get(key) ?? { destination, signal, account: new Account() };
    this.#strays.set(key, stray);
    stray.account.produced += items;
    stray.account.drop("unsupported_signal", items);
    this.#parts.changed();
  }
}

/** Opens the transports and starts the lanes. Throws when a client certificate cannot be used. */
export async function openDelivery(options: DeliveryOptions, parts: DeliveryParts): Promise<Delivery> {
  return new Delivery(options, parts, await openTransports(options.lanes));
}
