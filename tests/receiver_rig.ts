/**
 * The receiver in this process, behind a real socket, with a clock that only moves when told to and a courier that
 * remembers what it was handed.
 * @module
 */
import type { BatchMessage } from "../exporters/batch.ts";
import { ReceiverAccount } from "../exporters/receiver_account.ts";
import { FlightBudget } from "../exporters/receiver_body.ts";
import { HandOver } from "../exporters/receiver_hand_over.ts";
import { Intake } from "../exporters/receiver_intake.ts";
import {
  RECEIVER_LIMITS,
  type ReceiverLane,
  type ReceiverLimits,
  type ReceiverReport,
} from "../exporters/receiver_messages.ts";
import { hostNames } from "../exporters/receiver_route.ts";
import { ReceiverServer } from "../exporters/receiver_server.ts";
import type { Attributes } from "../collectors/metric.ts";

/** Wall time at the beginning of every test. */
export const START_MS = 1_790_000_000_000;

export const HOST: Attributes = { "host.name": "edge-1", "host.id": "abc", "host.cpus": 4, "host.load": 0.5 };

/** A lane that takes everything, unless said otherwise. */
export function lane(row: Partial<ReceiverLane> & Pick<ReceiverLane, "signal">): ReceiverLane {
  return {
    destination: "default",
    encoding: "protobuf",
    temporalities: ["cumulative", "delta"],
    batchBytesMax: 4_000_000,
    batchItemsMax: 8_192,
    ...row,
  };
}

export const ALL_LANES: readonly ReceiverLane[] = [
  lane({ signal: "metrics" }),
  lane({ signal: "logs" }),
  lane({ signal: "traces" }),
];

const PLENTY = { type: "room", bytes: 100_000_000 } as const;

export interface RigOptions {
  readonly lanes?: readonly ReceiverLane[];
  readonly destinations?: readonly string[];
  readonly limits?: Partial<ReceiverLimits>;
  /** What the courier has room for; it then says nothing more by itself. */
  readonly room?: number;
  readonly resource?: Attributes;
  readonly hostNames?: readonly string[];
}

export class Rig implements AsyncDisposable {
  readonly now: { mono: number; wall: number } = { mono: 1_000_000, wall: START_MS };
  readonly batches: BatchMessage[] = [];
  readonly account: ReceiverAccount = new ReceiverAccount();
  readonly handOver: HandOver;
  readonly intake: Intake;
  readonly server: ReceiverServer;
  readonly budget: FlightBudget;
  readonly port: number;
  readonly failures: unknown[] = [];
  readonly #running: Promise<void>;
  readonly #ended = new Map<string, number>();

  constructor(options: RigOptions = {}) {
    const limits = { ...RECEIVER_LIMITS, ...options.limits };
    const clock = { mono: () => this.now.mono, wall: () => this.now.wall };
    const { account } = this;
    this.budget = new FlightBudget(limits.bytesInFlight, () => this.handOver.underWay);
    this.handOver = new HandOver((message, transfer) => {
      this.batches.push(structuredClone(message, { transfer }));
      const sequence = message.headers.at(-1)?.sequence ?? 0;
      if (options.room === undefined) this.handOver.hear({ ...PLENTY, sequence });
    });
    this.handOver.hear({ ...PLENTY, bytes: options.room ?? PLENTY.bytes, sequence: 0 });
    this.intake = new Intake({
      start: {
        destinations: options.destinations ?? ["default"],
        lanes: options.lanes ?? ALL_LANES,
        resource: options.resource ?? HOST,
        limits,
      },
      account,
      handOver: this.handOver,
      clock,
    });
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = listener.addr.port;
    this.server = new ReceiverServer(listener, {
      limits,
      budget: this.budget,
      hostNames: hostNames("127.0.0.1", options.hostNames ?? []),
      nowMs: clock.mono,
      intake: (request) => this.intake.take(request),
      answered: (status, refusal) => {
        account.answered(status);
        if (refusal !== undefined) account.refused(refusal.reason);
      },
    }, {
      ended: (reason) => {
        this.#ended.set(reason, (this.#ended.get(reason) ?? 0) + 1);
        account.refused(reason);
      },
      failed: (error) => this.failures.push(error),
      busy: () => {},
      pause: () => Promise.resolve(),
    });
    this.#running = this.server.run();
  }

