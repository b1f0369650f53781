/**
 * `sonde spool drain`: delivers what waits, at once. A running agent that owns the spool does it; without one this
 * process takes the lock, and gives every permission up before it sends.
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { mayExist, openStateDir } from "../config/state_dir.ts";
import { laneKey } from "../exporters/batch.ts";
import type { DeliveryReport } from "../exporters/report.ts";
import type { Context } from "./context.ts";
import { findAgent, isReport, refusalOf } from "./control_agent.ts";
import { Intake } from "./control_intake.ts";
import { openCourier } from "./delivery.ts";
import { dropPermissions } from "./drop.ts";
import { installationId } from "./identity.ts";
import { onEnding } from "./stop.ts";
import { itemCount, judge } from "./verdict.ts";
import { workerUrl } from "./workers.ts";

export interface DrainOptions {
  readonly maxMs: number;
  /** Another endpoint's folder, to be taken over first; or the first characters of its name. */
  readonly hash: string | undefined;
}

/** What an agent may take beyond the time it was given. */
const GRACE_MS = 5_000;

function fail({ stderr }: Context, message: string, hint: string): void {
  stderr(`sonde: error: ${message}\nsonde: hint: ${hint}\n`);
}

/** Where adopted data goes: the only destination, or the unnamed one. */
function destinationOf({ lanes }: Settings): string | undefined {
  const names = [...new Set(lanes.map(({ destination }) => destination))];
  return names.length === 1 ? names[0] : names.find((name) => name === "default");
}

function request(settings: Settings, { maxMs, hash }: DrainOptions) {
  const destination = destinationOf(settings);
  return {
    verb: "drain",
    maxMs,
    ...(hash !== undefined && destination !== undefined && { adopt: hash, destination }),
  };
}

function conclude(context: Context, report: DeliveryReport): number {
  const { code, lines } = judge(report, false);
  for (const line of lines) context.stderr(`sonde: ${line}\n`);
  const delivered = report.lanes.reduce((sum, lane) => sum + lane.delivered, 0);
  if (code === 0) context.stderr(`sonde: the spool is empty, ${itemCount(delivered)} delivered\n`);
  return code;
}

/** Has the running agent do it; undefined when there is none. */
async function drainRunning(
  context: Context,
  settings: Settings,
  options: DrainOptions,
): Promise<number | undefined> {
  using running = await findAgent(settings);
  if (running === undefined) return undefined;
  const answer = await running.client.ask(request(settings, options), options.maxMs + GRACE_MS);
  const refusal = refusalOf(answer);
  const report = answer?.["report"];
  if (refusal === undefined && isReport(report)) return conclude(context, report);
  fail(context, refusal ?? "the running agent is of another version", "sonde spool ls shows what waits");
  return 69;
}

async function drainOwn(context: Context, settings: Settings, options: DrainOptions): Promise<number> {
  // Root means the service's spool, and must not take its own for it.
  const [service = "", ...others] = settings.stateDirs;
  const candidates = Deno.uid() === 0 && mayExist(service) ? [service] : [service, ...others];
  const { path: stateDir, fault } = openStateDir(candidates);
  if (stateDir === undefined) {
    fail(
      context,
      `no state directory can be used: ${fault}`,
      "run as the user the agent runs as: runuser -u sonde -- sonde spool drain",
    );
    return 74;
  }
  const log = () => {};
  const { link } = openCourier(settings, {
    courierUrl: workerUrl("courier"),
    stateDir,
    agentId: await installationId({ stateDir, timeMs: context.now(), log }),
    log,
    dead: (why) => {
      fail(context, `courier is dead: ${why}`, "this is a fault of sonde's own");
      Deno.exit(70);
    },
  });
  await link.ready;
  dropPermissions();
  const claimed = await link.order({ verb: "claim" });
  if (claimed.fault !== undefined) {
    fail(context, claimed.fault, "whoever holds the spool delivers it; try again later");
    return claimed.isHeldElsewhere ? 75 : 74;
  }
  onEnding(() => void link.flush({ deadlineMs: 0, final: true }).then(() => Deno.exit(75)));
  const intake = new Intake({ link, lanes: new Set(settings.lanes.map(laneKey)), now: context.now });
  try {
    await intake.drain(request(settings, options));
    // The courier was at it before anybody asked: all it has done is ours to tell.
    return conclude(context, await link.flush({ deadlineMs: 0, final: true }));
  } catch (error) {
    fail(context, error instanceof Error ? error.message : String(error), "sonde spool ls shows what waits");
    return 69;
  }
}

/** Ends with 0 when nothing is left, 75 when something is, 69 or 77 as the backend says. */
export async function drain(context: Context, settings: Settings, options: DrainOptions): Promise<number> {
  if (settings.lanes.length === 0) {
    fail(context, "no destination is configured", "name one with --endpoint or SONDE_ENDPOINT");
    return 78;
  }
  if (options.hash !== undefined && destinationOf(settings) === undefined) {
    fail(
      context,
      "--adopt needs one destination, several are configured",
      "give --endpoint, or --env-file with one",
    );
    return 78;
  }
  return await drainRunning(context, settings, options) ?? await drainOwn(context, settings, options);
}
