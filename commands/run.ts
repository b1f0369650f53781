/**
 * `sonde run`: turns the crank until a signal: first cycle at once, then every interval; on SIGTERM or SIGINT the
 * last data is delivered or spooled within its deadline and the exit code is 0 (contract: run).
 * @module
 */
import type { Log } from "../config/log.ts";
import type { Settings } from "../config/settings.ts";
import { sleep } from "../exporters/clock.ts";
import { type Agent, openAgent } from "./agent.ts";
import { ClockGuard } from "./clock_guard.ts";
import type { Context } from "./context.ts";
import { dispatch } from "./dispatch.ts";
import { openControl } from "./control_verbs.ts";
import { formatOf } from "./output.ts";
import type { Managed, ManagedParts } from "./managed.ts";
import type { ManagedStart } from "./managed_start.ts";
import { crank } from "./schedule.ts";
import { ReceiverError } from "./receiving.ts";
import { Service } from "./service.ts";
import { sinkOf } from "./sink.ts";
import { type Start, start } from "./start.ts";
import { Stop } from "./stop.ts";
import { notifySocket, Supervisor, watchdogMs } from "./supervisor.ts";
import { VERSION } from "./build.ts";
import { workerUrl } from "./workers.ts";

/** A person who starts sonde on a terminal sees rates at once: two looks, this far apart. */
const FIRST_LOOK_MS = 500;
/** How often memory is given back and the courier's beat is looked at. */
const HOUSEKEEPING_MS = 60_000;
const WATCH_MS = 10_000;

function startLine({ lanes, intervalMs }: Settings, { delivery }: Agent): Record<string, string> {
  const where = lanes.filter((lane) => lane.signal === "metrics").map((lane) => new URL(lane.url).origin);
  return {
    version: VERSION,
    destination: where.length === 0 ? "console" : [...new Set(where)].join(","),
    interval: `${intervalMs / 1000}s`,
    sandbox: delivery === undefined
      ? "sealed"
      : `sealed, courier reaches ${delivery.permissions.net.join(" ")}`,
  };
}

/** Gives freed memory back to the system: V8 keeps it otherwise (design 9). Only safe when the runtime expects it. */
function trimMemory(env: Context["env"]): void {
  if (env["DENO_USR2_MEMORY_TRIM"] === "1") Deno.kill(Deno.pid, "SIGUSR2");
}

interface Turning {
  readonly stop: Stop;
  readonly log: Log;
  readonly service: Service;
  readonly supervisor: Supervisor;
}

async function turn(
  agent: Agent,
  context: Context,
  { stop, log, service, supervisor }: Turning,
): Promise<void> {
  const { sensor, settings } = agent;
  const sink = sinkOf(agent, context);
  await sensor.refresh();
  if (settings.isConsole && formatOf(context) === "table") {
    sink(sensor.collect());
    await sleep(FIRST_LOOK_MS, stop.signal);
  }
  const faults = new Map<string, string | undefined>();
  const guard = new ClockGuard();
  const wakes = () => AbortSignal.any([stop.signal, service.live.changed]);
  let wake = wakes();
  await crank({
    // One signal for each change: one for each turn would pile up.
    wake: () => wake.aborted ? wake = wakes() : wake,
    intervalMs: () => service.live.intervalMs,
    prepare: () => void sensor.refresh(0),
    cycle: () => {
      const snapshot = sensor.collect();
      const turned = { monotonicMs: performance.now(), intervalMs: service.live.intervalMs };
      for (const due of guard.pass(snapshot, turned)) sink(due);
      const event = guard.takeEvent();
      if (event !== undefined) log.warn(event, { dropped: guard.dropped, regressions: guard.regressions });
      agent.delivery?.receiver?.cycle();
      service.observe(snapshot);
      reportFaults(agent, faults, log);
      supervisor.cycle();
    },
    signal: stop.signal,
  }, { mono: () => performance.now(), sleep });
}

/** One line when a collector's fault begins or changes, one when it ends. */
function reportFaults({ sensor }: Agent, known: Map<string, string | undefined>, log: Log): void {
  for (const { name, fault } of sensor.stats()) {
    if (known.get(name) === fault) continue;
    known.set(name, fault);
    if (fault === undefined) log.info("collector works again", { collector: name });
    else log.warn("collector has a fault", { collector: name, fault });
  }
}

/** Delivers or spools what is left; `run` ends with 0 whatever the backend says. */
async function finish({ delivery, settings }: Agent, stop: Stop, managed?: Managed): Promise<void> {
  if (delivery === undefined) return;
  const farewell = managed?.stop();
  await delivery.receiver?.stop();
  void stop.second.then(() => delivery.link.flush({ deadlineMs: 0, final: true, brief: true }));
  await delivery.link.flush({ deadlineMs: settings.shutdownTimeoutMs, final: true, brief: true });
  await farewell;
}

