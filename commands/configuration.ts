/**
 * From a command's context to configuration, and from its findings to standard error: the same for every verb that
 * needs settings.
 * @module
 */
import type { ConfigFiles } from "../config/files.ts";
import { type Finding, formatFinding } from "../config/finding.ts";
import { type FlagValue, loadConfig, type Loaded, type LoadInput } from "../config/load.ts";
import { LOG_LEVEL } from "../config/keys_local.ts";
import type { Context, Write } from "./context.ts";
import type { Flags } from "./flags.ts";
import { GLOBAL_FLAGS } from "./verbs.ts";

/** `-q` and `-v` as values of the log level. */
function logLevel(flags: Flags): FlagValue[] {
  const key = LOG_LEVEL.name;
  if (flags.has("verbose")) return [{ flag: "--verbose", key, text: "debug" }];
  if (flags.has("quiet")) {
    return [{ flag: "--quiet", key, text: flags.count("quiet") > 1 ? "error" : "warn" }];
  }
  return [];
}

/** The flags that are settings; `--set` comes first, so that a flag of its own name wins over it. */
function flagValues(flags: Flags): FlagValue[] {
  const sets = flags.all("set").map((text) => {
    const equals = text.indexOf("=");
    return equals < 0
      ? { flag: "--set", key: text, text: "" }
      : { flag: "--set", key: text.slice(0, equals), text: text.slice(equals + 1) };
  });
  const own = GLOBAL_FLAGS.flatMap(({ name, key }) => {
    const text = flags.text(name);
    return key === undefined || text === undefined ? [] : [{ flag: `--${name}`, key, text }];
  });
  return [...sets, ...logLevel(flags), ...own];
}

/** What `loadConfig` needs of a command line. */
export function loadInput({ flags, env }: Pick<Context, "flags" | "env">, files: ConfigFiles): LoadInput {
  const envFile = flags.text("env-file");
  return { flags: flagValues(flags), env, files, ...(envFile === undefined ? {} : { envFile }) };
}

/** Prints findings, one line each. */
export function printFindings(findings: readonly Finding[], stderr: Write): void {
  for (const finding of findings) stderr(`${formatFinding(finding)}\n`);
}

/** `1 problem`, `2 problems`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Loads the configuration and prints problems and warnings. Without `settings` in the result the command ends with
 * 78; the last line has been printed by then.
 */
export function loadOrExplain(context: Context, more: Pick<LoadInput, "files" | "collectorNames">): Loaded {
  const loaded = loadConfig({ ...loadInput(context, more.files), ...more });
  printFindings([...loaded.problems, ...loaded.exposures, ...loaded.warnings], context.stderr);
  if (loaded.problems.length > 0) {
    context.stderr(`${counted(loaded.problems.length, "problem")}, nothing was started\n`);
  }
  return loaded;
}
