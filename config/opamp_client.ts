/**
 * The OpAMP client: carries out what the engine decides. One actor owns the state and works off one event after the
 * other; what fails in a callback, or in the engine itself, is counted and never ends it (opamp 3.2, 3.9).
 * @module
 */
import {
  type AgentDescription,
  type AgentToServer,
  type AvailableComponents,
  type ComponentHealth,
  ConnectionSettingsStatuses as Status,
  type EffectiveConfig,
  type RemoteConfigStatus,
} from "../proto_gen/opamp/opamp_pb.ts";
import { Alarm } from "./opamp_alarm.ts";
import { beginWith, firstState } from "./opamp_beginning.ts";
import { notify } from "./opamp_callbacks.ts";
import { OpampConnection } from "./opamp_connection.ts";
import { step, wakeAt } from "./opamp_engine.ts";
import { formatUid } from "./opamp_identity.ts";
import type { ClientOptions, ClientStatus, FullOptions } from "./opamp_options.ts";
import {
  dirtyFields,
  disconnectMessage,
  heartbeatMessage,
  reportMessage,
  sameBytes,
} from "./opamp_report.ts";
import {
  type Counted,
  type Effect,
  type EngineEvent,
  type EngineState,
  type FieldEvent,
  type FieldName,
} from "./opamp_state.ts";
import type { Failure } from "./opamp_wait.ts";

/** After a fault of our own: long enough not to make things worse. */
const BUG_PAUSE_MS = 30_000;

/** A message sent on demand was not taken by the server. */
export class OpampSendError extends Error {
  override readonly name = "OpampSendError";
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(`Cannot send OpAMP message: ${failure.reason}`);
    this.failure = failure;
  }
}

function settingsOf({ fields }: EngineState): Pick<ClientStatus, "settings"> {
  const said = fields.settingsStatus?.value;
  if (said === undefined) return {};
  const { lastConnectionSettingsHash, status, errorMessage: error } = said;
  const state = status === Status.ConnectionSettingsStatuses_APPLIED
    ? "applied"
    : status === Status.ConnectionSettingsStatuses_FAILED
    ? "failed"
    : "applying";
  return { settings: { hash: lastConnectionSettingsHash.toHex(), state, error } };
}

/** One OpAMP client. Fields set before `start` are in the first message. */
export class OpampClient {
  readonly #options: FullOptions;
  readonly #connection: OpampConnection;
  readonly #events: EngineEvent[] = [];
  readonly #counters: Partial<Record<Counted, number>> = {};
  readonly #waiting: Map<number, (failure?: Failure) => void> = new Map();
  readonly #untold: Set<{ readonly name: FieldName; readonly done: () => void }> = new Set();
  readonly #stopped: PromiseWithResolvers<void> = Promise.withResolvers();
  #state: EngineState;
  #isBusy = false;
  #isStarted = false;
  readonly #alarm: Alarm;
  #failure: Failure | undefined;
  #requests = 0;