  /** Connections ended by the server, by reason. */
  get ended(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#ended);
  }

  /** Lets time pass, and what is due happen. */
  pass(ms: number): void {
    this.now.mono += ms;
    this.now.wall += ms;
    this.server.sweep(this.now.mono);
    this.intake.sendDue();
  }

  report(): ReceiverReport {
    return this.account.report({
      connections: this.server.connections,
      bytesInFlight: this.budget.used,
      batches: this.handOver.batches,
      series: this.intake.series,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop(0);
    this.now.mono += 1e9;
    this.server.sweep(this.now.mono);
    await this.#running;
    if (this.failures.length > 0) throw new AggregateError(this.failures, "the receiver failed");
  }
}

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** A client that writes bytes as they are and reads answers one by one. */
export class RawClient implements Disposable {
  readonly #conn: Deno.TcpConn;
  #buffer = new Uint8Array(0);
  #isClosed = false;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async connect(port: number): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async send(...parts: readonly (string | Uint8Array)[]): Promise<void> {
    for (const part of parts) {
      const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    }
  }

  /** Says that nothing more will be sent. */
  async finish(): Promise<void> {
    await this.#conn.closeWrite().catch((error) => {
      if (!(error instanceof Deno.errors.NotConnected)) throw error;
    });
  }

  /** The next answer; undefined when the connection ended or was reset instead. */
  async answer(): Promise<RawAnswer | undefined> {
    for (;;) {
      const text = new TextDecoder("latin1").decode(this.#buffer);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        const [line = "", ...rows] = text.slice(0, end).split("\r\n");
        const headers = new Headers(rows.map((row): [string, string] => {
          const colon = row.indexOf(":");
          return [row.slice(0, colon), row.slice(colon + 1).trim()];
        }));
        const length = Number(headers.get("content-length") ?? 0);
        if (this.#buffer.length >= end + 4 + length) {
          const body = this.#buffer.slice(end + 4, end + 4 + length);
          this.#buffer = this.#buffer.slice(end + 4 + length);
          return { status: Number(line.split(" ")[1]), headers, body };
        }
      }
      if (!await this.#more()) return undefined;
    }
  }

  /** Resolves when the server has closed the connection. */
  async end(): Promise<void> {
    while (await this.#more());
  }

  async #more(): Promise<boolean> {
    const chunk = new Uint8Array(65_536);
    const count = await this.#conn.read(chunk).catch((error) => {
      if (error instanceof Deno.errors.ConnectionReset) return null;
      throw error;
    });
    if (count === null) return false;
    const joined = new Uint8Array(this.#buffer.length + count);
    joined.set(this.#buffer);
    joined.set(chunk.subarray(0, count), this.#buffer.length);
    this.#buffer = joined;
    return true;
  }

  close(): void {
    if (!this.#isClosed) this.#conn.close();
    this.#isClosed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A request's head and body. */
export function post(
  path: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Uint8Array {
  const all = {
    Host: "127.0.0.1:4318",
    "Content-Type": "application/x-protobuf",
    "Content-Length": String(body.length),
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== "").map(([name, value]) =>
    `${name}: ${value}`
  );
  const head = new TextEncoder().encode(`POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/** One request on a connection of its own. */
export async function exchange(rig: Rig, request: Uint8Array | string): Promise<RawAnswer> {
  using client = await RawClient.connect(rig.port);
  await client.send(request);
  const answer = await client.answer();
  if (answer === undefined) throw new Error("Cannot read answer: the connection ended, expected one");
  return answer;
}
