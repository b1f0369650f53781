/**
 * An OTLP client for programs: batch processors before the same lanes that the agent has, without worker, disk or
 * environment; the right to reach its endpoint is all it needs (otlp 4.3, 4.4). A composition root: the real clock
 * and chance come in here.
 * @module
 */
import type { Signal } from "./batch.ts";
import { type Clock, sleep } from "./clock.ts";
import { type Delivery, openDelivery } from "./delivery.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { LogRecord } from "./messages.ts";
import { Channel, ClosedChannel, type SignalIntake, type SignalKind } from "./otlp_channel.ts";
import type { LogRecordData, MetricData, SpanData } from "./otlp_data.ts";
import { encodeLogs } from "./otlp_logs.ts";
import { encodeMetrics } from "./otlp_metrics.ts";
import type { DeliverySettings } from "./otlp_options.ts";
import { type Plan, planOf } from "./otlp_plan.ts";
import type { SignalReport } from "./otlp_report.ts";
import type { RequestHead } from "./otlp_request.ts";
import { metricBytes, recordBytes, spanBytes } from "./otlp_size.ts";
import { encodeTraces } from "./otlp_traces.ts";
import type { Outcome } from "./outcome.ts";

/** Everything a client can be told: delivery as in `DeliverySettings`, resource and scope as in `RequestHead`. */
export interface OtlpClientOptions extends DeliverySettings, RequestHead {
  /** First word of the User-Agent: `NAME/VERSION` of the program. */
  readonly product?: string;
  /** Told of every attempt. What a callback throws is ignored. */
  readonly onOutcome?: (attempt: Attempt) => void;
  /** Told what is worth telling a person: an outage's begin and end, a refusal's words. Absent: nobody is. */
  readonly onLog?: (record: LogRecord) => void;
  /** Time and chance; tests bring their own. */
  readonly clock?: Clock;
}

/** One request and what became of it. */
export interface Attempt {
  readonly signal: Signal;
  /** Of the body as it was sent. */
  readonly bytes: number;
  readonly outcome: Outcome;
}

const PRODUCT = "sonde-otlp/0.1.0";
const FLUSH_MS = 10_000;
const SHUTDOWN_MS = 5_000;
const REAL_CLOCK: Clock = { wall: Date.now, mono: () => performance.now(), random: Math.random, sleep };

const METRICS: SignalKind<MetricData> = {
  encode: encodeMetrics,
  itemsOf: ({ points }) => points.length,
  bytesOf: metricBytes,
};
const LOGS: SignalKind<LogRecordData> = { encode: encodeLogs, itemsOf: () => 1, bytesOf: recordBytes };
const TRACES: SignalKind<SpanData> = { encode: encodeTraces, itemsOf: () => 1, bytesOf: spanBytes };

/** What the client does with each of its channels. */
type AnyChannel = Pick<Channel<never>, "flush" | "close" | "report">;

/** Sends metrics, logs and spans; made by {@link openOtlpClient}. */
export class OtlpClient {
  readonly metrics: SignalIntake<MetricData>;
  readonly logs: SignalIntake<LogRecordData>;
  readonly traces: SignalIntake<SpanData>;
  readonly #channels: readonly AnyChannel[];
  readonly #delivery: Delivery;
  #ending: Promise<boolean> | undefined;

  constructor(plan: Plan, head: RequestHead, parts: { readonly delivery: Delivery; readonly clock: Clock }) {
    const open = <T>(signal: Signal, kind: SignalKind<T>) => {
      const own = plan.signals.find((each) => each.signal === signal);
      return own === undefined ? new ClosedChannel(signal, kind) : new Channel(own, { kind, head, ...parts });
    };
    const [metrics, logs, traces] = [open("metrics", METRICS), open("logs", LOGS), open("traces", TRACES)];
    this.metrics = metrics;
    this.logs = logs;
    this.traces = traces;
    this.#channels = [metrics, logs, traces];
    this.#delivery = parts.delivery;
  }

