/**
 * `run --stand-in`, what the container's image starts: where nothing is said but the variables of an older program that
 * a preset row stands in for, what that program did is done; else everything is as without the flag (heka.md 16).
 * @module
 */
import { PRESETS } from "../exporters/presets/registry.ts";

/** What the image says itself: where its folders are. */
const OF_THE_IMAGE: ReadonlySet<string> = new Set(["SONDE_STATE_DIR", "SONDE_CONTROL_SOCKET"]);

/** The command line to go on with; undefined when somebody has said anything in sonde's own words. */
export function standInOf(env: Readonly<Record<string, string>>): readonly string[] | undefined {
  const isTold = Object.entries(env).some(([name, text]) =>
    /^(?:SONDE|OTEL)_/.test(name) && text !== "" && !OF_THE_IMAGE.has(name)
  );
  if (isTold || env["EXPORTER_TYPE"]) return undefined;
  return PRESETS.find(({ impliedBy, standIn }) =>
    standIn !== undefined && impliedBy !== undefined && (env[impliedBy] ?? "") !== ""
  )?.standIn;
}
