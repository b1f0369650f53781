/**
 * Keys of the OpAMP link and of what a server may do. None but the polling interval may be set remotely: consent is an
 * edit of a file on the host, never a message (opamp.md 3.3, 3.8).
 * @module
 */
import { endpoint, proxy } from "./addresses.ts";
import type { HeaderList } from "./header_list.ts";
import type { Key } from "./key.ts";
import {
  boolean,
  duration,
  headers,
  list,
  oneOf,
  orWord,
  path,
  size,
  text,
  type ValueType,
} from "./value_types.ts";

/** An http or https URL as for data, or the same over WebSocket. */
const opampUrl: ValueType<string> = {
  label: "URL",
  rule: "an http, https, ws or wss URL such as wss://opamp.example/v1/opamp, without user, query or fragment",
  parse(value) {
    endpoint.parse(value.replace(/^ws(s?):\/\//i, "http$1://"));
    return value;
  },
};

const origins: ValueType<readonly string[]> = {
  label: "list",
  rule: "a list of origins such as https://other.example:4320, without a path",
  parse(value) {
    const found = list.parse(value);
    const other = found.find((text) => !/^[^/]+\/\/[^/]+\/?$/.test(opampUrl.parse(text)));
    if (other !== undefined) throw new RangeError(`"${other}" holds a path`);
    return found;
  },
};

const ownTelemetry: ValueType<readonly ("metrics" | "logs")[]> = {
  label: "list",
  rule: "none, or a list of metrics, logs",
  words: ["none", "metrics", "logs"],
  parse(value) {
    const words = list.parse(value);
    return words.includes("none") && words.length === 1 ? [] : words.map(oneOf("metrics", "logs").parse);
  },
};

export const OPAMP_ENDPOINT: Key<"off" | string> = {
  name: "SONDE_OPAMP_ENDPOINT",
  type: orWord("off", opampUrl),
  default: "off",
  help:
    "OpAMP server: http and https are polled, ws and wss keep a connection. Without a path, /v1/opamp is used.",
};

export const OPAMP_HEADERS: Key<HeaderList> = {
  name: "SONDE_OPAMP_HEADERS",
  type: headers,
  help: "Request headers for the OpAMP server.",
  secret: true,
};

export const OPAMP_TOKEN: Key<string> = {
  name: "SONDE_OPAMP_TOKEN",
  type: text,
  help:
    "Bearer token for the OpAMP server. Better kept in a file: SONDE_OPAMP_TOKEN_FILE, which is read again for each attempt.",
  secret: true,
};

export const OPAMP_CA_FILE: Key<string> = {
  name: "SONDE_OPAMP_CA_FILE",
  type: path,
  help:
    "PEM file with authorities to trust for the OpAMP server: besides the system's over https, alone over wss.",
};

export const OPAMP_CLIENT_CERT_FILE: Key<string> = {
  name: "SONDE_OPAMP_CLIENT_CERT_FILE",
  type: path,
  help: "PEM file with the certificate chain to show the OpAMP server; needs SONDE_OPAMP_CLIENT_KEY_FILE.",
};

export const OPAMP_CLIENT_KEY_FILE: Key<string> = {
  name: "SONDE_OPAMP_CLIENT_KEY_FILE",
  type: path,
  help: "PEM file with the private key of the client certificate for the OpAMP server.",
};

export const OPAMP_PROXY: Key<string> = {
  name: "SONDE_OPAMP_PROXY",
  type: proxy,
  help: "Proxy to the OpAMP server; http and https endpoints only.",
  secret: true,
};

export const OPAMP_TIMEOUT: Key<number> = {
  name: "SONDE_OPAMP_TIMEOUT",
  type: duration("1s", "5m"),
  default: "30s",
  help: "Longest time for one exchange with the OpAMP server.",
};

export const OPAMP_MAX_MESSAGE: Key<number> = {
  name: "SONDE_OPAMP_MAX_MESSAGE",
  type: size("64KiB", "64MiB"),
  default: "4MiB",
  help: "Largest message taken from the OpAMP server or sent to it, uncompressed.",
};

export const OPAMP_POLL_INTERVAL: Key<number> = {
  name: "SONDE_OPAMP_POLL_INTERVAL",
  type: duration("1s", "24h"),
  default: "30s",
  help: "Time between polls, and between heartbeats over WebSocket. The server may choose another one.",
  remote: true,
  live: true,
};

export const OPAMP_ACCEPT_REMOTE_CONFIG: Key<boolean> = {
  name: "SONDE_OPAMP_ACCEPT_REMOTE_CONFIG",
  type: boolean,
  default: "false",
  help: "Let the OpAMP server change what SONDE_REMOTE_ALLOW opens.",
};

export const OPAMP_ACCEPT_CONNECTION_SETTINGS: Key<"none" | "credentials" | "allowlist"> = {
  name: "SONDE_OPAMP_ACCEPT_CONNECTION_SETTINGS",
  type: oneOf("none", "credentials", "allowlist"),
  default: "none",
  help:
    "What of this link the OpAMP server may change. credentials: headers and client certificate. allowlist: also the endpoint, within SONDE_OPAMP_ALLOWED_ENDPOINTS.",
};

export const OPAMP_ALLOWED_ENDPOINTS: Key<readonly string[]> = {
  name: "SONDE_OPAMP_ALLOWED_ENDPOINTS",
  type: origins,
  help: "Origins such as https://other.example:4320 that the link and own telemetry may move to.",
};

export const OPAMP_OWN_TELEMETRY: Key<readonly ("metrics" | "logs")[]> = {
  name: "SONDE_OPAMP_OWN_TELEMETRY",
  type: ownTelemetry,
  default: "none",
  help:
    "What sonde may tell about itself to where the OpAMP server says: over https, within SONDE_OPAMP_ALLOWED_ENDPOINTS and the server's own origin.",
};

export const OPAMP_RESTART: Key<"off" | "reload" | "exit"> = {
  name: "SONDE_OPAMP_RESTART",
  type: oneOf("off", "reload", "exit"),
  default: "off",
  help: "What a restart command of the OpAMP server does. exit: ends with 75, under a supervisor only.",
};

export const OPAMP_PROBATION: Key<number> = {
  name: "SONDE_OPAMP_PROBATION",
  type: duration("1s", "1h"),
  default: "30s",
  help:
    "How long a remote configuration must do well before it counts as applied; else the one before returns.",
};

export const OPAMP_MAX_STALENESS: Key<"off" | number> = {
  name: "SONDE_OPAMP_MAX_STALENESS",
  type: orWord("off", duration("1m", "365d")),
  default: "off",
  help: "After this long without the OpAMP server, the local configuration alone counts until it is back.",
};

export const REMOTE_ALLOW: Key<readonly string[]> = {
  name: "SONDE_REMOTE_ALLOW",
  type: list,
  help:
    "Keys that remote configuration may set. Unset: all that are meant for it. Others can never be set remotely.",
};

/** This area's rows, in the order help prints them. */
export const REMOTE_KEYS: readonly Key<unknown>[] = [
  OPAMP_ENDPOINT,
  OPAMP_HEADERS,
  OPAMP_TOKEN,
  OPAMP_CA_FILE,
  OPAMP_CLIENT_CERT_FILE,
  OPAMP_CLIENT_KEY_FILE,
  OPAMP_PROXY,
  OPAMP_TIMEOUT,
  OPAMP_MAX_MESSAGE,
  OPAMP_POLL_INTERVAL,
  OPAMP_ACCEPT_REMOTE_CONFIG,
  OPAMP_ACCEPT_CONNECTION_SETTINGS,
  OPAMP_ALLOWED_ENDPOINTS,
  OPAMP_OWN_TELEMETRY,
  OPAMP_RESTART,
  OPAMP_PROBATION,
  OPAMP_MAX_STALENESS,
  REMOTE_ALLOW,
];
