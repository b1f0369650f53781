/**
 * Finding the agent that runs on this host: the first control socket that answers (design 7).
 * @module
 */
import { hostFiles } from "../config/files.ts";
import { loadConfig } from "../config/load.ts";
import { count } from "../config/value_types.ts";
import { parsedFlag } from "./command_line.ts";
import { loadInput } from "./configuration.ts";
import type { Context } from "./context.ts";
import { askControl, type ControlAnswer, type ControlRequest } from "./control.ts";

/** Where an agent of this configuration listens; a broken configuration leaves the usual places. */
export function controlPaths(context: Context): readonly string[] {
  const { settings } = loadConfig(loadInput(context, hostFiles()));
  if (settings !== undefined) return settings.controlSockets;
  const set = context.env["SONDE_CONTROL_SOCKET"];
  return [set, "/run/sonde/ctl.sock"].filter((path) => path !== undefined);
}

/** How many times `--count` lets a verb go on; without it, for ever. Throws `UsageError`. */
export function countOf({ flags }: Context): number {
  const text = flags.text("count");
  return text === undefined ? Infinity : parsedFlag("count", text, count(1, 1_000_000));
}

/** The running agent's answer; undefined when none runs or this user may not ask. */
export async function askAgent(
  context: Context,
  request: ControlRequest,
): Promise<ControlAnswer | undefined> {
  for (const path of controlPaths(context)) {
    const answer = await askControl(path, request);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** Says that no agent answers, and what to type; the exit code. */
export function noAgent(context: Context): number {
  const paths = controlPaths(context);
  context.stderr(`sonde: error: no agent answers on ${paths.join(" or ")}\n`);
  const refused = paths.some((path) => isForbidden(path));
  const hint = refused
    ? "You may not use that socket: try as root or as the agent's user"
    : "Type sonde run, or systemctl status sonde";
  context.stderr(`sonde: hint: ${hint}\n`);
  return 69;
}

function isForbidden(path: string): boolean {
  const facts = hostFiles().facts(path);
  if (facts === undefined || Deno.uid() === 0) return false;
  return facts.uid !== Deno.uid();
}
