/**
 * Keys that say what is collected and how it is named. Most may be set remotely and take effect without a restart.
 * @module
 */
import type { Choice } from "./glob.ts";
import type { Key } from "./key.ts";
import { attributes, boolean, choices, count, duration, list, oneOf, path } from "./value_types.ts";

export const INTERVAL: Key<number> = {
  name: "SONDE_INTERVAL",
  type: duration("100ms", "1h"),
  default: "10s",
  help: "Time from the start of one cycle to the start of the next.",
  remote: true,
  live: true,
};

export const COLLECTORS: Key<readonly Choice[]> = {
  name: "SONDE_COLLECTORS",
  type: choices,
  help: "Collectors to switch on (name, +name) or off (-name); globs are allowed and the last match decides.",
  remote: true,
  live: true,
};

export const METRICS: Key<readonly Choice[]> = {
  name: "SONDE_METRICS",
  type: choices,
  help: "Metrics to switch on (name, +name) or off (-name); globs are allowed and the last match decides.",
  remote: true,
  live: true,
};

export const NAMING: Key<"auto" | "semconv" | "collector" | "dup"> = {
  name: "SONDE_NAMING",
  type: oneOf("auto", "semconv", "collector", "dup"),
  default: "auto",
  help:
    "Names of metrics: the semantic conventions', the Collector's, or both. auto: as the preset needs, else semconv.",
  group: "shared",
  remote: true,
  live: true,
  auto: true,
};

export const PER_CPU: Key<boolean> = {
  name: "SONDE_PER_CPU",
  type: boolean,
  default: "false",
  help: "CPU times per logical CPU instead of their sum.",
  remote: true,
  live: true,
};

export const DISK_EXCLUDE: Key<readonly string[]> = {
  name: "SONDE_DISK_EXCLUDE",
  type: list,
  default: "loop*,ram*,fd*,sr*,zram*",
  help: "Block devices to leave out, as globs.",
  remote: true,
  live: true,
};

export const NETWORK_EXCLUDE: Key<readonly string[]> = {
  name: "SONDE_NETWORK_EXCLUDE",
  type: list,
  default: "lo,veth*,cali*,flannel*,br-*,ifb*",
  help: "Network interfaces to leave out, as globs.",
  remote: true,
  live: true,
};

export const FILESYSTEM_EXCLUDE: Key<readonly string[]> = {
  name: "SONDE_FILESYSTEM_EXCLUDE",
  type: list,
  help: "File systems to leave out, as globs that match the mount point, the device or the type.",
  remote: true,
  live: true,
};

export const FILESYSTEM_TYPES: Key<readonly string[]> = {
  name: "SONDE_FILESYSTEM_TYPES",
  type: list,
  help: "File system types to take in besides those on disks, as globs: tmpfs, nfs*, fuse.*, cifs.",
  remote: true,
  live: true,
};

export const PROCESSES_TOP: Key<number> = {
  name: "SONDE_PROCESSES_TOP",
  type: count(0, 100),
  default: "0",
  help:
    "How many of the busiest by CPU, memory and I/O are reported one by one. Above 0 a child process walks /proc.",
};

export const PROCESSES_BY: Key<"executable" | "pid" | "command_line"> = {
  name: "SONDE_PROCESSES_BY",
  type: oneOf("executable", "pid", "command_line"),
  default: "executable",
  help:
    "What SONDE_PROCESSES_TOP counts: all processes of an executable together, since sonde first saw one of them; or " +
    "each process by its pid, since its start; or the same with its command line, in which others may have put secrets.",
};

export const SYSCTL: Key<readonly string[]> = {
  name: "SONDE_SYSCTL",
  type: list,
  help: "Kernel parameters to report as gauges, by their sysctl name such as vm.swappiness.",
};

export const COMPAT_HEKA: Key<boolean> = {
  name: "SONDE_COMPAT_HEKA",
  type: boolean,
  default: "false",
  help: "Heka's eleven metric names beside sonde's own.",
};

export const RESOURCE_ATTRIBUTES: Key<Readonly<Record<string, string>>> = {
  name: "SONDE_RESOURCE_ATTRIBUTES",
  type: attributes,
  help: "Attributes of the resource, added to those found on the host and winning over them.",
  remote: true,
};

export const ROOT: Key<string> = {
  name: "SONDE_ROOT",
  type: path,
  default: "/",
  help: "Folder that holds the host's proc, sys and etc: for containers, and for replaying a recording.",
};

/** This area's rows, in the order help prints them. */
export const WHAT_KEYS: readonly Key<unknown>[] = [
  INTERVAL,
  COLLECTORS,
  METRICS,
  NAMING,
  PER_CPU,
  DISK_EXCLUDE,
  NETWORK_EXCLUDE,
  FILESYSTEM_EXCLUDE,
  FILESYSTEM_TYPES,
  PROCESSES_TOP,
  PROCESSES_BY,
  SYSCTL,
  COMPAT_HEKA,
  RESOURCE_ATTRIBUTES,
  ROOT,
];
