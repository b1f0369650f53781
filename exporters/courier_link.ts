/**
 * The sensor's end of the courier: spawns the worker with exactly its permissions, hands it batches, asks it to
 * flush, and notices when it is dead. The only place that posts to the courier.
 * @module
 */
import type { BatchMessage } from "./batch.ts";
import type { LaneConfig } from "./lane_config.ts";
import type {
  CourierFlush,
  CourierReady,
  CourierStart,
  FileRead,
  FromCourier,
  LogRecord,
  Posted,
  ToCourier,
} from "./messages.ts";
import type { Probe } from "./probe.ts";
import type { DeliveryReport } from "./report.ts";
import type { SpoolOrder, SpoolOrderResult } from "./spool_order.ts";

/** No beat for this long means dead or stuck (design 2). */
const BEAT_MS_MAX = 60_000;

/** What the courier may touch; shown by `sandbox`. */
export interface CourierPermissions {
  /** `host:port` of every destination. */
  readonly net: readonly string[];
  /** The spool folder, or nothing. */
  readonly folders: readonly string[];
  /** Files a reload reads again: configuration, keys, certificates. */
  readonly files: readonly string[];
}

/** `host:port` as a permission list spells it. */
export function netEntry(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === "" ? (protocol === "https:" ? "443" : "80") : port}`;
}

/** Exactly what these lanes, this spool folder and a reload need. */
export function courierPermissions(
  lanes: readonly LaneConfig[],
  spoolPath: string | undefined,
  files: readonly string[] = [],
): CourierPermissions {
  return {
    net: [...new Set(lanes.map((lane) => netEntry(lane.url)))].sort(),
    folders: spoolPath === undefined ? [] : [spoolPath],
    files: [...new Set([...files, ...lanes.flatMap(({ keyFile }) => keyFile?.path ?? [])])].sort(),
  };
}

/** What the link reports to its owner. */
export interface LinkEvents {
  log(record: LogRecord): void;
  /** The courier ended, threw, or stopped beating: the process has to end with 70. */
  dead(why: string): void;
}

/** The running courier. */
export class CourierLink {
  readonly #worker: Worker;
  readonly #events: LinkEvents;
  readonly #waiting = new Map<number, (message: FromCourier) => void>();
  readonly #taps = new Set<(posted: Posted) => void>();
  #nextId = 1;
  #lastBeatMs: number;
  #isClosed = false;
  #ready: (ready: CourierReady) => void = () => {};
  #report: DeliveryReport = { lanes: [] };
  /** Resolves when the courier holds its ports and its spool. */
  readonly ready: Promise<CourierReady>;

  /** Spawns the worker; possible only before the drop. */
  constructor(url: URL, start: CourierStart, options: {
    readonly permissions: CourierPermissions;
    readonly events: LinkEvents;
    /** Monotonic milliseconds. */
    readonly nowMs: () => number;
  }) {
    const { permissions, events } = options;
    this.#events = events;
    this.#nowMs = options.nowMs;
    this.#lastBeatMs = this.#nowMs();
    this.ready = new Promise((resolve) => this.#ready = resolve);
    this.#worker = new Worker(url, {
      type: "module",
      name: "courier",
      deno: {
        permissions: {
          net: [...permissions.net],
          read: [...permissions.folders, ...permissions.files],
          write: [...permissions.folders],
          env: false,
          sys: false,
          run: false,
          ffi: false,
          import: false,
        },
      },
    });
    this.#worker.onmessage = (event: MessageEvent<FromCourier>) => this.#receive(event.data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#die(event.message);
    };
    this.#post(start, [...start.ports]);
  }

  readonly #nowMs: () => number;

  #post(message: ToCourier, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #die(why: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#events.dead(why);
  }

  #receive(message: FromCourier): void {
    this.#lastBeatMs = this.#nowMs();
    switch (message.type) {
      case "ready":
        for (const note of message.notes) this.#events.log(note);
        this.#ready(message);
        break;
      case "log":
        this.#events.log(message.record);
        break;
      case "report":
        this.#report = message.report;
        break;
      case "flushed":
        this.#report = message.report;
        this.#answer(message.id, message);
        break;
      case "ordered":
        this.#report = message.report;
        this.#answer(message.id, message);
        break;
      case "probed":
      case "read":
        this.#answer(message.id, message);
        break;
      case "posted":
        for (const listener of this.#taps) listener(message.posted);
        break;
    }
  }

  #answer(id: number, message: FromCourier): void {
    this.#waiting.get(id)?.(message);
    this.#waiting.delete(id);
  }

  #ask(make: (id: number) => ToCourier): Promise<FromCourier> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#post(make(id));
    });
  }

  /** The last known account. */
  get report(): DeliveryReport {
    return this.#report;
  }

  /** Seconds to add to our clock to have a backend's, by the lane that heard from its backend last. */
  get clockSkew(): number | undefined {
    const heard = this.#report.lanes.filter((lane) => lane.clockSkew !== undefined);
    return heard.sort((a, b) => (b.lastAcceptedMs ?? 0) - (a.lastAcceptedMs ?? 0))[0]?.clockSkew;
  }

  /** Hands a batch over; its body is transferred and empty afterwards. */
  send(message: BatchMessage): void {
    if (!this.#isClosed) this.#post(message, [message.body.buffer]);
  }

  /** Delivers what is there until the deadline, keeps the rest, and resolves with the account. */
  async flush(options: Pick<CourierFlush, "deadlineMs" | "final" | "brief">): Promise<DeliveryReport> {
    await this.#ask((id) => ({ type: "flush", id, ...options }));
    return this.#report;
  }

  /** Has something done to the spool; `report` is current afterwards. */
  async order(order: SpoolOrder): Promise<SpoolOrderResult> {
    const answer = await this.#ask((id) => ({ type: "order", id, order }));
    return answer.type === "ordered" ? answer.result : { batches: 0 };
  }

  /** What the courier finds it can still do, tried from inside. */
  async probe(): Promise<readonly Probe[]> {
    const answer = await this.#ask((id) => ({ type: "probe", id }));
    return answer.type === "probed" ? answer.probes : [];
  }

  /** Reads one file of the read list; a file that is not on it is a fault like any other. */
  async read(path: string): Promise<FileRead> {
    const answer = await this.#ask((id) => ({ type: "read", id, path }));
    return answer.type === "read" ? answer.file : { fault: "no answer" };
  }

  /** What the filesystem of the spool has left: the courier may not ask itself. */
  disk(room: { readonly freeBytes: number; readonly totalBytes: number }): void {
    this.#post({ type: "disk", ...room });
  }

  /** Renews headers, certificates and proxies of lanes that keep their URL. */
  renew(lanes: readonly LaneConfig[]): void {
    this.#post({ type: "renew", lanes });
  }

  /** Tells the listener of every attempt until the returned function is called. */
  tap(listener: (posted: Posted) => void): () => void {
    this.#taps.add(listener);
    this.#post({ type: "tap", isOn: true });
    return () => {
      this.#taps.delete(listener);
      if (this.#taps.size === 0) this.#post({ type: "tap", isOn: false });
    };
  }

  /** To be called regularly: declares the courier dead when its beat has stopped. */
  watch(): void {
    const silentMs = this.#nowMs() - this.#lastBeatMs;
    if (silentMs > BEAT_MS_MAX) this.#die(`no beat for ${Math.round(silentMs / 1000)} s`);
  }

  close(): void {
    this.#isClosed = true;
    this.#worker.terminate();
  }
}