  /**
   * Sends all that was added so far, as far as that goes until the deadline; true when nothing is left. A server that
   * is down gets one attempt, one that asked to wait gets none. What is left stays queued.
   */
  async forceFlush(deadlineMs: number = FLUSH_MS): Promise<boolean> {
    if (this.#ending !== undefined) return await this.#ending;
    await Promise.all(this.#channels.map((channel) => channel.flush()));
    await this.#delivery.flush({ deadlineMs, final: false, brief: false });
    return this.report().every(({ queued }) => queued === 0);
  }

  /**
   * The same, and then the end: connections are closed, what is left is dropped and counted as "shutdown", and so is
   * what is added afterwards. Gives true when nothing had to be dropped by it; 0 waits for no answer.
   */
  shutdown(deadlineMs: number = SHUTDOWN_MS): Promise<boolean> {
    return this.#ending ??= this.#end(deadlineMs);
  }

  /** The account of each signal. */
  report(): SignalReport[] {
    return this.#channels.map((channel) => channel.report());
  }

  async #end(deadlineMs: number): Promise<boolean> {
    await Promise.all(this.#channels.map((channel) => channel.close()));
    await this.#delivery.flush({ deadlineMs, final: true, brief: false });
    return this.report().every(({ dropped }) => dropped["shutdown"] === undefined);
  }

  /** `await using client = …` ends it with the usual deadline. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

/**
 * Opens a client; nothing is sent before there is something to send. Rejects with a RangeError or TypeError that names
 * the option when one is out of bounds, and when a client certificate cannot be used.
 *
 * @example Logs, a span and a counter, accepted by the nearest collector
 * ```ts
 * import { openOtlpClient } from "@sonde/sonde/otlp";
 *
 * await using collector = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response());
 * const client = await openOtlpClient({
 *   endpoint: `http://127.0.0.1:${collector.addr.port}`,
 *   resource: { "service.name": "checkout" },
 *   scope: { name: "checkout", version: "1.0.0" },
 * });
 * const nowNs = BigInt(Date.now()) * 1_000_000n;
 * client.logs.add({ observedNs: nowNs, severity: 9, body: "order placed" });
 * client.traces.add({
 *   traceId: "5b8efff798038103d269b633813fc60c",
 *   spanId: "eee19b7ec3c1b174",
 *   name: "GET /cart",
 *   startNs: nowNs - 5_000_000n,
 *   endNs: nowNs,
 * });
 * client.metrics.add({
 *   kind: "sum",
 *   name: "orders",
 *   valueType: "int",
 *   monotonic: true,
 *   temporality: "delta",
 *   points: [{ startNs: nowNs - 1_000_000_000n, timeNs: nowNs, value: 1 }],
 * });
 * if (!await client.shutdown()) throw new Error("something was not delivered");
 * ```
 */
export async function openOtlpClient(options: OtlpClientOptions): Promise<OtlpClient> {
  const plan = planOf(options);
  const { resource, scope, schemaUrl, clock = REAL_CLOCK, onOutcome, onLog } = options;
  const { queueBytes: queueBytesMax, dropPolicy } = plan;
  const lanes = plan.signals.flatMap(({ lanes }) => lanes);
  const delivery = await openDelivery(
    { product: options.product ?? PRODUCT, lanes, queueBytesMax, dropPolicy },
    {
      clock,
      log: (record) => quietly(() => onLog?.(record)),
      changed: () => {},
      posted: ({ signal }: LaneConfig, { bytes }, outcome) =>
        quietly(() => onOutcome?.({ signal, bytes: bytes.length, outcome })),
    },
  );
  const head: RequestHead = { resource, scope, ...(schemaUrl !== undefined && { schemaUrl }) };
  return new OtlpClient(plan, head, { delivery, clock });
}

/** A callback's fault is not delivery's: a lane that broke over it would lose data. */
function quietly(callback: () => void): void {
  try {
    callback();
  } catch {
    // Said in the options: it is ignored.
  }
}
