/**
 * What the OpAMP engine knows, what can happen to it and what it asks for: plain data, so that a run of the protocol
 * is a list of events that can be replayed. Times are milliseconds of the monotonic clock.
 * @module
 */
import type {
  AgentDescription,
  AgentRemoteConfig,
  AgentToServer,
  AvailableComponents,
  ComponentHealth,
  ConnectionSettingsStatus,
  EffectiveConfig,
  RemoteConfigStatus,
  ServerErrorResponse,
  ServerToAgent,
} from "../proto_gen/opamp/opamp_pb.ts";
import type { LinkOffer, OfferPolicy, TelemetryOffer } from "./opamp_offer.ts";
import type { Failure } from "./opamp_wait.ts";

/** The parts of a report that may be left out while unchanged (opamp 1.4), by our name for them. */
export interface Reportable {
  readonly description: AgentDescription;
  readonly health: ComponentHealth;
  readonly effectiveConfig: EffectiveConfig;
  readonly remoteConfigStatus: RemoteConfigStatus;
  readonly components: AvailableComponents;
  readonly settingsStatus: ConnectionSettingsStatus;
}
export type FieldName = keyof Reportable;

/** A field with its encoded form, which tells whether the server has it already. */
export interface Field<T> {
  readonly value: T;
  readonly content: Uint8Array;
  /** As the server last took it; absent: it never did. */
  readonly acked?: Uint8Array;
}
export type Fields = { readonly [N in FieldName]?: Field<Reportable[N]> };

/** What never changes while a client lives. */
export interface EngineConfig {
  readonly transport: "http" | "websocket";
  readonly capabilities: bigint;
  readonly intervalMs: number;
  readonly policy: OfferPolicy;
}

/** A message on its way, with what its acceptance will mean. */
export interface Outgoing {
  readonly kind: "report" | "request" | "disconnect";
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sequence: bigint;
  readonly included: Readonly<Partial<Record<FieldName, Uint8Array>>>;
  readonly full: boolean;
  readonly allComponents: boolean;
  /** Nothing but what every message must hold. */
  readonly bare: boolean;
}

/** A message the user of the library wants sent, with attempts of its own. */
export interface SendRequest {
  readonly id: number;
  readonly message: AgentToServer;
  readonly attemptsLeft: number;
}

/** New settings for this link under test: said first, then left for, then tried (opamp 1.8). */
export interface Trial {
  readonly offer: LinkOffer;
  readonly phase: "announcing" | "leaving" | "trying";
}

/** How many at once, and how often one more. */
export interface Rate {
  readonly burst: number;
  readonly refillMs: number;
}

/** Tokens that were left at a time. */
export interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** Everything the engine remembers. Treated as immutable: `step` returns the next one. */
export interface EngineState {
  readonly config: EngineConfig;
  uid: Uint8Array;
  requestsUid: boolean;
  /** Of the last message made. */
  sequence: bigint;
  fields: Fields;
  /** 0: not said yet. */
  serverBits: bigint;
  link: "closed" | "opening" | "open";
  openedAt: number;
  inFlight: Outgoing | undefined;
  /** Failed without an answer: repeated with its number while it would be the same bytes (A8). */
  unanswered: Outgoing | undefined;
  /** Everything shall be said again. */
  wantsFull: boolean;
  wantsComponents: boolean;
  /** Asked for too often: said with a later heartbeat. */
  owesFull: boolean;
  owesComponents: boolean;
  /** What a server asks for of full reports is given no more often than this gives. */
  reporting: Bucket;
  /** What a server changes of link and identity is taken no more often than this gives. */
  steering: Bucket;
  intervalMs: number;
  /** When the next heartbeat is due; Infinity: never. */
  dueAt: number;
  /** When what has changed shall be said; Infinity: nothing has. */
  soonAt: number;
  healthSentAt: number;
  /** Nothing is sent before. */
  holdUntil: number;
  failures: number;
  /** Kinds of failure logged since the link was lost, and when the last line was. */
  logged: { readonly kinds: readonly string[]; readonly at: number } | undefined;
  hasConnected: boolean;
  /** The whole configuration was too large: a stub stands for it. */
  shortened: boolean;
  requests: readonly SendRequest[];
  trial: Trial | undefined;
  /** Hash of the last connection offer judged. */
  judgedOffer: Uint8Array | undefined;
  /** A disconnect message goes next, and what follows it. */
  leaving: "wait" | "switch" | "stop" | undefined;
  stopBy: number | undefined;
  stopped: boolean;
}

export type FieldEvent = {
  readonly [N in FieldName]: {
    readonly type: "field";
    readonly name: N;
    readonly value: Reportable[N];
  };
}[FieldName];

