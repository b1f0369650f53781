/**
 * `sonde sandbox`: what the running agent can still do, tried from inside it after the drop; without a running agent
 * the same is done by an agent opened for the purpose, which collects and sends nothing (design 2).
 * @module
 */
import { hostFiles } from "../config/files.ts";
import { loadConfig } from "../config/load.ts";
import { openAgent } from "./agent.ts";
import { loadInput } from "./configuration.ts";
import type { Context } from "./context.ts";
import { askControl } from "./control.ts";
import { inspect, type Inspection, type PartReport } from "./inspection.ts";
import { start } from "./start.ts";
import { workerUrl } from "./workers.ts";

function isInspection(answer: Record<string, unknown>): boolean {
  return Array.isArray(answer["parts"]) && typeof answer["pid"] === "number";
}

async function askRunning(context: Context): Promise<Inspection | undefined> {
  const { settings } = loadConfig(loadInput(context, hostFiles()));
  for (const path of settings?.controlSockets ?? []) {
    const answer = await askControl(path, { verb: "sandbox" });
    if (answer === undefined || !isInspection(answer)) continue;
    const inspection: Inspection = JSON.parse(JSON.stringify(answer));
    return inspection;
  }
  return undefined;
}

async function inspectOwn(context: Context): Promise<Inspection | undefined> {
  const begun = start(context);
  if (begun === undefined) return undefined;
  const agent = await openAgent(begun.settings, context, {
    delivers: begun.settings.lanes.length > 0 || begun.settings.opamp !== undefined,
    // Never started; the rights that it needs are there to be shown.
    opamp: begun.settings.opamp === undefined ? undefined : new MessageChannel().port1,
    courierUrl: workerUrl("courier"),
    log: begun.record,
    dead: (why) => {
      begun.log.error("courier is dead", { why });
      Deno.exit(70);
    },
  });
  return await inspect(agent);
}

function listed(title: string, entries: readonly string[]): string[] {
  if (entries.length === 0) return [`  ${title}: none`];
  return [`  ${title}:`, ...entries.map((entry) => `    ${entry}`)];
}

function partLines({ part, permissions, holds, probes }: PartReport): string[] {
  return [
    part.toUpperCase(),
    ...listed("permissions", permissions),
    ...listed("holds", holds),
    "  tried:",
    ...probes.map(({ attempt, result, detail }) =>
      `    ${result.padEnd(8)} ${attempt}${result === "denied" ? "" : ` (${detail})`}`
    ),
    "",
  ];
}

/** Ends with 0 when every attempt of every part was denied, else 70. */
export async function run(context: Context): Promise<number> {
  const running = await askRunning(context);
  const inspection = running ?? await inspectOwn(context);
  if (inspection === undefined) return 78;
  const { pid, parts, readable } = inspection;
  const who = running === undefined
    ? "no agent is running: opened one to look"
    : `running agent, process ${pid}`;
  const lines = [
    who,
    `kept files read again after the drop: ${readable.files}, failed: ${readable.failed}`,
    "",
    ...parts.flatMap(partLines),
  ];
  context.stdout(lines.join("\n"));
  const possible = parts.flatMap((part) => part.probes).filter(({ result }) => result === "possible");
  if (possible.length > 0) context.stderr(`sonde: error: ${possible.length} attempts were possible\n`);
  return possible.length === 0 ? 0 : 70;
}
