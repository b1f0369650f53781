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
import type { NotifySocket } from "./notify.ts";
import type { Probe } from "./probe.ts";
import { type DeliveryReport, withoutLater } from "./report.ts";
import type { SpoolOrder, SpoolOrderResult } from "./spool_order.ts";
import { WorkerLink } from "./worker_link.ts";

/** What the courier may touch; shown by `sandbox`. */
export interface CourierPermissions {
  /** `host:port` of every destination. */
  readonly net: readonly string[];
  /** The spool folder and what else is written below the state directory, or nothing. */
  readonly folders: readonly string[];
  /** Files a reload reads again: configuration, keys, certificates. */
  readonly files: readonly string[];
  /** The service manager's socket and our own end of it, or nothing. */
  readonly sockets: readonly string[];
  /** Variables it may read. */
  readonly env: readonly string[];
}

/** What hosting the OpAMP session adds. */
export interface OpampPermissions extends Pick<CourierPermissions, "folders" | "files" | "env"> {
  /** Where the session may connect to. */
  readonly urls: readonly string[];
}

/** `host:port` as a permission list spells it. */
export function netEntry(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === "" ? (/^(https|wss):$/.test(protocol) ? "443" : "80") : port}`;
}

/** Exactly what these lanes, this spool folder, a reload and the service manager need. */
export function courierPermissions(
  lanes: readonly LaneConfig[],
  spoolPath: string | undefined,
  { files = [], notify, opamp }: {
    readonly files?: readonly string[] | undefined;
    readonly notify?: NotifySocket | undefined;
    readonly opamp?: OpampPermissions | undefined;
  } = {},
): CourierPermissions {
  const urls = [...lanes.map((lane) => lane.url), ...opamp?.urls ?? []];
  const credentialFiles = lanes.flatMap(({ credentials }) => Object.values(credentials?.paths ?? {}));
  return {
    net: [...new Set(urls.map(netEntry))].sort(),
    folders: [...spoolPath === undefined ? [] : [spoolPath], ...opamp?.folders ?? []],
    files: [...new Set([...files, ...credentialFiles, ...opamp?.files ?? []])].sort(),
    sockets: notify === undefined ? [] : [notify.to, notify.own],
    env: opamp?.env ?? [],
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
  readonly #link: WorkerLink<ToCourier, FromCourier>;
  readonly #events: LinkEvents;
  readonly #taps = new Set<(posted: Posted) => void>();
  readonly #ready = Promise.withResolvers<CourierReady>();
  #report: DeliveryReport = { lanes: [] };

  /** Spawns the worker; possible only before the drop. */
  constructor(url: URL, start: CourierStart, options: {
    readonly permissions: CourierPermissions;
    readonly events: LinkEvents;
    /** Monotonic milliseconds. */
    readonly nowMs: () => number;
  }) {
    const { permissions: { net, folders, files, sockets, env }, events, nowMs } = options;
    this.#events = events;
    this.#link = new WorkerLink(url, {
      name: "courier",
      permissions: {
        net: [...net, ...sockets.map((path) => `unix:${path}`)],
        read: [...folders, ...files, ...sockets],
        write: [...folders, ...sockets],
        env,
      },
      receive: (message) => this.#receive(message),
      dead: (why) => events.dead(why),
      nowMs,
    });
    this.#link.post(start, start.opamp === undefined ? [...start.ports] : [...start.ports, start.opamp]);
  }

  #receive(message: FromCourier): void {
    switch (message.type) {
      case "ready":
        for (const note of message.notes) this.#events.log(note);
        return this.#ready.resolve(message);
      case "log":
        return this.#events.log(message.record);
      case "report":
        this.#report = message.report;
        break;
      case "posted":
        for (const listener of this.#taps) listener(message.posted);
    }
  }

  /** Resolves when the courier holds its ports and its spool. */
  get ready(): Promise<CourierReady> {
    return this.#ready.promise;
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
    this.#link.post(message, [message.body.buffer]);
  }

  /** Delivers what is there until the deadline, keeps the rest, and resolves with the account of that. */
  async flush(
    options: Pick<CourierFlush, "deadlineMs" | "final" | "brief" | "hasty">,
  ): Promise<DeliveryReport> {
    const answer = await this.#link.ask((id) => ({ type: "flush", id, ...options }));
    if (answer.type !== "flushed") return this.#report;
    this.#report = answer.report;
    return withoutLater(answer.report, answer.left);
  }

  /** Has something done to the spool; `report` is current afterwards. */
  async order(order: SpoolOrder): Promise<SpoolOrderResult> {
    const answer = await this.#link.ask((id) => ({ type: "order", id, order }));
    if (answer.type !== "ordered") return { batches: 0 };
    this.#report = answer.report;
    return answer.result;
  }

  /** What the courier finds it can still do, tried from inside. */
  async probe(): Promise<readonly Probe[]> {
    const answer = await this.#link.ask((id) => ({ type: "probe", id }));
    return answer.type === "probed" ? answer.probes : [];
  }

  /** Reads one file of the read list; a file that is not on it is a fault like any other. */
  async read(path: string): Promise<FileRead> {
    const answer = await this.#link.ask((id) => ({ type: "read", id, path }));
    return answer.type === "read" ? answer.file : { fault: "no answer" };
  }

  /** What the filesystem of the spool has left: the courier may not ask itself. */
  disk(room: { readonly freeBytes: number; readonly totalBytes: number }): void {
    this.#link.post({ type: "disk", ...room });
  }

  /** Tells the service manager; without one nothing happens. */
  notify(state: string): void {
    this.#link.post({ type: "notify", state });
  }

  /** The account as it is now, not as it was last told. */
  async account(): Promise<DeliveryReport> {
    const answer = await this.#link.ask((id) => ({ type: "account", id }));
    if (answer.type === "account") this.#report = answer.report;
    return this.#report;
  }

  /** Renews headers, certificates and proxies of lanes that keep their URL. */
  renew(lanes: readonly LaneConfig[]): void {
    this.#link.post({ type: "renew", lanes });
  }

  /** Tells the listener of every attempt until the returned function is called. */
  tap(listener: (posted: Posted) => void): () => void {
    this.#taps.add(listener);
    this.#link.post({ type: "tap", isOn: true });
    return () => {
      this.#taps.delete(listener);
      if (this.#taps.size === 0) this.#link.post({ type: "tap", isOn: false });
    };
  }

  /** To be called regularly: declares the courier dead when its beat has stopped. */
  watch(): void {
    this.#link.watch();
  }

  close(): void {
    this.#link.close();
  }
}
