/**
 * What `run` does from the moment its courier starts: serves, turns the crank, looks after itself, and ends in order.
 * Loaded while the courier loads what it needs itself.
 * @module
 */
import type { Settings } from "../config/settings.ts";
import { sleep } from "../exporters/clock.ts";
import type { Agent } from "./agent.ts";
import { VERSION } from "./build.ts";
import type { Context } from "./context.ts";
import { openControl } from "./control_verbs.ts";
import type { Managed, ManagedParts } from "./managed.ts";
import type { ManagedStart } from "./managed_start.ts";
import { MemoryWatch } from "./memory_watch.ts";
import { Service } from "./service.ts";
import { openSink, type Sink } from "./sink.ts";
import type { Start } from "./start.ts";
import type { Stop } from "./stop.ts";
import { Supervisor, watchdogMs } from "./supervisor.ts";
import { turn } from "./turning.ts";

/** A person who starts sonde on a terminal sees rates at once: two looks, this far apart. */
const FIRST_LOOK_MS = 500;
/** How often what the next life has to know is written down. */
const HOUSEKEEPING_MS = 60_000;
/** How often workers, disk and memory are looked at. */
const WATCH_MS = 10_000;
/** How often memory is looked at where programs send theirs: 30 us each time. */
const FLOOD_WATCH_MS = 500;

/** What a life begins with. */
export interface LifeParts {
  readonly context: Context;
  readonly begun: Start;
  readonly stop: Stop;
  /** A service manager wants to know how this life goes. */
  readonly notifies: boolean;
  readonly managed: ManagedStart | undefined;
  /** The sensor's end of the OpAMP session. */
  readonly port: MessagePort;
}

/** A life with all it needs open. */
export interface Life {
  readonly service: Service;
  readonly sink: Sink;
}

function startLine({ lanes, intervalMs }: Settings, { delivery }: Agent): Record<string, string> {
  const where = lanes.filter((lane) => lane.signal === "metrics").map((lane) => new URL(lane.url).origin);
  return {
    version: VERSION,
    destination: where.length === 0 ? "console" : [...new Set(where)].join(","),
    interval: `${intervalMs / 1000}s`,
    sandbox: delivery === undefined
      ? "sealed"
      : `sealed, courier reaches ${delivery.permissions.net.join(" ") || "nothing"}`,
  };
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
  { managed: start, port }: Pick<LifeParts, "managed" | "port">,
): Promise<void> {
  if (start === undefined) return port.close();
  const { Managed }: typeof import("./managed.ts") = await import("./managed.ts" satisfies string);
  parts.service.managed = new Managed({ ...parts, start, port }, parts.service.vitals.startedMs);
}

/** Opens what serves others and what is printed to; needs all permissions. */
export async function openLife(agent: Agent, parts: LifeParts): Promise<Life> {
  const { begun, context, stop } = parts;
  const restart = () => stop.restart();
  const service = new Service({ agent, begun, context, restart });
  await service.listen();
  await openManaged({ agent, service, restart }, parts);
  await openControl(agent, { log: begun.log, now: context.now, more: service.answer });
  return { service, sink: await openSink(agent, context) };
}

/** Gives freed memory back to the system: V8 keeps it otherwise (design 9). Only safe when the runtime expects it. */
function memoryWatch({ env }: Context): () => void {
  if (env["DENO_USR2_MEMORY_TRIM"] !== "1") return () => {};
  const watch = new MemoryWatch();
  return () => {
    if (watch.look(Deno.memoryUsage().rss, performance.now())) Deno.kill(Deno.pid, "SIGUSR2");
  };
}

/** Lives until the stop; gives the exit code. */
export async function live(agent: Agent, { service, sink }: Life, parts: LifeParts): Promise<number> {
  const { context, begun: { settings, log }, stop } = parts;
  const supervisor = supervisorOf(agent, context, { isWanted: parts.notifies, service });
  Deno.addSignalListener("SIGHUP", () => void reload(service, supervisor));
  Deno.addSignalListener("SIGUSR1", () => service.explain());
  log.info("started", startLine(settings, agent));
  supervisor.ready("collecting");
  await agent.sensor.refresh();
  if (sink.looksTwice) {
    sink.take(agent.sensor.collect());
    await sleep(FIRST_LOOK_MS, stop.signal);
  }
  const turning = turn({ agent, sink, stop, log, service, supervisor });
  // Timers come after the first cycle: what they need of the runtime takes as long to load as a cycle.
  const trim = memoryWatch(context);
  const housekeeping = setInterval(() => agent.remember(), HOUSEKEEPING_MS);
  // Only what others send grows by megabytes in a second; the start has its own growth, which comes to an end.
  const trimming = setInterval(() => {
    if (performance.now() >= WATCH_MS) trim();
  }, agent.delivery?.receiver === undefined ? WATCH_MS : FLOOD_WATCH_MS);
  const watch = setInterval(() => {
    service.sweep();
    void lookAfter(agent);
  }, WATCH_MS);
  await turning;
  agent.remember();
  supervisor.stopping();
  clearInterval(housekeeping);
  clearInterval(watch);
  clearInterval(trimming);
  await finish(agent, stop, service.managed);
  return stop.code;
}