/** Notices dead workers, and tells the courier what the disk has left: it may not ask itself. */
async function lookAfter({ delivery, sensor, stateDir }: Agent): Promise<void> {
  delivery?.link.watch();
  delivery?.receiver?.watch();
  const disk = stateDir === undefined ? undefined : await sensor.statfs(stateDir);
  if (disk === undefined) return;
  const { blockSize, blocks, blocksAvailable } = disk;
  delivery?.link.disk({ freeBytes: blockSize * blocksAvailable, totalBytes: blockSize * blocks });
}

export async function run(context: Context): Promise<number> {
  if (context.flags.names.join() === "stand-in") {
    const { standInOf } = await import("./stand_in.ts");
    const args = standInOf(context.env);
    if (args !== undefined) return await dispatch(args, context);
  }
  const begun = start(context);
  if (begun === undefined) return 78;
  try {
    return await live(context, begun);
  } catch (error) {
    if (!(error instanceof ReceiverError)) throw error;
    context.stderr(
      `sonde: error: ${error.message}\nsonde: hint: set SONDE_RECEIVE to a free loopback address\n`,
    );
    return 78;
  }
}

function supervisorOf(
  { delivery }: Agent,
  { env }: Context,
  { isWanted, service }: { readonly isWanted: boolean; readonly service: Service },
): Supervisor {
  return new Supervisor({
    notify: isWanted ? (state) => delivery?.link.notify(state) : undefined,
    watchdogMs: watchdogMs(env, Deno.pid),
    intervalMs: () => service.live.intervalMs,
    nowMs: () => performance.now(),
  });
}

async function reload(service: Service, supervisor: Supervisor): Promise<void> {
  supervisor.reloading();
  const { outcome } = await service.reload();
  supervisor.ready(`configuration ${outcome}`);
}

/** The sensor's end of the OpAMP session; loaded only where there is a server to speak to. */
async function openManaged(
  parts: Omit<ManagedParts, "start" | "port">,
  { start, port }: { readonly start: ManagedStart | undefined; readonly port: MessagePort },
): Promise<void> {
  if (start === undefined) return port.close();
  const { Managed } = await import("./managed.ts");
  parts.service.managed = new Managed({ ...parts, start, port }, parts.service.vitals.startedMs);
}

/** What a managed life begins with; its code, a part of its own, is loaded only where there is a server. */
async function begin(started: Start, context: Context): Promise<ManagedStart | undefined> {
  if (started.settings.opamp === undefined) return undefined;
  const { beginManaged } = await import("./managed_start.ts");
  return await beginManaged(started, context);
}

async function live(context: Context, started: Start): Promise<number> {
  const managed = await begin(started, context);
  const begun = managed?.begun ?? started;
  const { settings, log, record } = begun;
  const { port1, port2 } = new MessageChannel();
  const stop = new Stop(log);
  const serving = Promise.withResolvers<Service>();
  // Until there is something to reload it must not end the process.
  Deno.addSignalListener("SIGHUP", () => {});
  const notify = notifySocket(context.env, settings);
  const agent = await openAgent(settings, context, {
    delivers: settings.lanes.length > 0 || notify !== undefined || managed !== undefined,
    opamp: managed === undefined ? undefined : port2,
    notify,
    receives: true,
    courierUrl: workerUrl("courier"),
    log: record,
    dead: (why) => {
      log.error("a worker is dead", { why });
      Deno.exit(70);
    },
    files: begun.loaded.filesRead,
    beforeDrop: async (opened) => {
      const service = new Service({ agent: opened, begun, context, restart: () => stop.restart() });
      serving.resolve(service);
      const restart = () => stop.restart();
      await openManaged({ agent: opened, service, restart }, { start: managed, port: port1 });
      await openControl(opened, { log, now: context.now, more: service.answer });
    },
  });
  const service = await serving.promise;
  const supervisor = supervisorOf(agent, context, { isWanted: notify !== undefined, service });
  Deno.addSignalListener("SIGHUP", () => void reload(service, supervisor));
  Deno.addSignalListener("SIGUSR1", () => service.explain());
  log.info("started", startLine(settings, agent));
  supervisor.ready("collecting");
  const housekeeping = setInterval(() => {
    agent.remember();
    trimMemory(context.env);
  }, HOUSEKEEPING_MS);
  const watch = setInterval(() => {
    service.sweep();
    void lookAfter(agent);
  }, WATCH_MS);
  await turn(agent, context, { stop, log, service, supervisor });
  agent.remember();
  supervisor.stopping();
  clearInterval(housekeeping);
  clearInterval(watch);
  await finish(agent, stop, service.managed);
  return stop.code;
}
