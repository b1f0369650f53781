/**
 * Heka's general variables (heka.md section 3) and the defaults that come with them. A destination's own variables
 * stand in its preset row; what is here belongs to the agent as a whole.
 * @module
 */
import type { RetryRound } from "../exporters/lane_config.ts";
import type { Alias } from "../exporters/presets/preset.ts";
import type { Sources } from "./destination.ts";
import type { Variable } from "./env_file.ts";
import { Findings } from "./finding.ts";
import { boolean } from "./value_types.ts";
import { parseSeconds, parseWhole } from "./older.ts";

/** Variables that are older names of keys, whatever the preset. */
export const HEKA_ALIASES: readonly Alias[] = [
  { variable: "EXPORTER_TYPE", key: "SONDE_PRESET", kind: "lower" },
  { variable: "CPU_POLL_INTERVAL_SECONDS", key: "SONDE_INTERVAL", kind: "seconds" },
  { variable: "OTLP_RESOURCE_ATTRIBUTES", key: "SONDE_RESOURCE_ATTRIBUTES", kind: "pairs" },
  { variable: "OTLP_HTTP_TIMEOUT_SECONDS", key: "SONDE_TIMEOUT", kind: "wholeSeconds" },
  { variable: "OTLP_RETRY_AFTER_MAX_SECONDS", key: "SONDE_RETRY_AFTER_MAX", kind: "wholeSeconds" },
];

/** What changes when Heka's file or `EXPORTER_TYPE` is in use and no key says otherwise. */
export const HEKA_DEFAULTS: Readonly<Record<string, string>> = {
  SONDE_INTERVAL: "5s",
  SONDE_COMPAT_HEKA: "true",
  SONDE_RETRY_PROFILE: "heka",
};

/** Every one of its metric names begins so. */
export const HEKA_PREFIX = "heka_";

/** Settings only Heka had. */
export interface HekaSettings {
  /** `EXPORTER_TYPE` or Heka's file is in use. */
  readonly isOn: boolean;
  /** `LOG_LOCATION`: opened for append before the drop. */
  readonly logFile?: string;
  /** `x-agent-id`, sent where the row says so. */
  readonly agent: Readonly<Record<string, string>>;
  /** `x-api-key` with intelligence on: Heka's own secret, for rows that are Heka's own. */
  readonly intelligence: Readonly<Record<string, string>>;
  readonly retry: RetryRound;
}

interface Reading {
  /** Best first. */
  readonly sources: Sources;
  readonly findings: Findings;
}

function given(name: string, { sources }: Reading): Variable | undefined {
  const found = sources.map(({ variables }) => variables.get(name)).find((variable) =>
    variable !== undefined
  );
  return found?.text === "" ? undefined : found;
}

function number(
  name: string,
  fallback: number,
  { parse, ...reading }: Reading & { parse: (text: string) => number },
) {
  const variable = given(name, reading);
  if (variable === undefined) return fallback;
  try {
    return parse(variable.text);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    reading.findings.add("warning", { place: variable.place, key: name, what, next: `${fallback} is used` });
    return fallback;
  }
}

/** A cap below what it caps is raised to it, as it always was, and that is said now (heka.md W22). */
function raised(
  name: string,
  { cap, least, ...reading }: Reading & { readonly cap: number; readonly least: number },
): number {
  const variable = given(name, reading);
  if (cap < least && variable !== undefined) {
    const what = `"${variable.text}" is less than what it limits`;
    reading.findings.add("warning", { place: variable.place, key: name, what, next: `${least} is used` });
  }
  return Math.max(cap, least);
}

/** Attempts and waits. */
function readRetry(reading: Reading): RetryRound {
  const whole = { ...reading, parse: parseWhole };
  const seconds = { ...reading, parse: parseSeconds };
  const zeroToo = (text: string): number => text === "0" ? 0 : parseWhole(text);
  const initial = number("OTLP_HTTP_RETRY_INITIAL_BACKOFF_SECONDS", 1, seconds);
  const retryAfter = number("OTLP_RETRY_AFTER_DEFAULT_SECONDS", 5, { ...reading, parse: zeroToo });
  const most = number("OTLP_HTTP_RETRY_MAX_BACKOFF_SECONDS", 5, seconds);
  const after = number("OTLP_RETRY_AFTER_MAX_SECONDS", 300, { ...whole, findings: new Findings() });
  raised("OTLP_RETRY_AFTER_MAX_SECONDS", { ...reading, cap: after, least: retryAfter });
  const maxBackoff = raised("OTLP_HTTP_RETRY_MAX_BACKOFF_SECONDS", { ...reading, cap: most, least: initial });
  return {
    attemptsMax: number("OTLP_HTTP_RETRY_MAX_ATTEMPTS", 5, whole),
    initialBackoffMs: initial * 1000,
    maxBackoffMs: maxBackoff * 1000,
    retryAfterDefaultMs: retryAfter * 1000,
  };
}

function problem(
  variable: Variable,
  what: string,
  { next, findings }: { next: string; findings: Findings },
): void {
  findings.add("problem", { place: variable.place, key: variable.name, what, next });
}

function readAgent(reading: Reading): Readonly<Record<string, string>> {
  const id = given("HEKA_AGENT_ID", reading);
  return id === undefined ? {} : { "x-agent-id": id.text };
}

/** Id and key are needed only where they are sent, as they always were. */
function readIntelligence(isSent: boolean, reading: Reading): Readonly<Record<string, string>> {
  const enabled = given("HEKA_INTELLIGENCE_ENABLED", reading);
  if (enabled === undefined) return {};
  try {
    if (!boolean.parse(enabled.text)) return {};
  } catch {
    problem(enabled, `"${enabled.text}" is not a yes or no`, { ...reading, next: `Write ${boolean.rule}` });
    return {};
  }
  const key = given("HEKA_API_KEY", reading);
  const needed = { HEKA_AGENT_ID: given("HEKA_AGENT_ID", reading), HEKA_API_KEY: key };
  for (const [name, variable] of Object.entries(isSent ? needed : {})) {
    if (variable === undefined) {
      problem(enabled, `is on and needs ${name}`, { ...reading, next: `Set ${name}` });
    }
  }
  return key === undefined ? {} : { "x-api-key": key.text };
}

function readLogFile(reading: Reading): string | undefined {
  const variable = given("LOG_LOCATION", reading);
  if (variable === undefined) return undefined;
  const home = given("HOME", reading)?.text ?? "";
  const path = variable.text.replace(/^~(?=\/)/, home);
  if (path.startsWith("/")) return path;
  problem(variable, "is not an absolute path", { ...reading, next: "Write a path that begins with /" });
  return undefined;
}

/** Whether Heka's mode is on, and whether a destination's row is Heka's own. */
export interface HekaUse {
  readonly isOn: boolean;
  readonly sendsIntelligence: boolean;
}

/** Reads the rest of Heka's variables; `LOG_LOCATION` counts only when Heka's mode is on, its name is too general. */
export function readHeka({ isOn, sendsIntelligence }: HekaUse, reading: Reading): HekaSettings {
  const logFile = isOn ? readLogFile(reading) : undefined;
  return {
    isOn,
    ...(logFile === undefined ? {} : { logFile }),
    agent: readAgent(reading),
    intelligence: readIntelligence(sendsIntelligence, reading),
    retry: readRetry(reading),
  };
}
