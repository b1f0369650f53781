/**
 * What an OpAMP client is made with and what it tells its user: options, callbacks, status (opamp 2.1, 3.3).
 * @module
 */
import type { Clock } from "../exporters/clock.ts";
import type { AgentRemoteConfig, ServerErrorResponse, ServerToAgent } from "../proto_gen/opamp/opamp_pb.ts";
import type { Openings } from "./opamp_bits.ts";
import type { OpampClient } from "./opamp_client.ts";
import type { OpenHttp } from "./opamp_fetch.ts";
import type { Credentials } from "./opamp_link.ts";
import type { LinkMemory } from "./opamp_memory.ts";
import type { TelemetryOffer } from "./opamp_offer.ts";
import type { Counted } from "./opamp_state.ts";
import type { Failure } from "./opamp_wait.ts";

/** What a server's message brought, as callbacks get it. */
export interface MessageData {
  readonly remoteConfig?: AgentRemoteConfig;
  /** The whole message. Parts whose capability is not claimed are in it, but mean nothing. */
  readonly message: ServerToAgent;
}

/** Called as things happen; all optional. What they throw is logged and goes no further. */
export interface Callbacks {
  /** The server answered, for the first time or after failures. */
  readonly onConnect?: (client: OpampClient) => void;
  /** An attempt failed; the next one follows in `waitMs`. */
  readonly onConnectFailed?: (client: OpampClient, failure: Failure, waitMs: number) => void;
  /** The server answered with an error. */
  readonly onError?: (client: OpampClient, response: ServerErrorResponse) => void;
  readonly onMessage?: (client: OpampClient, data: MessageData) => void;
  /** Remote configuration was offered and is accepted by capability. */
  readonly onRemoteConfig?: (client: OpampClient, config: AgentRemoteConfig) => void;
  /** The server assigned another identity (UUID text): keep it, and use it in the telemetry's resource. */
  readonly onInstanceUid?: (client: OpampClient, uid: string) => void;
  /** Own telemetry shall go there from now on. */
  readonly onOwnTelemetry?: (client: OpampClient, offers: readonly TelemetryOffer[]) => void;
  readonly onRestart?: (client: OpampClient) => void;
}

/** A line for a log: what happened, in lower case, and its figures. */
export interface ClientLog {
  readonly level: "info" | "warn";
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** Everything a client needs to know; only endpoint, identity and clock have no default. */
export interface ClientOptions {
  /** http and https poll, ws and wss hold a connection. An empty path becomes `/v1/opamp`. */
  readonly endpoint: string;
  /** UUID text. */
  readonly instanceUid: string;
  readonly clock: Clock;
  /** Asked before each attempt. Default: none. */
  readonly credentials?: () => Promise<Credentials>;
  readonly openings?: Openings;
  /** Origins that offers may lead to, beside the endpoint's own. */
  readonly allowedOrigins?: readonly string[];
  /** Polling and heartbeat. Default 30 s. */
  readonly intervalMs?: number;
  /** Default 30 s. */
  readonly timeoutMs?: number;
  /** Default 4 MiB, in either direction. */
  readonly messageBytesMax?: number;
  /** gzip for HTTP requests over 8 KiB, permessage-deflate over WebSocket. Default true. */
  readonly compression?: boolean;
  readonly userAgent?: string;
  /** Ask the server to choose the identity. */
  readonly requestsInstanceUid?: boolean;
  readonly callbacks?: Callbacks;
  readonly log?: (line: ClientLog) => void;
  /** What `remember` kept in the last life. */
  readonly memory?: LinkMemory;
  /** Keeps accepted connection settings. Without it, offers of credentials are refused. */
  readonly remember?: (memory: LinkMemory) => Promise<void>;
  /** The way out for polling; default: the runtime's fetch. */
  readonly openHttp?: OpenHttp;
}

/** How an offer of connection settings stands. */
export interface SettingsReport {
  readonly hash: string;
  readonly state: "applying" | "applied" | "failed";
  /** Why it failed; "" otherwise. */
  readonly error: string;
}

/** Where the link stands, for a status display. */
export interface ClientStatus {
  readonly endpoint: string;
  readonly isConnected: boolean;
  readonly instanceUid: string;
  readonly failure?: Failure;
  readonly intervalMs: number;
  /** The last offer of connection settings that was judged; the hash is hex. */
  readonly settings?: SettingsReport;
  readonly counters: Readonly<Partial<Record<Counted, number>>>;
}

/** The endpoint as it is used: with the default path when it has none. Throws TypeError on a URL OpAMP cannot use. */
export function opampEndpoint(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^(https?|wss?):$/.test(url.protocol)) {
    throw new TypeError(`Cannot use OpAMP endpoint: no http, https, ws or wss URL`);
  }
  if (url.pathname === "/") url.pathname = "/v1/opamp";
  return url.href;
}

/** What an option is when it is left out. */
export const DEFAULTS = {
  intervalMs: 30_000,
  timeoutMs: 30_000,
  messageBytesMax: 4_194_304,
  compression: true,
  userAgent: "sonde-opamp/1",
} as const;

/** Options with every default filled in. */
export type FullOptions = ClientOptions & Required<Pick<ClientOptions, keyof typeof DEFAULTS>>;
