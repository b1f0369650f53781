/** The receiver's bounds: connections, bytes, time, decompression, room at the courier. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeStatusMessage } from "../exporters/wire.ts";
import { exchange, post, RawClient, Rig } from "./receiver_rig.ts";
import { logs, readLogs, spans } from "./received_samples.ts";

const LOGS = logs(3);

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

const GZIP = { "Content-Encoding": "gzip" };

Deno.test("a slow head, a slow body and an idle connection are ended at their deadlines", async () => {
  await using rig = new Rig();
  const starts = ["POST /v1/logs HTTP/1.1\r\nHost: loc", post("/v1/logs", LOGS).subarray(0, -1), ""];
  using slowHead = await RawClient.connect(rig.port);
  using slowBody = await RawClient.connect(rig.port);
  using idle = await RawClient.connect(rig.port);
  for (const [i, client] of [slowHead, slowBody, idle].entries()) await client.send(starts[i] ?? "");
  // Another exchange on the same loop shows that the bytes above have been read.
  using witness = await RawClient.connect(rig.port);
  for (let i = 0; i < 5; i++) {
    await witness.send(post("/v1/logs", LOGS));
    await witness.answer();
  }
  rig.pass(4_999);
  assertEquals(rig.ended, {});
  rig.pass(1);
  await slowHead.end();
  assertEquals(rig.ended, { head_timeout: 1 });
  rig.pass(10_000);
  await slowBody.end();
  assertEquals(rig.ended, { head_timeout: 1, body_timeout: 1 });
  rig.pass(75_000);
  await idle.end();
  await witness.end();
  assertEquals([rig.ended, rig.budget.used], [{ head_timeout: 1, body_timeout: 1 }, 0]);
});

Deno.test("200 connections at once: those over the cap are told 503, and it serves on afterwards", async () => {
  await using rig = new Rig({ limits: { connections: 20 } });
  const clients = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(rig.port)));
  const request = post("/v1/logs", LOGS);
  // All but the last byte, so that none is over before all were here.
  const answers: Promise<number | undefined>[] = [];
  for (const client of clients) {
    answers.push(
      client.send(request.subarray(0, -1)).then(() => client.answer(), () => undefined).then((it) =>
        it?.status
      ),
    );
  }
  while ((rig.ended["connections"] ?? 0) < 180) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals([rig.server.connections, rig.ended], [20, { connections: 180 }]);
  await Promise.all(clients.map((client) => client.send(request.subarray(-1)).catch(() => {})));
  const statuses = await Promise.all(answers);
  assertEquals(statuses.filter((status) => status === 200).length, 20);
  assert(statuses.filter((status) => status === 503).length >= 1);
  assertEquals(statuses.filter((status) => status !== 503 && status !== 200 && status !== undefined), []);
  for (const client of clients) client.close();
  while (rig.server.connections > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals((await exchange(rig, request)).status, 200);
});

Deno.test("a new connection takes the place of the one idle for longest", async () => {
  await using rig = new Rig({ limits: { connections: 2 } });
  using first = await RawClient.connect(rig.port);
  await first.send(post("/v1/logs", LOGS));
  await first.answer();
  rig.pass(1_000);
  using second = await RawClient.connect(rig.port);
  await second.send(post("/v1/logs", LOGS));
  await second.answer();
  rig.pass(1_000);
  assertEquals((await exchange(rig, post("/v1/logs", LOGS))).status, 200);
  await first.end();
  await second.send(post("/v1/logs", LOGS));
  assertEquals((await second.answer())?.status, 200);
});

Deno.test("bodies over the cap are refused unread, announced or not", async () => {
  await using rig = new Rig({ limits: { bodyBytes: 1_000 } });
  const large = new Uint8Array(500_000);
  const announced = await exchange(rig, post("/v1/logs", large));
  assertEquals([announced.status, announced.headers.get("connection")], [413, "close"]);
  const chunk = new Uint8Array([...new TextEncoder().encode("7a120\r\n"), ...large]);
  const chunked = await exchange(
    rig,
    post("/v1/logs", chunk, { "Content-Length": "", "Transfer-Encoding": "chunked" }),
  );
  assertEquals(chunked.status, 413);
  assertEquals(rig.report().refused, { too_large: 2 });
  assertEquals(rig.budget.used, 0);
});

Deno.test("a gzip bomb costs its cap and is answered 413; what is no gzip 400", async () => {
  await using rig = new Rig();
  const bomb = await gzip(new Uint8Array(50_000_000));
  assert(bomb.length < 60_000);
  assertEquals((await exchange(rig, post("/v1/logs", bomb, GZIP))).status, 413);
  const packed = await gzip(LOGS);
  for (
    const bad of [
      LOGS,
      packed.subarray(0, -5),
      packed.with(packed.length - 6, 0x55).with(12, 0xff),
      new Uint8Array(),
    ]
  ) {
    const answer = await exchange(rig, post("/v1/logs", bad.slice(), GZIP));
    assertEquals(answer.status, bad.length === 0 ? 200 : 400);
  }
  assertEquals((await exchange(rig, post("/v1/logs", packed, GZIP))).status, 200);
  const lying = packed.slice();
  lying.fill(0xff, -4);
  assertEquals((await exchange(rig, post("/v1/logs", lying, GZIP))).status, 400);
  assertEquals([rig.budget.used, rig.report().received.logs], [0, 3]);
});

Deno.test("bytes in flight are capped over all connections: 429 with Retry-After", async () => {
  await using rig = new Rig({ limits: { bytesInFlight: 2_000 } });
  using holder = await RawClient.connect(rig.port);
  await holder.send(post("/v1/logs", new Uint8Array(1_900)).subarray(0, -1));
  while (rig.budget.used === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const answer = await exchange(rig, post("/v1/logs", LOGS));
  assertEquals([answer.status, answer.headers.get("retry-after")], [429, "1"]);
  rig.pass(60_000);
  await holder.end();
  assertEquals((await exchange(rig, post("/v1/logs", LOGS))).status, 200);
});

Deno.test("without room at the courier requests are answered 503, and what was sent since counts", async () => {
  await using rig = new Rig({ room: 1_500 });
  const size = logs(3).length;
  const first = await exchange(rig, post("/v1/logs", LOGS));
  assertEquals(first.status, 200);
  const left = rig.handOver.free;
  assert(left < 1_500 - size);
  const fit = Math.floor(left / (1_500 - left));
  for (let i = 0; i < fit; i++) assertEquals((await exchange(rig, post("/v1/logs", LOGS))).status, 200);
  const full = await exchange(rig, post("/v1/logs", LOGS));
  assertEquals([full.status, full.headers.get("retry-after")], [503, "5"]);
  assertEquals(decodeStatusMessage(full.body)?.includes("full"), true);
  assertEquals([rig.report().deferred, rig.report().received.logs], [3, 3 * (fit + 1)]);
  rig.handOver.hear({ type: "room", bytes: 100_000, sequence: 1 });
  assertEquals((await exchange(rig, post("/v1/logs", LOGS))).status, 200);
});

Deno.test("until the courier has spoken, every request is answered 503", async () => {
  await using rig = new Rig({ room: 0 });
  assertEquals((await exchange(rig, post("/v1/logs", LOGS))).status, 503);
  assertEquals((await exchange(rig, post("/v1/logs", new Uint8Array()))).status, 200);
});

Deno.test("groups go out at once after quiet, then by time, each with what came in", async () => {
  await using rig = new Rig();
  using client = await RawClient.connect(rig.port);
  const send = async (path: string, body: Uint8Array) => {
    await client.send(post(path, body));
    assertEquals((await client.answer())?.status, 200);
  };
  await send("/v1/logs", LOGS);
  await send("/v1/traces", spans(1));
  assertEquals(rig.batches.map((it) => it.headers[0]?.items), [3, 1]);
  for (let i = 0; i < 10; i++) await send("/v1/logs", logs(1, `s${i}`));
  for (let i = 0; i < 10; i++) await send("/v1/traces", spans(2));
  assertEquals(rig.batches.length, 2);
  rig.pass(699);
  assertEquals(rig.batches.length, 2);
  rig.pass(1);
  assertEquals(rig.batches.map((it) => it.headers[0]?.items), [3, 1, 10]);
  rig.pass(3_300);
  assertEquals(rig.batches.map((it) => it.headers[0]?.items), [3, 1, 10, 20]);
  assertEquals(readLogs(rig.batches[2]?.body ?? new Uint8Array()).resourceLogs.length, 10);
  assertEquals(rig.batches.map((it) => it.headers[0]?.sequence), [1, 2, 3, 4]);
  assert(rig.batches.every((it) => it.headers[0]?.uncompressedBytes === it.body.length));
});

Deno.test("a group is sent before it grows past bytes or items of its lanes", async () => {
  await using rig = new Rig();
  using client = await RawClient.connect(rig.port);
  for (let i = 0; i < 40; i++) {
    await client.send(post("/v1/logs", logs(500)));
    assertEquals((await client.answer())?.status, 200);
  }
  rig.intake.sendAll();
  assert(rig.batches.every((it) => it.body.length <= 524_288 && (it.headers[0]?.items ?? 0) <= 8_192));
  assertEquals(rig.batches.reduce((total, it) => total + (it.headers[0]?.items ?? 0), 0), 20_000);
  const { taken, forwarded, grouped } = rig.report().lanes[1] ?? {};
  assertEquals([taken, forwarded, grouped], [20_000, 20_000, 0]);
});

Deno.test("stop() lets a request at work finish, ends the rest and takes no more", async () => {
  await using rig = new Rig();
  using working = await RawClient.connect(rig.port);
  using idle = await RawClient.connect(rig.port);
  using slow = await RawClient.connect(rig.port);
  const request = post("/v1/logs", LOGS);
  await idle.send(request);
  await idle.answer();
  await working.send(request.subarray(0, -1));
  await slow.send(request.subarray(0, 20));
  while (rig.budget.used === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await idle.send(request);
  await idle.answer();
  const stopped = rig.server.stop(500);
  await idle.end();
  await working.send(request.subarray(-1));
  assertEquals((await working.answer())?.status, 200);
  rig.pass(499);
  await working.end();
  rig.pass(1);
  await slow.end();
  await stopped;
  assertEquals([rig.ended, rig.server.connections], [{ head_timeout: 1 }, 0]);
  await assertRejects(
    () => Deno.connect({ hostname: "127.0.0.1", port: rig.port }),
    Deno.errors.ConnectionRefused,
  );
});
