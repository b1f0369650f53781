/**
 * What `run`, `once` and `sandbox` have in common before an agent is opened: permissions, settings, the log.
 * @module
 */
import { COLLECTOR_NAMES } from "../collectors/names.ts";
import { hostFiles } from "../config/files.ts";
import { Log } from "../config/log.ts";
import { LogFile } from "../config/log_file.ts";
import type { Loaded, LoadInput } from "../config/load.ts";
import { RememberedFiles } from "../config/remembered_files.ts";
import { insecureDestinations, type Settings } from "../config/settings.ts";
import type { LogRecord } from "../exporters/messages.ts";
import { loadInput, loadOrExplain } from "./configuration.ts";
import type { Context } from "./context.ts";
import { missingPermissions } from "./drop.ts";

/** Settings and a log, or nothing when the command has to end with 78. */
export interface Start {
  readonly settings: Settings;
  /** What the settings came from, for a reload. */
  readonly input: LoadInput;
  readonly files: RememberedFiles;
  readonly loaded: Loaded;
  readonly log: Log;
  /** Takes records from other isolates. */
  readonly record: (record: LogRecord) => void;
}

/** Where log lines go: to standard error, and into the log file where one is named; undefined when it cannot be had. */
function openLog({ logFile }: Settings, { stderr }: Context): Context["stderr"] | undefined {
  if (logFile === undefined) return stderr;
  try {
    const file = new LogFile(logFile);
    return (text) => {
      stderr(text);
      file.write(text);
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    stderr(`sonde: error: Cannot open log file "${logFile}" of LOG_LOCATION: ${why}\n`);
    return undefined;
  }
}

/** Checks what must hold before anything is opened; says what is wrong. */
export function start(context: Context): Start | undefined {
  if (Deno.build.os !== "linux") {
    context.stderr(`sonde: error: Cannot run on ${Deno.build.os}: expected Linux, whose /proc is read\n`);
    return undefined;
  }
  const missing = missingPermissions();
  if (missing.length > 0) {
    context.stderr(
      `sonde: error: Cannot open /proc: permission ${
        missing.join(", ")
      } is missing, Deno needs all of them\n` +
        "sonde: hint: start with deno run -A --no-prompt (deno task run does); all are given up after the start\n",
    );
    return undefined;
  }
  const files = new RememberedFiles(hostFiles());
  const loaded = loadOrExplain(context, { files, collectorNames: COLLECTOR_NAMES });
  const { settings } = loaded;
  if (settings === undefined) return undefined;
  const write = openLog(settings, context);
  if (write === undefined) return undefined;
  const hasTime = context.env["JOURNAL_STREAM"] === undefined || settings.logFile !== undefined;
  const log = new Log({ ...settings.log, hasTime, write, now: context.now });
  for (const { place, key, what, next } of loaded.notices) {
    log.info(what, { place, key, ...(next !== "" && { next }) });
  }
  for (const destination of insecureDestinations(settings)) {
    log.warn("certificates are not verified", { destination, key: "SONDE_INSECURE_SSL" });
  }
  const input = { ...loadInput(context, files), collectorNames: COLLECTOR_NAMES };
  return {
    settings,
    input,
    files,
    loaded,
    log,
    record: ({ level, event, fields }) => log.record(level, event, fields),
  };
}
