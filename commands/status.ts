/**
 * `sonde status`: the running agent's own account of itself, for people, programs (`--json`) and health checks
 * (`--healthy`, contract: status).
 * @module
 */
import { fold, paint } from "../exporters/console_text.ts";
import type { Context } from "./context.ts";
import type { ControlAnswer } from "./control.ts";
import { lineWidth, wantsColor } from "./output.ts";
import { askAgent, noAgent } from "./running_agent.ts";
import { standInOf } from "./stand_in.ts";
import { statusLines } from "./status_text.ts";
import type { Status } from "./vitals.ts";

/** The status in an answer; undefined when an agent of another version answers otherwise. */
export function statusIn(answer: ControlAnswer): Status | undefined {
  if (!Array.isArray(answer["lanes"]) || typeof answer["health"] !== "object") return undefined;
  const status: Status = JSON.parse(JSON.stringify(answer));
  return status;
}

/** Asks for a status; says why there is none. The number is an exit code. */
export async function fetchStatus(context: Context): Promise<Status | number> {
  const answer = await askAgent(context, { verb: "status" });
  if (answer === undefined) return noAgent(context);
  const status = statusIn(answer);
  if (status !== undefined) return status;
  const why = typeof answer["error"] === "string" ? answer["error"] : "it answers in another form";
  context.stderr(`sonde: error: Cannot read the agent's status: ${why}\n`);
  context.stderr("sonde: hint: Restart the agent: it is of another version\n");
  return 70;
}

/** 0 when an agent answers; with `--healthy` only while its data is accepted, else 69 or 77. */
export async function run(context: Context): Promise<number> {
  const { flags, stdout, stderr, env } = context;
  // What stands in for an older sender answers nothing; that its process lives the container knows.
  if (flags.has("stand-in") && standInOf(env) !== undefined) return 0;
  const status = await fetchStatus(context);
  if (typeof status === "number") return status;
  if (flags.has("json")) stdout(`${JSON.stringify(status, null, 2)}\n`);
  else if (!flags.has("healthy")) {
    stdout(paint(fold(statusLines(status), lineWidth(context)), Infinity, wantsColor(context)));
  }
  if (!flags.has("healthy")) return 0;
  for (const why of status.health.why) stderr(`sonde: not healthy: ${why}\n`);
  return status.health.code;
}
