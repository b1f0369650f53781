/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/**
 * The receiver worker: OTLP/HTTP from programs on this host (contract "Receiver"). A composition root with one right,
 * its own port. It is told what to do by receiver_messages.ts and hands batches to the courier over a port of its
 * own; time comes in here and is passed down. A timer runs only while something waits.
 * @module
 */
import { sleep } from "./clock.ts";
import { FlightBudget } from "./receiver_body.ts";
import { probe } from "./probe.ts";
import { ReceiverAccount } from "./receiver_account.ts";
import type { ConnectionOptions } from "./receiver_connection.ts";
import { HandOver } from "./receiver_hand_over.ts";
import { Intake } from "./receiver_intake.ts";
import type { FromCourierPort, FromReceiver, ReceiverStart, ToReceiver } from "./receiver_messages.ts";
import { hostNames } from "./receiver_route.ts";
import { ReceiverServer } from "./receiver_server.ts";

/** The beat. */
const REPORT_MS = 10_000;
/** A change is told of so soon, and no sooner. */
const REPORT_SOON_MS = 1_000;
/** Deadlines and groups are looked at so often while something is going on, else with the beat. */
const TICK_MS = 200;
/** Requests at work when the receiver stops may take so long. */
const GRACE_MS = 500;

const clock = { wall: () => Date.now(), mono: () => performance.now() };

function send(message: FromReceiver): void {
  self.postMessage(message);
}

/** Everything that lives while the receiver does. */
class Receiver {
  readonly #account = new ReceiverAccount();
  readonly #budget: FlightBudget;
  readonly #handOver: HandOver;
  readonly #intake: Intake;
  readonly #server: ReceiverServer;
  #tick: ReturnType<typeof setTimeout> | undefined;
  #reported = { revision: -1, atMs: -Infinity };

  constructor(start: ReceiverStart, listener: Deno.TcpListener) {
    const { limits, courierPort } = start;
    this.#budget = new FlightBudget(limits.bytesInFlight, () => this.#handOver.underWay);
    this.#handOver = new HandOver((message, transfer) => courierPort.postMessage(message, transfer));
    courierPort.onmessage = (event: MessageEvent<FromCourierPort>) => this.#handOver.hear(event.data);
    this.#intake = new Intake({ start, account: this.#account, handOver: this.#handOver, clock });
    const options: ConnectionOptions = {
      limits,
      budget: this.#budget,
      hostNames: hostNames(start.hostname, start.hostNames),
      nowMs: clock.mono,
      intake: (request) => this.#intake.take(request),
      answered: (status, refusal) => {
        this.#account.answered(status);
        if (refusal !== undefined) this.#account.refused(refusal.reason);
        this.#wake();
      },
    };
    this.#server = new ReceiverServer(listener, options, {
      ended: (reason) => this.#account.refused(reason),
      failed: (error) => this.#fail(error),
      busy: () => this.#wake(),
      pause: () => sleep(TICK_MS),
    });
    void this.#server.run();
    setInterval(() => this.#beat(), REPORT_MS);
  }

  cycle(): void {
    this.#intake.sendMetrics();
  }

  async flush(id: number, final: boolean): Promise<void> {
    this.#wake();
    if (final) {
      this.#intake.stopWaiting();
      await this.#server.stop(GRACE_MS);
    }
    this.#intake.sendAll();
    send({ type: "flushed", id, report: this.#report() });
  }

  #report() {
    return this.#account.report({
      connections: this.#server.connections,
      bytesInFlight: this.#budget.used,
      batches: this.#handOver.batches,
      series: this.#intake.series,
    });
  }

  #fail(error: unknown): void {
    this.#account.refused("internal");
    const message = error instanceof Error ? error.message : String(error);
    send({
      type: "log",
      record: { level: "error", event: "receiver request failed", fields: { message } },
    });
  }

  #beat(): void {
    this.#server.sweep(clock.mono());
    this.#tell();
  }

  #tell(): void {
    this.#reported = { revision: this.#account.revision, atMs: clock.mono() };
    send({ type: "report", report: this.#report() });
  }

  #wake(): void {
    this.#tick ??= setTimeout(() => this.#look(), TICK_MS);
  }

  #look(): void {
    this.#tick = undefined;
    const nowMs = clock.mono();
    this.#server.sweep(nowMs);
    this.#intake.sendDue();
    const isChanged = this.#account.revision !== this.#reported.revision;
    if (isChanged && nowMs - this.#reported.atMs >= REPORT_SOON_MS) this.#tell();
    const isSettled = this.#server.isQuiet && this.#intake.isEmpty;
    if (!isSettled || this.#account.revision !== this.#reported.revision) this.#wake();
  }
}

function listen(start: ReceiverStart): Deno.TcpListener | string {
  try {
    return Deno.listen({ hostname: start.hostname, port: start.port });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

let receiver: Receiver | undefined;

function start(message: ReceiverStart): void {
  const listener = listen(message);
  if (typeof listener === "string") return send({ type: "failed", message: listener });
  receiver = new Receiver(message, listener);
  const { hostname, port } = listener.addr;
  send({ type: "ready", hostname, port });
}

self.onmessage = ({ data }: MessageEvent<ToReceiver>): void => {
  switch (data.type) {
    case "start":
      return start(data);
    case "cycle":
      return receiver?.cycle();
    case "flush":
      return void receiver?.flush(data.id, data.final);
    case "probe":
      return void probe().then((probes) => send({ type: "probed", id: data.id, probes }));
  }
};