export type EngineEvent =
  | FieldEvent
  | { readonly type: "timer" }
  /** WebSocket: the upgrade succeeded. */
  | { readonly type: "opened" }
  /** WebSocket: the frame was written. */
  | { readonly type: "sent" }
  | { readonly type: "answer"; readonly message: ServerToAgent }
  | { readonly type: "failure"; readonly failure: Failure }
  | { readonly type: "request"; readonly request: SendRequest }
  /** Say a field again although the server has it (A4). */
  | { readonly type: "repeat"; readonly name: FieldName }
  | { readonly type: "fullState" }
  | { readonly type: "setInterval"; readonly intervalMs: number }
  | { readonly type: "stop" };

/** What the counters count; every message that is not used for what it was meant is one of them. */
export type Counted =
  | "sent"
  | "answers"
  | "failures"
  | "malformed"
  | "uid_mismatch"
  | "bad_uid"
  | "full_state_requests"
  | "full_state_deferred"
  | "error_responses"
  | "offers_refused"
  | "offers_ignored"
  | "steering_declined"
  | "commands_ignored"
  | "packages_refused"
  | "custom_messages_declined"
  | "bugs";

/** What the engine wants done; carried out by the client in this order. */
export type Effect =
  | { readonly type: "connect" }
  | { readonly type: "send"; readonly bytes: Uint8Array<ArrayBuffer>; readonly uid: Uint8Array }
  | { readonly type: "close" }
  /** Give up the request in flight. */
  | { readonly type: "abort" }
  | { readonly type: "connected" }
  | { readonly type: "connectFailed"; readonly failure: Failure; readonly waitMs: number }
  | { readonly type: "error"; readonly response: ServerErrorResponse }
  | { readonly type: "message"; readonly message: ServerToAgent }
  | { readonly type: "remoteConfig"; readonly config: AgentRemoteConfig }
  | { readonly type: "uid"; readonly uid: Uint8Array }
  | { readonly type: "interval"; readonly intervalMs: number }
  | { readonly type: "ownTelemetry"; readonly offers: readonly TelemetryOffer[] }
  /** How an offer ended. */
  | { readonly type: "settled"; readonly hash: Uint8Array; readonly isApplied: boolean }
  /** Save the candidate; then use it; then keep it or go back. */
  | { readonly type: "candidate"; readonly offer: LinkOffer }
  | { readonly type: "switch"; readonly offer: LinkOffer }
  | { readonly type: "commit"; readonly offer: LinkOffer }
  | { readonly type: "revert"; readonly reason: string }
  | { readonly type: "restart" }
  | { readonly type: "requestDone"; readonly id: number; readonly failure?: Failure }
  | { readonly type: "count"; readonly what: Counted }
  | {
    readonly type: "log";
    readonly level: "info" | "warn";
    readonly event: string;
    readonly fields: Readonly<Record<string, string | number>>;
  }
  | { readonly type: "stopped" };

/** One step under way: a copy of the state that may be written, and what has come out of it so far. */
export interface Turn {
  readonly state: EngineState;
  readonly effects: Effect[];
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Changes that come one soon after the other are said together. */
export const COALESCE_MS = 50;
/** Full reports a server may ask for in a burst, and how often one more. */
export const REPORTS: Rate = { burst: 3, refillMs: 30_000 };
/** Changes of interval, settings and identity that are taken at once, and how often one more. */
export const STEERING: Rate = { burst: 10, refillMs: 10_000 };

/** A state before the first message. `trial`: an offer whose test a crash interrupted. */
export function initialState(config: EngineConfig, start: {
  readonly uid: Uint8Array;
  readonly now: number;
  readonly requestsUid?: boolean;
  readonly intervalMs?: number | undefined;
  readonly trial?: LinkOffer | undefined;
  /** Hash of the offer that the last life took. */
  readonly applied?: Uint8Array | undefined;
}): EngineState {
  const { uid, now, requestsUid = false, intervalMs = config.intervalMs, trial, applied } = start;
  return {
    config,
    uid,
    requestsUid,
    sequence: -1n,
    fields: {},
    serverBits: 0n,
    // Polling has no connection to open.
    link: config.transport === "http" ? "open" : "closed",
    openedAt: now,
    inFlight: undefined,
    unanswered: undefined,
    wantsFull: true,
    wantsComponents: false,
    owesFull: false,
    owesComponents: false,
    reporting: { tokens: REPORTS.burst, at: now },
    steering: { tokens: STEERING.burst, at: now },
    intervalMs,
    dueAt: now,
    soonAt: Infinity,
    healthSentAt: -Infinity,
    holdUntil: now,
    failures: 0,
    logged: undefined,
    hasConnected: false,
    shortened: false,
    requests: [],
    trial: trial === undefined ? undefined : { offer: trial, phase: "trying" },
    judgedOffer: applied,
    leaving: undefined,
    stopBy: undefined,
    stopped: false,
  };
}
