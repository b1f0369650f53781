/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * The courier: the worker that may talk to the destinations and write the spool, and nothing else (design 2). This
 * file is wiring: one switch over messages, real time and chance, the beat.
 * @module
 */
import { rereadCredentials } from "../config/credential_files.ts";
import { readNamed } from "../config/files.ts";
import type { BatchMessage } from "./batch.ts";
import { type Clock, sleep } from "./clock.ts";
import { openDelivery } from "./delivery.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { Body } from "./gzip.ts";
import type {
  CourierFlush,
  CourierOrder,
  CourierStart,
  FileRead,
  FromCourier,
  LogRecord,
  ToCourier,
} from "./messages.ts";
import { Notifier, type NotifySocket } from "./notify.ts";
import type { Outcome } from "./outcome.ts";
import { probe } from "./probe.ts";
import { type DeliveryReport, isFailing } from "./report.ts";
import { Room } from "./room.ts";
import type { SpooledDelivery } from "./spooled_delivery.ts";
import { openSpooledDelivery } from "./spooled_open.ts";

const BEAT_MS = 10_000;
/** From report to report while all goes well, and while it does not: each wakes the sensor once more. */
const CALM_SPACING_MS = 5_000;
const TROUBLED_SPACING_MS = 1_000;
/** Telemetry about sonde itself is kept nowhere else. */
const OWN_QUEUE_BYTES = 256 * 1024;

const clock: Clock = { wall: Date.now, mono: () => performance.now(), random: Math.random, sleep };

const room = new Room(() => delivery?.freeBytes ?? 0);
const started = Promise.withResolvers<void>();
let delivery: SpooledDelivery | undefined;
let reporting: ReturnType<typeof setTimeout> | undefined;
let reportedMs = -Infinity;
let isCalm = true;
let spacingMs = CALM_SPACING_MS;
let isTapped = false;
let notifier: Notifier | undefined;

function send(message: FromCourier): void {
  self.postMessage(message);
}

function log(record: LogRecord): void {
  send({ type: "log", record });
}

function report(): DeliveryReport {
  return delivery?.report() ?? { lanes: [] };
}

function sendReport(): void {
  clearTimeout(reporting);
  reporting = undefined;
  reportedMs = clock.mono();
  send({ type: "report", report: report() });
}

/** Several changes make one report. */
function changed(): void {
  room.look();
  reporting ??= setTimeout(sendReport, Math.max(0, reportedMs + spacingMs - clock.mono()));
}

/** Notes how it goes: trouble, and its end, are told sooner. */
function paceReports({ kind }: Outcome): void {
  const wasCalm = isCalm;
  isCalm = kind === "accepted";
  spacingMs = isCalm && wasCalm ? CALM_SPACING_MS : TROUBLED_SPACING_MS;
  if (isCalm && wasCalm) return;
  clearTimeout(reporting);
  reporting = undefined;
}

/** The copy is made only while somebody listens. */
function tellPosted({ destination, signal, encoding }: LaneConfig, body: Body, outcome: Outcome): void {
  paceReports(outcome);
  if (!isTapped) return;
  const { status } = outcome;
  const posted = {
    ...{ destination, signal, encoding, body: body.bytes, gzipped: body.gzipped, timeMs: clock.wall() },
    outcome: outcome.kind === "accepted" ? outcome.kind : outcome.cause,
    rejected: outcome.kind === "accepted" ? outcome.rejected : 0,
    ...(status !== undefined && { status }),
  };
  send({ type: "posted", posted });
}

/** Reads a file of the read list; the runtime refuses every other. */
function readFile(path: string): FileRead {
  try {
    return readNamed(path);
  } catch (error) {
    return { fault: error instanceof Error ? error.message : String(error) };
  }
}

function couldNotNotify(error: unknown): void {
  notifier = undefined;
  log({ level: "warn", event: "service manager not told", fields: { why: String(error) } });
}

/** What the service manager misses it notices itself; the data goes on. */
function openNotifier(sockets: NotifySocket): void {
  try {
    notifier = new Notifier(sockets);
  } catch (error) {
    couldNotNotify(error);
  }
}

/** Loaded only where there is a server to speak to: a plain agent pays nothing for it. */
async function openOpamp(port: MessagePort, product: string): Promise<void> {
  const { hostOpamp } = await import("../config/opamp_host.ts");
  hostOpamp({
    port,
    clock,
    log,
    isExportFailing: () => report().lanes.some(isFailing),
    openOwn: (lanes, aside) =>
      openDelivery({ product, lanes, queueBytesMax: OWN_QUEUE_BYTES }, {
        clock,
        log: aside,
        changed: () => {},
      }),
  });
}

/** Batches may come before everything is open. They keep their order because each of them waits, even if for nothing. */
async function accept(message: BatchMessage): Promise<void> {
  await started.promise;
  await delivery?.accept(message);
}

async function start({ ports, notify, opamp, ...options }: CourierStart): Promise<void> {
  if (notify !== undefined) openNotifier(notify);
  delivery = await openSpooledDelivery(options, {
    clock,
    log,
    changed,
    posted: tellPosted,
    reread: (lane) => rereadCredentials(lane, readFile),
  });
  started.resolve();
  for (const port of ports) room.attach(port, accept);
  setInterval(sendReport, BEAT_MS);
  send({ type: "ready", notes: delivery.notes, baselines: delivery.baselines });
  delivery.watchInbox();
  if (opamp !== undefined) await openOpamp(opamp, options.product);
}

async function flush(
  { id, deadlineMs, final, brief = false, hasty = false }: CourierFlush,
): Promise<void> {
  await started.promise;
  const left = await delivery?.flush({ deadlineMs, final, brief, hasty }) ?? [];
  send({ type: "flushed", id, report: report(), left });
}

/** Does what an operator asks of the spool. */
async function obey({ id, order }: CourierOrder): Promise<void> {
  await started.promise;
  if (delivery === undefined) throw new Error("BUG: started without delivery");
  const result = await delivery.obey(order);
  send({ type: "ordered", id, result, report: report() });
}

async function renew(lanes: readonly LaneConfig[]): Promise<void> {
  await started.promise;
  try {
    await delivery?.renew(lanes);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log({ level: "error", event: "credentials not renewed", fields: { message } });
  }
}

self.onmessage = async ({ data }: MessageEvent<ToCourier>): Promise<void> => {
  switch (data.type) {
    case "start":
      return await start(data);
    case "batch":
      return await accept(data);
    case "flush":
      return await flush(data);
    case "order":
      return await obey(data);
    case "renew":
      return await renew(data.lanes);
    case "disk":
      return delivery?.roomIs(data);
    case "read":
      return send({ type: "read", id: data.id, file: readFile(data.path) });
    case "account":
      return send({ type: "account", id: data.id, report: report() });
    case "notify":
      return notifier?.send(data.state).catch(couldNotNotify);
    case "tap":
      isTapped = data.isOn;
      return;
    case "probe":
      return send({ type: "probed", id: data.id, probes: await probe() });
  }
};
