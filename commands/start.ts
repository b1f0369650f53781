/**
 * What `run`, `once` and `sandbox` have in common before an agent is opened: permissions, settings, the log.
 * @module
 */
import { collectors } from "../collectors/registry.ts";
import { hostFiles } from "../config/files.ts";
import { Log } from "../config/log.ts";
import type { Settings } from "../config/settings.ts";
import type { LogRecord } from "../exporters/messages.ts";
import { loadOrExplain } from "./configuration.ts";
import type { Context } from "./context.ts";
import { missingPermissions } from "./drop.ts";

/** Settings and a log, or nothing when the command has to end with 78. */
export interface Start {
  readonly settings: Settings;
  readonly log: Log;
  /** Takes records from other isolates. */
  readonly record: (record: LogRecord) => void;
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
  const collectorNames = collectors().map(({ name }) => name);
  const loaded = loadOrExplain(context, { files: hostFiles(), collectorNames });
  const { settings } = loaded;
  if (settings === undefined) return undefined;
  const log = new Log({
    ...settings.log,
    hasTime: context.env["JOURNAL_STREAM"] === undefined,
    write: context.stderr,
    now: context.now,
  });
  for (const { place, key, what, next } of loaded.notices) log.info(what, { place, key, next });
  return { settings, log, record: ({ level, event, fields }) => log.record(level, event, fields) };
}
