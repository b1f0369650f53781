/**
 * `sonde once`: one cycle, delivered with whatever the spool holds, or printed; then the end (contract: once).
 * @module
 */
import type { Snapshot } from "../collectors/metric.ts";
import { duration } from "../config/value_types.ts";
import type { BatchMessage } from "../exporters/batch.ts";
import { sleep } from "../exporters/clock.ts";
import type { DeliveryReport } from "../exporters/report.ts";
import { type Agent, openAgent } from "./agent.ts";
import { parsedFlag } from "./command_line.ts";
import type { Context } from "./context.ts";
import { findAgent, type RunningAgent, socketLanes, submit } from "./control_agent.ts";
import { type Delivery, loadEncoders, openFanOut } from "./delivery.ts";
import { formatOf, render } from "./output.ts";
import { type Start, start } from "./start.ts";
import { onEnding } from "./stop.ts";
import { judge } from "./verdict.ts";
import { workerUrl } from "./workers.ts";

/** Rates for a person need two looks; this long lies between them. */
const SECOND_LOOK_MS = 1000;
/** Waits for a signal's flush: what is queued goes to the spool without another attempt. */
const INTERRUPTED_MS = 0;

interface Looks {
  readonly snapshot: Snapshot;
  readonly previous: Snapshot | undefined;
}

async function look({ sensor }: Agent, isTable: boolean): Promise<Looks> {
  await sensor.refresh();
  const previous = sensor.collectEarlier();
  if (previous !== undefined) return { snapshot: sensor.collect(), previous };
  const first = sensor.collect();
  if (!isTable) return { snapshot: first, previous: undefined };
  await sleep(SECOND_LOOK_MS);
  return { snapshot: sensor.collect(), previous: first };
}

/** Delivers one snapshot. */
async function deliver({ settings, sensor }: Agent, { link, fanOut }: Delivery, snapshot: Snapshot) {
  onEnding(() => void link.flush({ deadlineMs: INTERRUPTED_MS, final: true }));
  await link.order({ verb: "claim" });
  fanOut.deliver(sensor.resource, snapshot);
  return await link.flush({ deadlineMs: settings.shutdownTimeoutMs, final: true });
}

/**
 * Hands one snapshot to the agent that runs here. Destinations that want increments get none of this look: they are
 * the running agent's to tell, and told twice they would overlap.
 */
async function handOver({ settings, sensor }: Agent, running: RunningAgent, { snapshot, context }: HandOver) {
  const batches: BatchMessage[] = [];
  const fanOut = await openFanOut(socketLanes(settings.lanes), {
    bootId: sensor.bootId,
    startedNs: snapshot.timeNs,
    baselines: [],
    send: (batch) => batches.push(batch),
  });
  fanOut.deliver(sensor.resource, snapshot);
  return await submit(running, batches, { waitMs: settings.shutdownTimeoutMs, nowMs: context.now() });
}

interface HandOver {
  readonly snapshot: Snapshot;
  readonly context: Context;
}

/** Says how delivery ended, in words where they are needed. */
function conclude(report: DeliveryReport, { context, log }: { context: Context; log: Start["log"] }): number {
  const { code, lines } = judge(report, context.flags.has("spool-ok"));
  for (const line of lines) context.stderr(`sonde: ${line}\n`);
  const delivered = report.lanes.reduce((sum, lane) => sum + lane.delivered, 0);
  log.info("once ended", { delivered, code });
  return code;
}

/** Spreads a fleet's cron jobs: waits a random part of `--jitter`. */
async function waitForTurn({ flags, random }: Context): Promise<void> {
  const jitter = flags.text("jitter");
  if (jitter !== undefined) await sleep(random() * parsedFlag("jitter", jitter, duration("0s", "1h")));
}

export async function run(context: Context): Promise<number> {
  const begun = start(context);
  if (begun === undefined) return 78;
  const { settings, log, record } = begun;
  const isDry = context.flags.has("dry-run");
  const delivers = !isDry && settings.lanes.length > 0;
  const prints = isDry || settings.isConsole || context.flags.has("format");
  await waitForTurn(context);
  using running = delivers ? await findAgent(settings, settings.lanes) : undefined;
  const agent = await openAgent(settings, context, {
    delivers: delivers && running === undefined,
    attributes: running?.resource,
    isBrief: true,
    previous: context.flags.text("previous"),
    courierUrl: workerUrl("courier"),
    ...(running !== undefined && { beforeDrop: async () => void await loadEncoders() }),
    log: record,
    dead: (why) => {
      log.error("courier is dead", { why });
      Deno.exit(70);
    },
  });
  const format = formatOf(context);
  const looks = await look(agent, prints && format === "table");
  if (prints) {
    const { resource } = agent.sensor;
    context.stdout(render(format, { ...looks, resource, naming: settings.naming }, context));
  }
  const { snapshot } = looks;
  agent.remember();
  if (running !== undefined) {
    return conclude(await handOver(agent, running, { snapshot, context }), { context, log });
  }
  if (agent.delivery === undefined) return 0;
  return conclude(await deliver(agent, agent.delivery, snapshot), { context, log });
}
