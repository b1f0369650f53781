/**
 * The OpAMP session as the courier hosts it: what the sensor says over its port becomes the session's state, what the
 * server wants goes back as a request. It writes STATE/remote and the identity, and nothing else (design 2).
 * @module
 */
import type { Clock } from "../exporters/clock.ts";
import type { LogRecord } from "../exporters/messages.ts";
import { storeUid } from "./instance.ts";
import { readCredentials } from "./opamp_credentials.ts";
import { type LinkMemory, parseMemory } from "./opamp_memory.ts";
import type { FromOpamp, LinkTry, OpampReport, OpampStart, RunningConfig, ToOpamp } from "./opamp_port.ts";
import { type OwnParts, OwnTelemetry } from "./opamp_own.ts";
import { OpampSession, type SessionOptions } from "./opamp_session.ts";
import { remoteStore, rulesOf } from "./opamp_store.ts";
import { tryLink } from "./opamp_try.ts";
import { describeAgent, describeComponents, describeHealth, type Health } from "./opamp_values.ts";
import { effectiveConfigFile } from "./remote_effective.ts";
import { judgeValues } from "./remote_policy.ts";
import type { RemoteStatus } from "./remote_record.ts";
import type { RemoteStore } from "./remote_store.ts";
import type { Observation, RemoteTarget, Swap } from "./remote_target.ts";

/** What the courier lends. */
export interface HostParts {
  readonly port: MessagePort;
  readonly clock: Clock;
  readonly log: (record: LogRecord) => void;
  /** True while the last word of a destination was a failure. */
  readonly isExportFailing: () => boolean;
  /** Delivery of own telemetry. */
  readonly openOwn: OwnParts["open"];
}

/** How often the report for `status` is made anew, at most. */
const REPORT_SPACING_MS = 100;
const TELL_MAX_MS = 2_000;
/** Within the time that a farewell has. */
const OWN_STOP_MS = 1_000;

async function readMemory(store: RemoteStore): Promise<LinkMemory | undefined> {
  try {
    const bytes = await store.read("link.json");
    return bytes === undefined ? undefined : parseMemory(new TextDecoder().decode(bytes));
  } catch {
    await store.setAside("link.json").catch(() => {});
    return undefined;
  }
}

function remoteHealth(status: RemoteStatus | undefined): Record<string, Health> {
  if (status === undefined) return {};
  const { state, error } = status;
  return { remote_config: { healthy: state !== "failed", status: state, lastError: error } };
}

/** One session and the sensor's end of it. */
class OpampHost {
  readonly #parts: HostParts;
  readonly #start: OpampStart;
  readonly #store: RemoteStore;
  readonly #own: OwnTelemetry;
  readonly #applying = new Map<number, (swap: Swap) => void>();
  #running: RunningConfig;
  #observation: Omit<Observation, "isExportFailing">;
  #health: Health;
  #healthText = "";
  #session: OpampSession | undefined;
  #reporting: ReturnType<typeof setTimeout> | undefined;
  #requests = 0;

