/**
 * Keys of delivery as a whole and of what sonde does on its own host. Limits of memory and disk stay local:
 * remote configuration cannot raise them (opamp.md 3.4).
 * @module
 */
import { type Address, loopback, receiving } from "./addresses.ts";
import type { Key } from "./key.ts";
import { boolean, duration, oneOf, orWord, path, size } from "./value_types.ts";

export const QUEUE_MAX: Key<number> = {
  name: "SONDE_QUEUE_MAX",
  type: size("64KiB", "1GiB"),
  default: "4MiB",
  help: "Memory for batches that wait, all destinations together.",
};

export const SPOOL: Key<"auto" | "always" | "off"> = {
  name: "SONDE_SPOOL",
  type: oneOf("auto", "always", "off"),
  default: "auto",
  help: "auto: a batch goes to disk after its first failed attempt. always: before it. off: memory only.",
};

export const SPOOL_MAX: Key<number> = {
  name: "SONDE_SPOOL_MAX",
  type: size("1MiB", "64GiB"),
  default: "64MiB",
  help: "Disk space for the spool; the oldest data gives way.",
};

export const SHUTDOWN_TIMEOUT: Key<number> = {
  name: "SONDE_SHUTDOWN_TIMEOUT",
  type: duration("100ms", "5m"),
  default: "5s",
  help: "Longest time for delivery at the end of `run` and of `once`; the rest is spooled.",
};

export const BYTES_PER_DAY: Key<"none" | number> = {
  name: "SONDE_BYTES_PER_DAY",
  type: orWord("none", size("64KiB", "1000GiB")),
  default: "none",
  help:
    "Bytes that run may send in a day (UTC, counted over restarts), spread evenly over it. First the interval stretches, to 60 s or six times its length; then series are left out: sonde's own, detail of devices and protocols, the kernel's inner life, all but the core.",
};

export const RECEIVE: Key<"off" | Address> = {
  name: "SONDE_RECEIVE",
  type: orWord("off", receiving),
  default: "off",
  help: "Address on which OTLP is received from other programs of this host, for example 127.0.0.1:4318.",
};

export const STATE_DIR: Key<string> = {
  name: "SONDE_STATE_DIR",
  type: path,
  help:
    "Folder for the spool, the instance id and remembered counters. Unset: $STATE_DIRECTORY, /var/lib/sonde, else the user's own.",
};

export const CONTROL_SOCKET: Key<string> = {
  name: "SONDE_CONTROL_SOCKET",
  type: path,
  help: "Path of the control socket. Unset: $RUNTIME_DIRECTORY, /run/sonde, else the user's runtime folder.",
};

export const LISTEN: Key<"off" | Address> = {
  name: "SONDE_LISTEN",
  type: orWord("off", loopback),
  default: "off",
  help: "Loopback address that serves /healthz and Prometheus /metrics.",
};

export const SUPERVISED: Key<boolean> = {
  name: "SONDE_SUPERVISED",
  type: boolean,
  help: "Something restarts sonde when it ends with 75. Unset: true under systemd.",
};

export const LOG_LEVEL: Key<"error" | "warn" | "info" | "debug"> = {
  name: "SONDE_LOG_LEVEL",
  type: oneOf("error", "warn", "info", "debug"),
  default: "info",
  help: "Least severe lines that are logged.",
  remote: true,
  live: true,
};

export const LOG_FORMAT: Key<"text" | "json"> = {
  name: "SONDE_LOG_FORMAT",
  type: oneOf("text", "json"),
  default: "text",
  help: "How log lines are written.",
};

/** Rows of the local area, in the order help prints them. */
export const LOCAL_KEYS: readonly Key<unknown>[] = [
  RECEIVE,
  STATE_DIR,
  CONTROL_SOCKET,
  LISTEN,
  SUPERVISED,
  LOG_LEVEL,
  LOG_FORMAT,
];
