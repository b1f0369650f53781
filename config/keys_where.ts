/**
 * Keys that say where data goes. All of them exist per destination as well, and none may be set remotely: remote
 * configuration never decides where data goes or with whose key (design 8).
 * @module
 */
import { endpoint, proxy } from "./addresses.ts";
import type { HeaderList } from "./header_list.ts";
import type { Key } from "./key.ts";
import {
  boolean,
  duration,
  file,
  headers,
  list,
  oneOf,
  orWord,
  text,
  type ValueType,
} from "./value_types.ts";

/** Protobuf or JSON; gRPC gets its own words because other agents offer it. */
const protocolType: ValueType<"http/protobuf" | "http/json"> = {
  ...oneOf("http/protobuf", "http/json"),
  parse(value) {
    if (value.toLowerCase() === "grpc") {
      throw new RangeError('"grpc" is not spoken by sonde, which sends OTLP over HTTP');
    }
    return oneOf("http/protobuf", "http/json").parse(value);
  },
};

export const PRESET: Key<string> = {
  name: "SONDE_PRESET",
  type: text,
  help: "Row of settings for one kind of destination. Unset: otlp when an endpoint is set, else console.",
  group: "own",
};

export const ENDPOINT: Key<string> = {
  name: "SONDE_ENDPOINT",
  type: endpoint,
  help:
    "Address to send to. It replaces scheme, host, port and path of the preset; the signal's own path follows it.",
  group: "own",
};

export const API_KEY: Key<string> = {
  name: "SONDE_API_KEY",
  type: text,
  help:
    "Key or token of the destination; the preset knows in which header it goes. Better kept in a file: SONDE_API_KEY_FILE.",
  secret: true,
  group: "own",
  credential: true,
};

export const HEADERS: Key<HeaderList> = {
  name: "SONDE_HEADERS",
  type: headers,
  help: "More request headers. The preset's key header wins over one of the same name.",
  secret: true,
  group: "own",
  credential: true,
};

export const REGION: Key<string> = {
  name: "SONDE_REGION",
  type: text,
  help: "Region, realm, zone or site of a hosted destination, in that destination's own words.",
  group: "own",
};

export const DATASET: Key<string> = {
  name: "SONDE_DATASET",
  type: text,
  help: "Dataset, for destinations that keep metrics in named ones.",
  group: "own",
};

export const USER: Key<string> = {
  name: "SONDE_USER",
  type: text,
  help: "User name or instance id for basic authentication; the password is SONDE_API_KEY.",
  group: "own",
};

export const TENANT: Key<string> = {
  name: "SONDE_TENANT",
  type: text,
  help: "Tenant, for destinations shared by several.",
  group: "own",
};

export const DESTINATIONS: Key<readonly string[]> = {
  name: "SONDE_DESTINATIONS",
  type: list,
  help:
    "Names of several destinations, each configured by keys such as SONDE_NAME_PRESET; `default` is the unnamed one.",
};

export const PROTOCOL: Key<"http/protobuf" | "http/json"> = {
  name: "SONDE_PROTOCOL",
  type: protocolType,
  default: "http/protobuf",
  help: "How bodies are written.",
  group: "shared",
};

export const COMPRESSION: Key<"gzip" | "none"> = {
  name: "SONDE_COMPRESSION",
  type: oneOf("gzip", "none"),
  default: "gzip",
  help: "How bodies are compressed.",
  group: "shared",
  remote: true,
};

export const TEMPORALITY: Key<"auto" | "cumulative" | "delta"> = {
  name: "SONDE_TEMPORALITY",
  type: oneOf("auto", "cumulative", "delta"),
  default: "auto",
  help:
    "Whether monotonic sums and histograms count from the start or since the last cycle. auto: as the preset needs it.",
  group: "shared",
  auto: true,
};

export const TIMEOUT: Key<number> = {
  name: "SONDE_TIMEOUT",
  type: duration("100ms", "10m"),
  default: "10s",
  help: "Longest time for one attempt to deliver, answer included.",
  group: "shared",
  remote: true,
};

export const CA_FILE: Key<string> = {
  name: "SONDE_CA_FILE",
  type: file,
  help: "PEM file with certificates to trust besides the system's.",
  group: "own",
  credential: true,
};

export const CLIENT_CERT_FILE: Key<string> = {
  name: "SONDE_CLIENT_CERT_FILE",
  type: file,
  help: "PEM file with the certificate chain to show the server; needs SONDE_CLIENT_KEY_FILE.",
  group: "own",
  credential: true,
};

export const CLIENT_KEY_FILE: Key<string> = {
  name: "SONDE_CLIENT_KEY_FILE",
  type: file,
  help: "PEM file with the private key of the client certificate.",
  group: "own",
  credential: true,
};

export const PROXY: Key<string> = {
  name: "SONDE_PROXY",
  type: proxy,
  help: "Proxy to connect through. Unset: HTTPS_PROXY, HTTP_PROXY and NO_PROXY count.",
  secret: true,
  group: "shared",
};

export const INSECURE_SSL: Key<boolean> = {
  name: "SONDE_INSECURE_SSL",
  type: boolean,
  default: "false",
  help: "Accept any certificate. For tests only; warned about at each start.",
  group: "own",
  credential: true,
};

export const RETRY_PROFILE: Key<"otlp" | "heka"> = {
  name: "SONDE_RETRY_PROFILE",
  type: oneOf("otlp", "heka"),
  default: "otlp",
  help: "otlp: retry what OTLP says is worth it, with jitter. heka: also 408 and every 5xx, five attempts.",
  group: "shared",
};

export const RETRY_AFTER_MAX: Key<number> = {
  name: "SONDE_RETRY_AFTER_MAX",
  type: duration("1s", "1h"),
  default: "300s",
  help: "Longest wait a server may ask for.",
  group: "shared",
  remote: true,
};

export const SPOOL_MAX_AGE: Key<"auto" | number> = {
  name: "SONDE_SPOOL_MAX_AGE",
  type: orWord("auto", duration("1m", "90d")),
  default: "auto",
  help: "Older data is dropped from the spool. auto: as long as the destination still accepts it.",
  group: "shared",
  auto: true,
};

/** This area's rows, in the order help prints them. */
export const WHERE_KEYS: readonly Key<unknown>[] = [
  PRESET,
  ENDPOINT,
  API_KEY,
  HEADERS,
  REGION,
  DATASET,
  USER,
  TENANT,
  DESTINATIONS,
  PROTOCOL,
  COMPRESSION,
  TEMPORALITY,
  TIMEOUT,
  CA_FILE,
  CLIENT_CERT_FILE,
  CLIENT_KEY_FILE,
  PROXY,
  INSECURE_SSL,
];
