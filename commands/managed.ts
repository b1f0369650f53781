/**
 * The sensor's end of the OpAMP session: starts it, tells it after each cycle how things go, applies what the server
 * was allowed to change, and keeps its report for `status`. The session itself runs in the courier (design 2).
 * @module
 */
import type { Attributes, Snapshot } from "../collectors/metric.ts";
import type { FromOpamp, OpampReport, ToOpamp } from "../config/opamp_port.ts";
import type { Health } from "../config/opamp_values.ts";
import type { Overlay } from "../config/remote_policy.ts";
import type { Swap } from "../config/remote_target.ts";
import { sleep } from "../exporters/clock.ts";
import type { Agent } from "./agent.ts";
import { PRODUCT, VERSION } from "./build.ts";
import type { Change } from "./live.ts";
import { healthOf } from "./managed_health.ts";
import { type ManagedStart, runningConfig } from "./managed_start.ts";
import type { OwnFeed } from "./own_feed.ts";
import type { Service } from "./service.ts";

/** What the sensor's end is made of. */
export interface ManagedParts {
  readonly start: ManagedStart;
  readonly port: MessagePort;
  readonly agent: Agent;
  readonly service: Service;
  /** The process has to end with 75, for a supervisor to start it again. */
  readonly restart: () => void;
}

/** A server that hangs holds up the end of the process no longer than this. */
const FAREWELL_MS = 1_900;
const RESTART_SPACING_MS = 10_000;

const IDENTIFYING = /^service\.(name|namespace|version|instance\.id)$/;

function split(resource: Attributes): { identifying: Attributes; other: Attributes } {
  const entries = Object.entries(resource);
  return {
    identifying: Object.fromEntries(entries.filter(([key]) => IDENTIFYING.test(key))),
    other: Object.fromEntries(entries.filter(([key]) => !IDENTIFYING.test(key))),
  };
}

function swapOf({ outcome, why }: Change): Swap {
  const reason = why.join("; ");
  switch (outcome) {
    case "applied":
    case "unchanged":
      return { kind: "done" };
    case "restart":
      return { kind: "restart" };
    case "refused":
      return { kind: "refused", reason: `${reason}: needs a restart, which only a supervisor makes` };
    case "broken":
      return { kind: "refused", reason };
  }
}

export class Managed {
  readonly #parts: ManagedParts;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #startedMs: number;
  readonly #feed: OwnFeed | undefined;
  readonly #beganMs: number = performance.now();
  #reloadedMs = -Infinity;
  #restarting: ReturnType<typeof setTimeout> | undefined;
  #cycles = 0;
  #report: OpampReport | undefined;

  constructor(parts: ManagedParts, startedMs: number) {
    this.#parts = parts;
    this.#startedMs = startedMs;
    this.#feed = this.#openFeed();
    parts.port.onmessage = ({ data }: MessageEvent<FromOpamp>) => this.#receive(data);
    this.#start();
    this.#follow();
  }

