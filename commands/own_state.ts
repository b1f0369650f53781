/**
 * The state directory of a process that ends by itself: the configured one, else one of the user's own, whose spool the
 * user's next run delivers (design 2).
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { mayExist, openStateDir, ownFolder } from "../config/state_dir.ts";
import type { LogRecord } from "../exporters/messages.ts";

export interface OwnState {
  /** Absent when nothing can be kept on disk at all. */
  readonly path?: string;
}

/** Opens the first that can be written. Says once what it means that it is not the configured one. */
export function openOwnState(
  { stateDirs }: Pick<Settings, "stateDirs">,
  env: Readonly<Record<string, string>>,
  log: (record: LogRecord) => void,
): OwnState {
  const own = ownFolder(env);
  const { path, fault } = openStateDir(own === undefined ? stateDirs : [...new Set([...stateDirs, own])]);
  if (path === undefined) {
    log({ level: "warn", event: "state directory unusable", fields: { why: fault } });
    return {};
  }
  // Where nobody but this user has ever run sonde, the user's own folder is the usual place.
  const [usual] = stateDirs;
  if (path === own && usual !== undefined && usual !== path && mayExist(usual)) {
    const next = "what is kept there goes out with your next run";
    log({ level: "warn", event: "no right to the agent's state directory", fields: { usual, own, next } });
  }
  return { path };
}