  /** Throws TypeError or SyntaxError when endpoint or identity cannot be used. Nothing is sent before `start`. */
  constructor(options: ClientOptions) {
    this.#options = beginWith(options);
    this.#state = firstState(this.#options);
    this.#alarm = new Alarm(this.#options.clock, () => this.#dispatch({ type: "timer" }));
    this.#connection = new OpampConnection(this.#options, {
      uid: () => this.instanceUid,
      emit: (event) => this.#dispatch(event),
      log: (line) => this.#options.log?.(line),
    });
  }

  /** Begins to talk; returns at once. A client is started once. */
  start(): void {
    if (this.#isStarted) throw new TypeError("Cannot start OpAMP client: it was started before");
    this.#isStarted = true;
    const { own = [] } = this.#options.memory ?? {};
    if (own.length > 0) this.#perform({ type: "ownTelemetry", offers: own });
    this.#dispatch({ type: "timer" });
  }

  /** Says goodbye to the server and ends, within 2 s. May be called again. */
  stop(): Promise<void> {
    this.#isStarted = true;
    this.#dispatch({ type: "stop" });
    return this.#stopped.promise;
  }

  /** Each setter replaces a part of the state and is sent when it differs from what the server has; true: it did change. */
  setDescription(value: AgentDescription): boolean {
    return this.#set({ type: "field", name: "description", value });
  }

  /** Sent 2 s after a change, and at most every 30 s, so that a flapping part does not flood the server. */
  setHealth(value: ComponentHealth): boolean {
    return this.#set({ type: "field", name: "health", value });
  }

  setEffectiveConfig(value: EffectiveConfig): boolean {
    return this.#set({ type: "field", name: "effectiveConfig", value });
  }

  setRemoteConfigStatus(value: RemoteConfigStatus): boolean {
    return this.#set({ type: "field", name: "remoteConfigStatus", value });
  }

  /** Reports carry the hash; the components themselves follow when the server asks. */
  setComponents(value: AvailableComponents): boolean {
    return this.#set({ type: "field", name: "components", value });
  }

  #set(event: FieldEvent): boolean {
    const before = this.#state.fields[event.name]?.content;
    this.#dispatch(event);
    const after = this.#state.fields[event.name]?.content;
    return before === undefined || after === undefined || !sameBytes(before, after);
  }

  /** Resolves once the server has this part as it is now, or the client has ended. */
  told(name: FieldName): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#untold.add({ name, done: resolve });
    this.#noticeTold();
    return promise;
  }

  #noticeTold(): void {
    const dirty = dirtyFields(this.#state);
    for (const waiting of this.#untold) {
      if (dirty.includes(waiting.name) && !this.#state.stopped) continue;
      this.#untold.delete(waiting);
      waiting.done();
    }
  }

  /** Sends a part again although the server has it. */
  repeat(name: FieldName): void {
    this.#dispatch({ type: "repeat", name });
  }

  /** Polls and heartbeats come this often from now on, until the server wishes otherwise. */
  setInterval(intervalMs: number): void {
    this.#dispatch({ type: "setInterval", intervalMs });
  }

  /** Everything is said again with the next message. */
  reportFullState(): void {
    this.#dispatch({ type: "fullState" });
  }

  /**
   * Sends a message out of turn, with attempts of its own (default 1). Resolves when the server took it; rejects with
   * an `OpampSendError` after the last attempt. Identity, capabilities and number are set here.
   */
  send(message: AgentToServer, { attempts = 1 }: { readonly attempts?: number } = {}): Promise<void> {
    const id = ++this.#requests;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.set(id, (failure) => failure ? reject(new OpampSendError(failure)) : resolve());
    this.#dispatch({ type: "request", request: { id, message, attemptsLeft: Math.max(1, attempts) } });
    return promise;
  }

  /** A message with the whole state. */
  fullStateMessage(): AgentToServer {
    return reportMessage(this.#state, { full: true, allComponents: false }).message;
  }

  /** A message that says no more than "still here". */
  heartbeatMessage(): AgentToServer {
    return heartbeatMessage(this.#state);
  }

  /** A message that says goodbye. `stop` sends one by itself. */
  disconnectMessage(): AgentToServer {
    return disconnectMessage(this.#state);
  }

  /** A message with the status of remote configuration and nothing else. */
  remoteConfigStatusMessage(status: RemoteConfigStatus): AgentToServer {
    const message = heartbeatMessage(this.#state);
    message.remoteConfigStatus = status;
    return message;
  }

  get instanceUid(): string {
    return formatUid(this.#state.uid);
  }

  status(): ClientStatus {
    return {
      endpoint: this.#connection.endpoint,
      isConnected: this.#state.hasConnected && this.#failure === undefined && !this.#state.stopped,
      instanceUid: this.instanceUid,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      intervalMs: this.#state.intervalMs,
      ...settingsOf(this.#state),
      counters: { ...this.#counters },
    };
  }

  /** Events are worked off one after the other, also those that an effect causes. */
  #dispatch(event: EngineEvent): void {
    this.#events.push(event);
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#work(next);
    this.#isBusy = false;
    this.#noticeTold();
    this.#alarm.set(this.#isStarted ? wakeAt(this.#state) : Infinity);
  }

  #work(event: EngineEvent): void {
    const { clock } = this.#options;
    // Before `start` it is never time to send: fields are only taken in.
    const now = this.#isStarted ? clock.mono() : -Infinity;
    try {
      const { state, effects } = step(this.#state, event, { now, random: clock.random });
      this.#state = state;
      for (const effect of effects) this.#perform(effect);
    } catch (error) {
      this.#count("bugs");
      const fields = { reason: String(error).slice(0, 200) };
      this.#options.log?.({ level: "warn", event: "opamp fault of our own", fields });
      this.#state = { ...this.#state, inFlight: undefined, holdUntil: now + BUG_PAUSE_MS };
    }
  }

  #count(what: Counted): void {
    this.#counters[what] = (this.#counters[what] ?? 0) + 1;
  }

  #perform(effect: Effect): void {
    if (this.#connection.perform(effect)) return;
    switch (effect.type) {
      case "count":
        return this.#count(effect.what);
      case "log": {
        const { level, event, fields } = effect;
        return this.#options.log?.({ level, event, fields });
      }
      case "requestDone":
        this.#waiting.get(effect.id)?.(effect.failure);
        this.#waiting.delete(effect.id);
        return;
      case "stopped":
        return this.#end();
      case "connectFailed":
        this.#failure = effect.failure;
        break;
      case "connected":
        this.#failure = undefined;
        break;
    }
    const fault = notify(effect, this.#options.callbacks ?? {}, this);
    if (fault === undefined) return;
    this.#options.log?.({ level: "warn", event: "opamp callback failed", fields: { reason: fault } });
  }

  #end(): void {
    for (const settle of this.#waiting.values()) {
      settle({ kind: "refused", reason: "the client has stopped" });
    }
    this.#waiting.clear();
    this.#connection.close();
    this.#stopped.resolve();
  }
}
