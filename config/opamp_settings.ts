/**
 * What the operator decided about the OpAMP link, ready to be used by the courier: values, and paths of what is read
 * again for each attempt (opamp 3.3). Secrets that stand in a file are not kept here, only where they stand.
 * @module
 */
import { isLoopback } from "./addresses.ts";
import { type CertificateKeys, readCertificates } from "./certificates.ts";
import type { Gathering } from "./gather.ts";
import type { Key } from "./key.ts";
import * as keys from "./keys_remote.ts";
import type { Openings } from "./opamp_bits.ts";
import { opampEndpoint } from "./opamp_options.ts";
import type { Resolution } from "./resolution.ts";

/** A secret, or the file that has it. */
export type SecretSource =
  | { readonly text: string; readonly path?: never }
  | { readonly path: string; readonly text?: never };

/** Everything about the link; may be posted to another isolate. */
export interface OpampSettings {
  /** With its path. */
  readonly endpoint: string;
  readonly token?: SecretSource;
  readonly headers?: SecretSource;
  readonly caFile?: string;
  readonly clientCertFile?: string;
  readonly clientKeyFile?: string;
  readonly proxy?: string;
  readonly timeoutMs: number;
  readonly messageBytesMax: number;
  readonly intervalMs: number;
  readonly openings: Openings;
  /** Origins the link may move to. */
  readonly allowedOrigins: readonly string[];
  readonly restart: "off" | "reload" | "exit";
  readonly probationMs: number;
  /** Absent: never stale. */
  readonly stalenessMs?: number;
  /** Absent: every key that is meant for remote configuration. */
  readonly allow?: readonly string[];
}

function secretOf(key: Key<unknown>, resolution: Resolution): SecretSource | undefined {
  const winner = resolution.winner(key);
  if (winner === undefined) return undefined;
  return winner.origin === "credential" ? { path: winner.place } : { text: winner.text };
}

function optionalParts(resolution: Resolution) {
  const parts = {
    token: secretOf(keys.OPAMP_TOKEN, resolution),
    headers: secretOf(keys.OPAMP_HEADERS, resolution),
    caFile: resolution.optional(keys.OPAMP_CA_FILE),
    clientCertFile: resolution.optional(keys.OPAMP_CLIENT_CERT_FILE),
    clientKeyFile: resolution.optional(keys.OPAMP_CLIENT_KEY_FILE),
    proxy: resolution.optional(keys.OPAMP_PROXY),
    allow: resolution.optional(keys.REMOTE_ALLOW),
  };
  const staleness = resolution.value(keys.OPAMP_MAX_STALENESS);
  const { token, headers, caFile, clientCertFile, clientKeyFile, proxy, allow } = parts;
  return {
    ...(token === undefined ? {} : { token }),
    ...(headers === undefined ? {} : { headers }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(clientCertFile === undefined ? {} : { clientCertFile }),
    ...(clientKeyFile === undefined ? {} : { clientKeyFile }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(allow === undefined ? {} : { allow }),
    ...(staleness === "off" ? {} : { stalenessMs: staleness }),
  };
}

/** Settings of the link, or undefined when it is off. Every value has parsed before. */
export function readOpamp(resolution: Resolution): OpampSettings | undefined {
  const endpoint = resolution.value(keys.OPAMP_ENDPOINT);
  if (endpoint === "off") return undefined;
  const restart = resolution.value(keys.OPAMP_RESTART);
  return {
    ...optionalParts(resolution),
    endpoint: opampEndpoint(endpoint),
    timeoutMs: resolution.value(keys.OPAMP_TIMEOUT),
    messageBytesMax: resolution.value(keys.OPAMP_MAX_MESSAGE),
    intervalMs: resolution.value(keys.OPAMP_POLL_INTERVAL),
    openings: {
      remoteConfig: resolution.value(keys.OPAMP_ACCEPT_REMOTE_CONFIG),
      connectionSettings: resolution.value(keys.OPAMP_ACCEPT_CONNECTION_SETTINGS),
      ownTelemetry: resolution.value(keys.OPAMP_OWN_TELEMETRY),
      restart: restart !== "off",
    },
    allowedOrigins: resolution.optional(keys.OPAMP_ALLOWED_ENDPOINTS) ?? [],
    restart,
    probationMs: resolution.value(keys.OPAMP_PROBATION),
  };
}

/** Files that are read again for each attempt. */
export function filesOf({ token, headers, caFile, clientCertFile, clientKeyFile }: OpampSettings): string[] {
  const paths = [token?.path, headers?.path, caFile, clientCertFile, clientKeyFile];
  return paths.filter((path) => path !== undefined);
}

/** Without encryption, whoever is on the way reads the credentials and can answer in the server's name. */
function warnOfPlain(resolution: Resolution, at: Gathering): void {
  const endpoint = resolution.winner(keys.OPAMP_ENDPOINT);
  if (endpoint === undefined) return;
  const { protocol, hostname } = new URL(opampEndpoint(endpoint.text));
  if (/^(https|wss):$/.test(protocol) || isLoopback(hostname)) return;
  const what = "the link is not encrypted: whoever is on the way can read it and answer in the server's name";
  at.findings.add("warning", {
    place: endpoint.place,
    key: endpoint.variable,
    what,
    next: "Use https or wss",
  });
}

/** Own telemetry goes by https to listed origins and the server's own: there has to be one. */
function warnOfNowhere(resolution: Resolution, at: Gathering): void {
  const own = resolution.winner(keys.OPAMP_OWN_TELEMETRY);
  if (own === undefined || resolution.value(keys.OPAMP_OWN_TELEMETRY).length === 0) return;
  const listed = resolution.optional(keys.OPAMP_ALLOWED_ENDPOINTS) ?? [];
  if ([...listed, resolution.value(keys.OPAMP_ENDPOINT)].some((url) => /^(https|wss):/i.test(url))) return;
  const what = "no server's offer can be taken: there is no https origin to send to";
  const next = `List it in ${keys.OPAMP_ALLOWED_ENDPOINTS.name}`;
  at.findings.add("warning", { place: own.place, key: own.variable, what, next });
}

const CERTIFICATES: CertificateKeys = {
  ca: keys.OPAMP_CA_FILE,
  clientCert: keys.OPAMP_CLIENT_CERT_FILE,
  clientKey: keys.OPAMP_CLIENT_KEY_FILE,
};

/** Complains about what cannot be had of the link, while that can still be said to somebody. */
export function checkOpamp(resolution: Resolution, at: Gathering): void {
  if (resolution.value(keys.OPAMP_ENDPOINT) === "off") return;
  const proxy = resolution.winner(keys.OPAMP_PROXY);
  if (proxy !== undefined && /^ws/i.test(resolution.value(keys.OPAMP_ENDPOINT))) {
    const what = "there is no proxy over WebSocket";
    const next = "Poll by http or https, or leave the proxy out";
    at.findings.add("problem", { place: proxy.place, key: proxy.variable, what, next });
  }
  warnOfPlain(resolution, at);
  warnOfNowhere(resolution, at);
  readCertificates(CERTIFICATES, { resolution, at });
}
