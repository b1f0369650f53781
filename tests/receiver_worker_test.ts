/** The receiver as the worker it is: started with its port as its only right, spoken to by messages alone. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { BatchMessage } from "../exporters/batch.ts";
import {
  type FromReceiver,
  RECEIVER_LIMITS,
  type ReceiverStart,
  type Room,
  type ToReceiver,
} from "../exporters/receiver_messages.ts";
import { logs, metrics, readLogs } from "./received_samples.ts";
import { ALL_LANES, HOST, lane, post, RawClient } from "./receiver_rig.ts";

/** A free port; another program may take it before the worker does, which the test would show. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Both ends of a running receiver. */
class Running implements Disposable {
  readonly port: number = freePort();
  readonly #worker: Worker;
  readonly #channel = new MessageChannel();
  readonly #messages: FromReceiver[] = [];
  readonly #batches: BatchMessage[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(start: Partial<ReceiverStart> = {}) {
    this.#worker = new Worker(new URL("../exporters/receiver.ts", import.meta.url), {
      type: "module",
      deno: {
        permissions: {
          net: [`127.0.0.1:${this.port}`],
          ...{ read: false, write: false, env: false, sys: false, run: false, ffi: false, import: false },
        },
      },
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromReceiver>) => this.#heard(this.#messages, data);
    this.#channel.port1.onmessage = ({ data }: MessageEvent<BatchMessage>) =>
      this.#heard(this.#batches, data);
    const message: ReceiverStart = {
      type: "start",
      hostname: "127.0.0.1",
      port: this.port,
      hostNames: [],
      destinations: ["default"],
      lanes: ALL_LANES,
      resource: HOST,
      limits: RECEIVER_LIMITS,
      courierPort: this.#channel.port2,
      ...start,
    };
    this.#worker.postMessage(message, [this.#channel.port2]);
  }

  #heard<T>(list: T[], data: T): void {
    list.push(data);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  tell(message: Exclude<ToReceiver, ReceiverStart>): void {
    this.#worker.postMessage(message);
  }

  room(room: Omit<Room, "type">): void {
    this.#channel.port1.postMessage({ type: "room", ...room });
  }

  /** The first message of a type. */
  async message<T extends FromReceiver["type"]>(
    type: T,
  ): Promise<Extract<FromReceiver, { readonly type: T }>> {
    for (;;) {
      const found = this.#messages.find((it): it is Extract<FromReceiver, { readonly type: T }> =>
        it.type === type
      );
      if (found !== undefined) return found;
      await this.#wake.promise;
    }
  }

  async batch(index: number): Promise<BatchMessage> {
    for (;;) {
      const found = this.#batches[index];
      if (found !== undefined) return found;
      await this.#wake.promise;
    }
  }

  async post(
    path: string,
    body: Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<number | undefined> {
    using client = await RawClient.connect(this.port);
    await client.send(post(path, body, headers));
    return (await client.answer())?.status;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
    this.#channel.port1.close();
  }
}

Deno.test("the worker takes requests once there is room, forwards, and accounts for all", async () => {
  using receiver = new Running({
    lanes: [...ALL_LANES.slice(1), lane({ signal: "metrics", temporalities: ["delta"] })],
  });
  assertEquals((await receiver.message("ready")).port, receiver.port);
  assertEquals(await receiver.post("/v1/logs", logs(2)), 503);
  receiver.room({ bytes: 1_000_000, sequence: 0 });
  while (await receiver.post("/v1/logs", logs(2)) === 503);
  const batch = await receiver.batch(0);
  assertEquals([batch.origin, batch.gzipped, batch.headers[0]?.items], ["receiver", false, 2]);
  assertEquals(readLogs(batch.body).resourceLogs[0]?.resource?.attributes.length, 5);
  // Conversions load the protobuf runtime, which a worker without read and import rights must be able to do.
  assertEquals(await receiver.post("/v1/metrics", metrics(2)), 200);
  const json = new TextEncoder().encode(
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}',
  );
  assertEquals(await receiver.post("/v1/logs", json, { "Content-Type": "application/json" }), 200);
  receiver.tell({ type: "cycle" });
  assertEquals((await receiver.batch(1)).headers[0]?.signal, "metrics");
  receiver.tell({ type: "flush", id: 7, final: true });
  const { id, report } = await receiver.message("flushed");
  assertEquals([id, report.received], [7, { metrics: 6, logs: 3, traces: 0 }]);
  assertEquals((await receiver.batch(2)).headers[0]?.items, 1);
  for (const it of report.lanes) {
    const dropped = Object.values(it.dropped).reduce((total, items) => total + items, 0);
    assertEquals(it.taken, it.forwarded + dropped + it.grouped);
  }
  assertEquals([report.series, report.connections, report.bytesInFlight, report.batches], [3, 0, 0, 3]);
  assert((report.requests["503"] ?? 0) >= 1);
});

Deno.test("the worker forwards what it grouped without being asked", async () => {
  using receiver = new Running();
  receiver.room({ bytes: 1_000_000, sequence: 0 });
  await receiver.message("ready");
  while (await receiver.post("/v1/logs", logs(1)) === 503);
  for (let i = 0; i < 5; i++) assertEquals(await receiver.post("/v1/logs", logs(1)), 200);
  // Real time: the group's delay of 0.7 s is what is tested.
  assertEquals((await receiver.batch(1)).headers[0]?.items, 5);
  assertEquals((await receiver.message("report")).report.refused["full"] ?? 0, 0);
});

Deno.test("the worker says so when it cannot listen", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using receiver = new Running({ port: taken.addr.port });
  const { message } = await receiver.message("failed");
  // Its right is for another port, so it may not even try this one.
  assertStringIncludes(message, "net access");
});
