/**
 * `sonde once`: one cycle, delivered with whatever the spool holds, or printed; then the end (contract: once).
 * @module
 */
import type { Snapshot } from "../collectors/metric.ts";
import { sleep } from "../exporters/clock.ts";
import { type Agent, openAgent } from "./agent.ts";
import type { Context } from "./context.ts";
import { formatOf, render } from "./output.ts";
import { type Start, start } from "./start.ts";
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

/** Delivers one snapshot and says how it ended. */
async function deliver(
  agent: Agent,
  snapshot: Snapshot,
  { context, log }: { context: Context; log: Start["log"] },
): Promise<number> {
  const { delivery, settings, sensor } = agent;
  if (delivery === undefined) return 0;
  const { link, fanOut } = delivery;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(name, () => void link.flush({ deadlineMs: INTERRUPTED_MS, final: true }));
  }
  const before = performance.now();
  fanOut.deliver(sensor.resource, snapshot);
  const report = await link.flush({ deadlineMs: settings.shutdownTimeoutMs, final: true });
  const { code, lines } = judge(report, context.flags.has("spool-ok"));
  for (const line of lines) context.stderr(`sonde: ${line}\n`);
  const delivered = report.lanes.reduce((sum, lane) => sum + lane.delivered, 0);
  log.info("once ended", { delivered, code, ms: Math.round(performance.now() - before) });
  return code;
}

export async function run(context: Context): Promise<number> {
  const begun = start(context);
  if (begun === undefined) return 78;
  const { settings, log, record } = begun;
  const isDry = context.flags.has("dry-run");
  const delivers = !isDry && settings.lanes.length > 0;
  const prints = isDry || settings.isConsole || context.flags.has("format");
  const agent = await openAgent(settings, context, {
    delivers,
    previous: context.flags.text("previous"),
    courierUrl: workerUrl("courier"),
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
  return delivers ? await deliver(agent, looks.snapshot, { context, log }) : 0;
}