  constructor(parts: HostParts, start: OpampStart) {
    this.#parts = parts;
    this.#start = start;
    this.#store = remoteStore(start.stateDir);
    this.#own = new OwnTelemetry({
      open: parts.openOwn,
      transport: () => this.#ownTransport(),
      feed: (lanes) => this.#send({ type: "own", lanes }),
      log: (record) => this.#send({ type: "aside", record }),
    });
    this.#running = start.running;
    this.#health = start.health;
    this.#observation = { cycles: 0, intervalMs: 0 };
  }

  /** Opens the link. Throws when the settings cannot be used. */
  async open(): Promise<void> {
    const { identifying, other, components } = this.#start;
    const session = this.#session = new OpampSession({
      client: await this.#clientOptions(),
      callbacks: {
        onConnect: () => this.#changed(),
        onConnectFailed: () => this.#changed(),
        onMessage: () => this.#changed(),
        onInstanceUid: (_, uid) => this.#adopt(uid),
        onOwnTelemetry: (_, offers) => this.#own.take(offers),
        onRestart: () => this.#send({ type: "restart" }),
      },
      onStatus: () => this.#changed(),
      ...this.#machine(),
      effective: () => effectiveConfigFile(this.#running.values, this.#start.rules.destinations),
    });
    session.client.setDescription(describeAgent(identifying, other));
    session.client.setComponents(await describeComponents(components));
    this.#tellHealth();
    session.start();
  }

  receive(message: Exclude<ToOpamp, LinkTry>): void {
    switch (message.type) {
      case "observed":
        this.#observation = message.observation;
        this.#health = message.health;
        return this.#tellHealth();
      case "running":
        if (message.running.intervalMs !== this.#running.intervalMs) {
          this.#session?.client.setInterval(message.running.intervalMs);
        }
        this.#running = message.running;
        // On probation it is told together with the outcome.
        if (this.#session?.machine?.phase !== "probation") this.#session?.refresh();
        return;
      case "applied":
        this.#applying.get(message.id)?.(message.swap);
        this.#applying.delete(message.id);
        return;
      case "own":
        this.#own.accept(message.batch);
        return this.#changed();
      case "stop":
        return void this.#stop();
    }
  }

  /** Own telemetry is believed and routed as the link is; its credentials are those of the offer. */
  #ownTransport(): ReturnType<OwnParts["transport"]> {
    const { caCerts = [], proxy } = readCredentials(this.#start.settings);
    return { caCerts, ...(proxy === undefined ? {} : { proxy }) };
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#reporting);
    await Promise.all([this.#session?.stop(), this.#own.stop(OWN_STOP_MS)]);
    this.#send({ type: "stopped" });
  }

  #send(message: FromOpamp): void {
    this.#parts.port.postMessage(message);
  }

  async #clientOptions(): Promise<SessionOptions["client"]> {
    const { settings, product, instanceUid } = this.#start;
    const { endpoint, openings, allowedOrigins, intervalMs, timeoutMs, messageBytesMax } = settings;
    const memory = await readMemory(this.#store);
    const { clock, log } = this.#parts;
    return {
      ...{ endpoint, instanceUid, clock, openings, allowedOrigins, intervalMs, timeoutMs, messageBytesMax },
      userAgent: product,
      // Rejecting, it is an attempt that failed: the next one reads the files again.
      credentials: () => Promise.try(readCredentials, settings),
      log,
      ...(memory === undefined ? {} : { memory }),
      ...(this.#start.stateDir === undefined ? {} : {
        remember: (next) => this.#store.write("link.json", new TextEncoder().encode(JSON.stringify(next))),
      }),
    };
  }

  #machine(): Pick<SessionOptions, "machine"> {
    const { boot, settings, rules, context } = this.#start;
    if (boot === undefined) return {};
    const { probationMs, stalenessMs } = settings;
    const { clock, log } = this.#parts;
    const options = {
      ...{ store: this.#store, target: this.#target(), clock, probationMs, context },
      ...(stalenessMs === undefined ? {} : { stalenessMs }),
      judge: (values: Readonly<Record<string, unknown>>) =>
        judgeValues(values, { ...rulesOf(rules), locked: this.#running.locked }),
      note: (what: string) => log({ level: "warn", event: what }),
    };
    return { machine: { options, state: boot } };
  }

  #target(): RemoteTarget {
    return {
      apply: async (overlay) => {
        const id = ++this.#requests;
        const { promise, resolve } = Promise.withResolvers<Swap>();
        this.#applying.set(id, resolve);
        this.#send({ type: "apply", id, overlay });
        const swap = await promise;
        if (swap.kind !== "restart" || this.#start.stateDir !== undefined) return swap;
        return { kind: "refused", reason: "needs a restart, and no state directory would carry it over" };
      },
      restart: () => void this.#leave(),
      observe: () => ({ ...this.#observation, isExportFailing: this.#parts.isExportFailing() }),
    };
  }

  /** The server shall have the last status; one that hangs is not waited for. */
  async #leave(): Promise<void> {
    const over = new AbortController();
    const told = this.#session?.client.told("remoteConfigStatus");
    await Promise.race([told, this.#parts.clock.sleep(TELL_MAX_MS, over.signal)]);
    over.abort();
    this.#send({ type: "leave" });
  }

  #adopt(uid: string): void {
    const { stateDir } = this.#start;
    try {
      if (stateDir !== undefined) storeUid(stateDir, uid);
    } catch (error) {
      const fields = { why: error instanceof Error ? error.message : String(error) };
      this.#parts.log({ level: "warn", event: "instance.json cannot be written", fields });
    }
    const identifying = { ...this.#start.identifying, "service.instance.id": uid };
    this.#session?.client.setDescription(describeAgent(identifying, this.#start.other));
    this.#send({ type: "uid", uid });
    this.#changed();
  }

  #tellHealth(): void {
    const { client, machine } = this.#session ?? {};
    if (client === undefined) return;
    const phase = machine?.phase ?? "steady";
    const components = { ...this.#health.components, ...remoteHealth(machine?.status) };
    const health = { ...this.#health, components, status: phase === "steady" ? "running" : phase };
    const text = JSON.stringify(health);
    if (text === this.#healthText) return;
    this.#healthText = text;
    client.setHealth(describeHealth({ ...health, statusTimeMs: this.#parts.clock.wall() }));
    this.#changed();
  }

  /** Several changes make one report. */
  #changed(): void {
    this.#reporting ??= setTimeout(() => {
      this.#reporting = undefined;
      this.#tellHealth();
      this.#send({ type: "report", report: this.#report() });
    }, REPORT_SPACING_MS);
  }

  #report(): OpampReport {
    const { client, machine } = this.#session ?? {};
    if (client === undefined) throw new Error("BUG: a report without a session");
    const { counters: _, ...status } = client.status();
    const own = this.#own.report();
    const known = { ...status, ...(own.length === 0 ? {} : { own }) };
    if (machine === undefined) return { ...known, phase: "steady" };
    const { hash, state, error } = machine.status;
    return { ...known, phase: machine.phase, offer: { hash: hash.toHex(), state, error } };
  }
}

async function answerTry(request: LinkTry, { port, clock }: HostParts): Promise<void> {
  const answer: FromOpamp = { type: "tried", result: await tryLink(request, clock) };
  port.postMessage(answer);
}

/** Serves the port: a session begins with the first message, which is its start, or the link is tried once. */
export function hostOpamp(parts: HostParts): void {
  let host: OpampHost | undefined;
  parts.port.onmessage = async ({ data }: MessageEvent<ToOpamp>): Promise<void> => {
    if (data.type === "try") return await answerTry(data, parts);
    if (data.type !== "start") return host?.receive(data);
    host = new OpampHost(parts, data);
    try {
      await host.open();
    } catch (error) {
      const fields = { why: error instanceof Error ? error.message : String(error) };
      parts.log({ level: "error", event: "opamp link cannot be opened", fields });
    }
  };
}