  /** As the courier last told it; undefined before it did. */
  get report(): OpampReport | undefined {
    const report = this.#report;
    if (report?.own === undefined || this.#feed === undefined) return report;
    return { ...report, own: this.#feed.account(report.own) };
  }

  /** After each cycle; one that found nothing is none. */
  observe(snapshot: Snapshot): void {
    if (snapshot.points.length > 0) this.#cycles++;
    this.#feed?.cycle(snapshot);
    this.#observed();
  }

  /** Says goodbye to the server; resolves within 2 s. */
  async stop(): Promise<void> {
    clearTimeout(this.#restarting);
    this.#feed?.flush();
    this.#parts.start.begun.log.listen(undefined);
    this.#post({ type: "stop" });
    const over = new AbortController();
    await Promise.race([this.#stopped.promise, sleep(FAREWELL_MS, over.signal)]);
    over.abort();
    this.#parts.port.close();
  }

  /** False where the operator chose what the telemetry's identity is. */
  get #ownsIdentity(): boolean {
    return this.#parts.start.begun.settings.resourceAttributes["service.instance.id"] === undefined;
  }

  #post(message: ToOpamp, transfer: Transferable[] = []): void {
    this.#parts.port.postMessage(message, transfer);
  }

  #openFeed(): OwnFeed | undefined {
    const { agent, start: { begun, openFeed } } = this.#parts;
    const feed = openFeed?.({
      send: (batch) => this.#post({ type: "own", batch }, [batch.body.buffer]),
      resource: () => agent.sensor.resource,
      bootId: agent.sensor.bootId,
    });
    if (feed === undefined) return undefined;
    begun.log.listen((level, event, fields) => feed.line(level, event, fields));
    agent.alsoCount(() => this.report?.own ?? []);
    return feed;
  }

  #start(): void {
    const { agent, service, start: { begun, rules, boot, context, instanceUid } } = this.#parts;
    const { opamp: settings } = begun.settings;
    if (settings === undefined) throw new Error("BUG: managed without settings");
    const { resource } = agent.sensor;
    const components = agent.sensor.stats().map(({ name }) => [`collector/${name}`, VERSION]);
    const exporters = begun.settings.destinations.map(({ preset }) => [`exporter/${preset}`, VERSION]);
    const restarts = settings.restart === "reload" || begun.settings.isSupervised;
    this.#post({
      type: "start",
      settings: {
        ...settings,
        openings: { ...settings.openings, restart: settings.restart !== "off" && restarts },
      },
      product: PRODUCT,
      // Without a state directory the resource has an identity of this life only, and that is the one.
      instanceUid: this.#ownsIdentity ? String(resource["service.instance.id"]) : instanceUid,
      ...split(resource),
      components: Object.fromEntries([...components, ...exporters]),
      health: this.#health(),
      running: runningConfig(service.live.loaded, service.live.settings),
      rules,
      ...(boot === undefined ? {} : { boot }),
      context,
      ...(agent.stateDir === undefined ? {} : { stateDir: agent.stateDir }),
    });
  }

  /** Tells the courier of every change of configuration, whoever made it. */
  #follow(): void {
    const { live } = this.#parts.service;
    live.changed.addEventListener("abort", () => {
      this.#post({ type: "running", running: runningConfig(live.loaded, live.settings) });
      this.#observed();
      this.#follow();
    }, { once: true });
  }

  #observed(): void {
    const { intervalMs } = this.#parts.service.live;
    this.#post({
      type: "observed",
      observation: { cycles: this.#cycles, intervalMs },
      health: this.#health(),
    });
  }

  #health(): Health {
    const { agent, service } = this.#parts;
    return { ...healthOf(agent, service.vitals), startTimeMs: this.#startedMs };
  }

  #receive(message: FromOpamp): void {
    switch (message.type) {
      case "apply":
        return void this.#apply(message.id, message.overlay);
      case "report":
        this.#report = message.report;
        return;
      case "uid":
        if (this.#ownsIdentity) this.#parts.agent.sensor.identify(message.uid);
        return;
      case "restart":
        return this.#restart();
      case "own":
        return void this.#feed?.follow(message.lanes);
      case "aside": {
        const { level, event, fields } = message.record;
        return this.#parts.start.begun.log.aside(level, event, fields);
      }
      case "leave":
        return this.#parts.restart();
      case "stopped":
        return this.#stopped.resolve();
    }
  }

  async #apply(id: number, overlay: Overlay): Promise<void> {
    this.#post({ type: "applied", id, swap: swapOf(await this.#parts.service.reload(overlay)) });
  }

  /** A server that commands it again and again gets one in a while: each costs data. */
  #restart(): void {
    if (this.#restarting !== undefined) return;
    const { start, service, restart } = this.#parts;
    const { settings, log } = start.begun;
    const isExit = settings.opamp?.restart === "exit";
    // A process ends once: what is spaced out then is the lives.
    const lastMs = isExit ? this.#beganMs : this.#reloadedMs;
    const waitMs = Math.max(0, lastMs + RESTART_SPACING_MS - performance.now());
    log.info("restart asked for by the OpAMP server", {
      how: settings.opamp?.restart ?? "off",
      ...(waitMs > 0 && { in: `${Math.ceil(waitMs / 1000)}s` }),
    });
    this.#restarting = setTimeout(() => {
      this.#restarting = undefined;
      this.#reloadedMs = performance.now();
      if (isExit) restart();
      else void service.reload();
    }, waitMs);
  }
}
