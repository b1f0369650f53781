/**
 * What the rest of sonde is told: one plain object, every value parsed, every default filled in. It is read-only and
 * may be posted to another isolate.
 * @module
 */
import type { Naming } from "../collectors/metric.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { Address } from "./addresses.ts";
import type { Destination } from "./destination.ts";
import type { Choice } from "./glob.ts";
import { HEKA_PREFIX, type HekaSettings } from "./heka.ts";
import { type HostFolders, hostFolders } from "./host_folders.ts";
import type { Key } from "./key.ts";
import * as local from "./keys_local.ts";
import * as what from "./keys_what.ts";
import { type OpampSettings, readOpamp } from "./opamp_settings.ts";
import type { Resolution } from "./resolution.ts";
import { ownFolder, SERVICE_FOLDER } from "./state_dir.ts";

/** Everything an operator decided, or the defaults. */
export interface Settings {
  readonly intervalMs: number;
  /** For `selector()` of glob.ts: the last matching choice decides, else the collector's own default. */
  readonly collectors: readonly Choice[];
  readonly metrics: readonly Choice[];
  /** Naming of what is printed: the unnamed destination's, else semconv. Lanes have their own. */
  readonly naming: Naming;
  readonly perCpu: boolean;
  /** Globs. */
  readonly diskExclude: readonly string[];
  readonly networkExclude: readonly string[];
  readonly filesystemExclude: readonly string[];
  /** Globs of types taken in besides. */
  readonly filesystemTypes: readonly string[];
  readonly processesTop: number;
  /** What one of them is: all processes of an executable together, or each by itself. */
  readonly processesBy: "executable" | "pid" | "command_line";
  /** Names such as "vm.swappiness". */
  readonly sysctl: readonly string[];
  /** Goes in front of the overview's names; absent: no overview. */
  readonly overviewPrefix?: string;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** Absolute; "/" or a folder without a slash at its end. */
  readonly root: string;
  readonly hostFolders: HostFolders;

  /** No destination: print instead of send. */
  readonly isConsole: boolean;
  readonly destinations: readonly { readonly name: string; readonly preset: string }[];
  readonly lanes: readonly LaneConfig[];

  readonly queueBytesMax: number;
  /** Age limits stand in the lanes. */
  readonly spool: { readonly mode: "auto" | "always" | "off"; readonly bytesMax: number };
  readonly shutdownTimeoutMs: number;
  /** Absent: no limit. */
  readonly bytesPerDayMax?: number;

  /** Absent: off. */
  readonly receive?: Address;
  readonly listen?: Address;
  readonly opamp?: OpampSettings;
  /** The first that can be created and written (state_dir.ts). */
  readonly stateDirs: readonly string[];
  /** The first whose folder can be used. */
  readonly controlSockets: readonly string[];
  /** Something restarts this process when it ends with 75. */
  readonly isSupervised: boolean;
  readonly log: { readonly level: "error" | "warn" | "info" | "debug"; readonly format: "text" | "json" };
  /** False by `OTEL_SDK_DISABLED`: sonde reports nothing about itself. */
  readonly hasSelfTelemetry: boolean;
  /** Histograms whose owner names no bounds are exponential. */
  readonly isExponential: boolean;
  /** Log lines go here beside standard error. */
  readonly logFile?: string;
  readonly heka: HekaSettings;
}

/** Names of the destinations of which any certificate is taken. */
export function insecureDestinations({ lanes }: Pick<Settings, "lanes">): ReadonlySet<string> {
  return new Set(lanes.filter(({ transport }) => transport.insecure).map(({ destination }) => destination));
}

/** What settings are built from. */
export interface SettingsSources {
  readonly resolution: Resolution;
  readonly destinations: readonly Destination[];
  readonly lanes: readonly LaneConfig[];
  readonly env: Readonly<Record<string, string>>;
  readonly heka: HekaSettings;
  readonly hasSelfTelemetry: boolean;
  readonly isExponential: boolean;
}

/** Attributes of all layers together; for one key the highest layer wins. */
export function mergeAttributes(resolution: Resolution): Readonly<Record<string, string>> {
  const key = what.RESOURCE_ATTRIBUTES;
  return Object.assign({}, ...resolution.ascending(key).map(({ text }) => key.type.parse(text)));
}

function given(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}

/** A service manager may name several folders; the first is ours. */
function firstFolder(text: string | undefined): string | undefined {
  return given(text?.split(":")[0]);
}

