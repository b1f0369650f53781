/**
 * The courier as the sensor sees it: a real worker with its real permissions, messages in, messages out. Real time,
 * because the worker has its own.
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { BatchMessage } from "../exporters/batch.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { CourierStart, FromCourier, ToCourier } from "../exporters/messages.ts";
import type { DeliveryReport } from "../exporters/report.ts";
import * as fault from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { headerOf, laneTo } from "./lane_fixture.ts";
import { inFolder } from "./spool_rig.ts";

/** The sensor's end of a courier. */
class Courier {
  readonly #worker: Worker;
  readonly #received: FromCourier[] = [];
  #arrived: () => void = () => {};

  constructor(lanes: readonly LaneConfig[], spoolPath?: string, port?: MessagePort) {
    const folders = spoolPath === undefined ? [] : [spoolPath];
    const net = lanes.map(({ url }) => new URL(url).host);
    const none = { env: false, sys: false, run: false, ffi: false, import: false } as const;
    this.#worker = new Worker(new URL("../exporters/courier.ts", import.meta.url), {
      type: "module",
      deno: { permissions: { net, read: folders, write: folders, ...none } },
    });
    this.#worker.onmessage = ({ data }: MessageEvent<FromCourier>) => {
      this.#received.push(data);
      this.#arrived();
    };
    const start: CourierStart = {
      type: "start",
      product: "sonde/1.2.3",
      lanes,
      queueBytesMax: 4 * 1024 * 1024,
      ports: port === undefined ? [] : [port],
      ...(spoolPath !== undefined &&
        { spool: { mode: "auto", path: spoolPath, bytesMax: 64 * 1024 * 1024 } }),
    };
    this.#worker.postMessage(start, [...start.ports]);
  }

  post(message: ToCourier): void {
    this.#worker.postMessage(message);
  }

  async next(type: FromCourier["type"]): Promise<FromCourier> {
    while (true) {
      const index = this.#received.findIndex((message) => message.type === type);
      const found = index < 0 ? undefined : this.#received.splice(index, 1)[0];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#arrived = resolve);
    }
  }

  async flush(deadlineMs: number, final: boolean): Promise<DeliveryReport> {
    this.post({ type: "flush", id: 7, deadlineMs, final, brief: true });
    const answer = await this.next("flushed");
    assert(answer.type === "flushed" && answer.id === 7);
    return answer.report;
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

function batch(sequence: number, text = `batch ${sequence}`): BatchMessage {
  const body = new TextEncoder().encode(text);
  const now = Date.now();
  const header = headerOf(sequence, { firstTimeMs: now, lastTimeMs: now, uncompressedBytes: body.length });
  return { type: "batch", origin: "sensor", headers: [header], body, gzipped: false };
}

Deno.test("the courier delivers what it is handed, batches before `ready` included, and compresses it once", async () => {
  await using server = new FaultServer(fault.ok);
  using courier = new Courier([laneTo(server.url)]);
  courier.post(batch(1));
  courier.post(batch(2, "x".repeat(5_000)));
  const report = await courier.flush(5_000, true);
  assertEquals(report.lanes.map(({ delivered, queued }) => [delivered, queued]), [[20, 0]]);
  assertEquals(server.requests.map(({ headers }) => headers["content-encoding"]), [undefined, "gzip"]);
});

Deno.test("F33: a stop with a healthy backend takes far less than 2 s", async () => {
  await using server = new FaultServer(fault.ok);
  using courier = new Courier([laneTo(server.url)]);
  for (let n = 1; n <= 50; n++) courier.post(batch(n));
  const begun = performance.now();
  const report = await courier.flush(5_000, true);
  assertStrictEquals(report.lanes[0]?.delivered, 500);
  assert(performance.now() - begun < 2_000);
});

Deno.test("F34: a stop with a hanging backend ends at its deadline, everything in the spool for the next life", () =>
  inFolder(async (path) => {
    await using server = new FaultServer(fault.hang);
    {
      using courier = new Courier([laneTo(server.url)], path);
      for (let n = 1; n <= 5; n++) courier.post(batch(n));
      await server.waitFor(1);
      const begun = performance.now();
      const report = await courier.flush(500, true);
      const took = performance.now() - begun;
      assert(took >= 400 && took < 1_000, `${took}`);
      assertEquals(report.lanes.map(({ queued, spoolBatches }) => [queued, spoolBatches]), [[50, 5]]);
    }
    server.otherwise = fault.ok;
    using next = new Courier([laneTo(server.url)], path);
    await next.next("ready");
    const report = await next.flush(5_000, true);
    assertEquals(report.lanes.map(({ delivered, queued, inherited }) => [delivered, queued, inherited]), [[
      50,
      0,
      50,
    ]]);
    const bodies = server.requests.slice(1).map(({ body }) => new TextDecoder().decode(body));
    assertEquals(bodies, [1, 2, 3, 4, 5].map((n) => `batch ${n}`));
  }));

Deno.test("a batch for a lane that does not exist is counted", async () => {
  await using server = new FaultServer(fault.ok);
  using courier = new Courier([laneTo(server.url)]);
  const message = batch(1);
  courier.post({ ...message, headers: message.headers.map((header) => ({ ...header, signal: "traces" })) });
  const report = await courier.flush(1_000, true);
  assertEquals(report.lanes[1]?.dropped, { unsupported_signal: 10 });
});

Deno.test("other senders hand in through their ports", async () => {
  await using server = new FaultServer(fault.ok);
  const { port1, port2 } = new MessageChannel();
  using courier = new Courier([laneTo(server.url)], undefined, port2);
  port1.postMessage(batch(1));
  await server.waitFor(1);
  const report = await courier.flush(1_000, true);
  port1.close();
  assertStrictEquals(report.lanes[0]?.delivered, 10);
});
