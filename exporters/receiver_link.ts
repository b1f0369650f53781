/**
 * The sensor's end of the receiver: a worker with no right but its own port, which hands batches to the courier over a
 * port of their own.
 * @module
 */
import type { Attributes } from "../collectors/metric.ts";
import type { Temporality } from "./batch.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { LogRecord } from "./messages.ts";
import type { Probe } from "./probe.ts";
import {
  type FromReceiver,
  RECEIVER_LIMITS,
  type ReceiverLane,
  type ReceiverReport,
  type ToReceiver,
} from "./receiver_messages.ts";
import { WorkerLink } from "./worker_link.ts";

/** Where it listens and for whom. */
export interface ReceiverOptions {
  readonly hostname: string;
  readonly port: number;
  readonly lanes: readonly LaneConfig[];
  readonly destinations: readonly string[];
  /** Temporalities a lane's row accepts, not only the one in use. */
  readonly temporalities: (lane: LaneConfig) => readonly Temporality[];
  /** Who the host is: added to every resource that does not say it. */
  readonly resource: Attributes;
  /** The courier's end is the other one. */
  readonly courierPort: MessagePort;
  readonly log: (record: LogRecord) => void;
  readonly dead: (why: string) => void;
  readonly nowMs: () => number;
}

/** The running receiver. */
export class ReceiverLink {
  readonly #link: WorkerLink<ToReceiver, FromReceiver>;
  readonly #listening = Promise.withResolvers<{ hostname: string; port: number }>();
  #report: ReceiverReport | undefined;
  /** `host:port` it may listen on; shown by `sandbox`. */
  readonly net: string;

  /** Spawns the worker; possible only before the drop. */
  constructor(url: URL, options: ReceiverOptions) {
    const { hostname, port, lanes, destinations, resource, courierPort } = options;
    this.net = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
    this.#link = new WorkerLink(url, {
      name: "receiver",
      permissions: { net: [this.net], read: [], write: [] },
      receive: (message) => this.#receive(message, options),
      dead: options.dead,
      nowMs: options.nowMs,
    });
    const start = {
      type: "start",
      hostname,
      port,
      hostNames: [],
      destinations,
      // Received data stays OTLP: a destination with a form of its own does not accept it.
      lanes: lanes.filter(({ encoding }) => encoding !== "native")
        .map((lane) => receiverLane(lane, options.temporalities(lane))),
      resource,
      limits: RECEIVER_LIMITS,
      courierPort,
    } as const;
    this.#link.post(start, [courierPort]);
  }

  #receive(message: FromReceiver, { log }: ReceiverOptions): void {
    switch (message.type) {
      case "ready":
        return this.#listening.resolve(message);
      case "failed":
        return this.#listening.reject(new Error(message.message));
      case "log":
        return log(message.record);
      case "report":
        this.#report = message.report;
    }
  }

  /** Resolves when it listens; rejects with the reason when it cannot. */
  get listening(): Promise<{ hostname: string; port: number }> {
    return this.#listening.promise;
  }

  /** The last known account; undefined before the first request. */
  get report(): ReceiverReport | undefined {
    return this.#report;
  }

  /** A cycle of sonde's own went out: received metrics follow it. */
  cycle(): void {
    this.#link.post({ type: "cycle" });
  }

  /** Stops listening and hands over everything it holds. */
  async stop(): Promise<void> {
    const answer = await this.#link.ask((id) => ({ type: "flush", id, final: true }));
    if (answer.type === "flushed") this.#report = answer.report;
  }

  /** What the receiver finds it can still do, tried from inside. */
  async probe(): Promise<readonly Probe[]> {
    const answer = await this.#link.ask((id) => ({ type: "probe", id }));
    return answer.type === "probed" ? answer.probes : [];
  }

  /** To be called regularly: declares the worker dead when its beat has stopped. */
  watch(): void {
    this.#link.watch();
  }
}

function receiverLane(lane: LaneConfig, temporalities: readonly Temporality[]): ReceiverLane {
  const { destination, signal, encoding, batchBytesMax, batchItemsMax } = lane;
  return { destination, signal, encoding, temporalities, batchBytesMax, batchItemsMax };
}