function stateDirs(set: string | undefined, env: SettingsSources["env"]): string[] {
  const only = set ?? firstFolder(env["STATE_DIRECTORY"]);
  if (only !== undefined) return [only];
  const own = ownFolder(env);
  return [SERVICE_FOLDER, ...(own === undefined ? [] : [own])];
}

function controlSockets(set: string | undefined, env: SettingsSources["env"]): string[] {
  const folder = firstFolder(env["RUNTIME_DIRECTORY"]);
  const only = set ?? (folder === undefined ? undefined : `${folder}/ctl.sock`);
  if (only !== undefined) return [only];
  const user = given(env["XDG_RUNTIME_DIR"]);
  return ["/run/sonde/ctl.sock", ...(user === undefined ? [] : [`${user}/sonde/ctl.sock`])];
}

function optionalFields({ resolution }: SettingsSources) {
  const address = (key: Key<"off" | Address>): Address | undefined => {
    const value = resolution.value(key);
    return value === "off" ? undefined : value;
  };
  const opamp = readOpamp(resolution);
  const [receive, listen, bytes] = [
    address(local.RECEIVE),
    address(local.LISTEN),
    resolution.value(local.BYTES_PER_DAY),
  ];
  return {
    ...(receive === undefined ? {} : { receive }),
    ...(listen === undefined ? {} : { listen }),
    ...(opamp === undefined ? {} : { opamp }),
    ...(bytes === "none" ? {} : { bytesPerDayMax: bytes }),
  };
}

function collected({ resolution, destinations, env }: SettingsSources) {
  const naming = resolution.value(what.NAMING);
  const root = resolution.value(what.ROOT).replace(/(?<=.)\/+$/, "");
  const unnamed = destinations.find(({ name }) => name === "default");
  return {
    intervalMs: resolution.value(what.INTERVAL),
    collectors: resolution.optional(what.COLLECTORS) ?? [],
    metrics: resolution.optional(what.METRICS) ?? [],
    naming: naming === "auto" ? unnamed?.preset.naming ?? "semconv" : naming,
    perCpu: resolution.value(what.PER_CPU),
    diskExclude: resolution.value(what.DISK_EXCLUDE),
    networkExclude: resolution.value(what.NETWORK_EXCLUDE),
    filesystemExclude: resolution.optional(what.FILESYSTEM_EXCLUDE) ?? [],
    filesystemTypes: resolution.optional(what.FILESYSTEM_TYPES) ?? [],
    processesTop: resolution.value(what.PROCESSES_TOP),
    processesBy: resolution.value(what.PROCESSES_BY),
    sysctl: resolution.optional(what.SYSCTL) ?? [],
    ...(resolution.value(what.COMPAT_HEKA) ? { overviewPrefix: HEKA_PREFIX } : {}),
    resourceAttributes: mergeAttributes(resolution),
    root,
    hostFolders: hostFolders(env, root),
  };
}

/** Builds the settings; every value has parsed before, so nothing can fail here. */
export function buildSettings(sources: SettingsSources): Settings {
  const { resolution, destinations, lanes, env, heka } = sources;
  const supervisor = given(env["INVOCATION_ID"]) ?? given(env["NOTIFY_SOCKET"]);
  return {
    ...collected(sources),
    ...optionalFields(sources),
    isConsole: destinations.some(({ preset }) => preset.name === "console"),
    destinations: destinations.map(({ name, preset }) => ({ name, preset: preset.name })),
    lanes,
    queueBytesMax: resolution.value(local.QUEUE_MAX),
    spool: { mode: resolution.value(local.SPOOL), bytesMax: resolution.value(local.SPOOL_MAX) },
    shutdownTimeoutMs: resolution.value(local.SHUTDOWN_TIMEOUT),
    stateDirs: stateDirs(resolution.optional(local.STATE_DIR), env),
    controlSockets: controlSockets(resolution.optional(local.CONTROL_SOCKET), env),
    isSupervised: resolution.optional(local.SUPERVISED) ?? supervisor !== undefined,
    log: { level: resolution.value(local.LOG_LEVEL), format: resolution.value(local.LOG_FORMAT) },
    hasSelfTelemetry: sources.hasSelfTelemetry,
    isExponential: sources.isExponential,
    ...(heka.logFile === undefined ? {} : { logFile: heka.logFile }),
    heka,
  };
}
