/** HTTP/1.1 at the receiver's port, byte by byte: RFC 9112 and the OTLP specification, server side. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { decodePartialSuccess, decodeStatusMessage } from "../exporters/wire.ts";
import { exchange, post, RawClient, Rig } from "./receiver_rig.ts";
import { logs, readLogs } from "./received_samples.ts";

const LOGS = logs(3);

/** LOGS in chunks of `size`, with what follows the last. */
function chunked(size: number, end = "0\r\n\r\n"): string {
  const text = new TextDecoder("latin1").decode(LOGS);
  assertEquals(text.length, LOGS.length);
  let body = "";
  for (let at = 0; at < text.length; at += size) {
    const piece = text.slice(at, at + size);
    body += `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }
  return body + end;
}

/** Text whose characters are bytes. */
function latin1(text: string): Uint8Array {
  const table = new TextDecoder("latin1").decode(Uint8Array.from({ length: 256 }, (_, i) => i));
  return Uint8Array.from(text, (character) => table.indexOf(character));
}

const CHUNKED = { "Content-Length": "", "Transfer-Encoding": "chunked" };

Deno.test("the receiver accepts a request and answers in its type", async () => {
  await using rig = new Rig();
  const answer = await exchange(rig, post("/v1/logs", LOGS));
  assertEquals([answer.status, answer.body.length], [200, 0]);
  assertEquals(answer.headers.get("content-type"), "application/x-protobuf");
  const empty = await exchange(
    rig,
    post("/v1/logs", new TextEncoder().encode("{}"), { "Content-Type": "application/json; charset=utf-8" }),
  );
  assertEquals([empty.status, new TextDecoder().decode(empty.body)], [200, "{}"]);
  assertEquals(empty.headers.get("content-type"), "application/json");
  assertEquals(rig.report().received, { metrics: 0, logs: 3, traces: 0 });
});

Deno.test("the receiver serves many requests on one connection, pipelined ones in order", async () => {
  await using rig = new Rig();
  using client = await RawClient.connect(rig.port);
  for (let i = 0; i < 3; i++) {
    await client.send(post("/v1/logs", LOGS));
    assertEquals((await client.answer())?.status, 200);
  }
  await client.send(
    post("/v1/logs", LOGS),
    post("/v1/other", LOGS.subarray(0, 0)),
    "\r\n",
    post("/v1/traces", new Uint8Array()),
  );
  const statuses = [await client.answer(), await client.answer(), await client.answer()].map((it) =>
    it?.status
  );
  assertEquals(statuses, [200, 404, 200]);
  assertEquals(rig.server.connections, 1);
});

Deno.test("the receiver reads a head and a body that come in pieces", async () => {
  await using rig = new Rig();
  using client = await RawClient.connect(rig.port);
  const bytes = post("/v1/logs", LOGS);
  for (let at = 0; at < bytes.length; at += 7) await client.send(bytes.subarray(at, at + 7));
  assertEquals((await client.answer())?.status, 200);
  assertEquals(rig.report().received.logs, 3);
});

Deno.test("the receiver reads chunked bodies of any chunk size, with extensions and trailers", async () => {
  await using rig = new Rig();
  using client = await RawClient.connect(rig.port);
  for (const size of [1, 5, 100, 10_000]) {
    await client.send(post("/v1/logs", latin1(chunked(size)), CHUNKED));
    assertEquals((await client.answer())?.status, 200);
  }
  const extended = chunked(100).replace("64\r\n", '0064 ;name="value"\r\n').replace(
    /0\r\n\r\n$/,
    "0\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
  );
  await client.send(post("/v1/logs", latin1(extended), CHUNKED));
  assertEquals((await client.answer())?.status, 200);
  rig.intake.sendAll();
  const records = rig.batches.flatMap((it) => readLogs(it.body).resourceLogs).map((it) =>
    it.scopeLogs[0]?.logRecords.length
  );
  assertEquals(records, [3, 3, 3, 3, 3]);
});

Deno.test("the receiver refuses bad chunks and closes", async () => {
  await using rig = new Rig();
  const bad = [
    "zz\r\n",
    "-1\r\n",
    "5\r\nabcdeXX0\r\n\r\n",
    "\r\n",
    "123456789\r\n",
    "0x5\r\nabcde\r\n",
    "0\r\n" + "A: b\r\n".repeat(40),
  ];
  for (const body of bad) {
    using client = await RawClient.connect(rig.port);
    await client.send(post("/v1/logs", latin1(body), CHUNKED));
    const answer = await client.answer();
    assertEquals([body, answer?.status, answer?.headers.get("connection")], [body, 400, "close"]);
    client.close();
  }
  assertEquals(rig.budget.used, 0);
});

Deno.test("the receiver refuses heads that two readers could understand differently", async () => {
  await using rig = new Rig();
  const line = "POST /v1/logs HTTP/1.1\r\n";
  const bad: readonly (readonly [string, number])[] = [
    ["GARBAGE\r\n\r\n", 400],
    ["POST /v1/logs\r\n\r\n", 400],
    ["POST  /v1/logs HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
    ["PRI * HTTP/2.0\r\n\r\n", 505],
    [`${line}\r\n`, 400],
    [`${line}Host: localhost\r\nHost: localhost\r\n\r\n`, 400],
    [`${line}Host: localhost\r\n folded: x\r\n\r\n`, 400],
    [`${line}Host : localhost\r\n\r\n`, 400],
    [`${line}Host: localhost\nX: y\r\n\r\n`, 400],
    [`${line}Host: localhost\r\nNo colon\r\n\r\n`, 400],
    [`${line}Host: localhost\r\nX: \u0000\r\n\r\n`, 400],
    [`${line}Host: localhost\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde`, 400],
    [`${line}Host: localhost\r\nContent-Length: +5\r\n\r\nabcde`, 400],
    [`${line}Host: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [`${line}Host: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501],
    [`${line}Host: localhost\r\nTransfer-Encoding: identity\r\n\r\n`, 501],
    [`POST /v1/logs HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [`${line}Host: localhost\r\nExpect: a-miracle\r\n\r\n`, 417],
    [`${line}Host: localhost\r\nX: ${"y".repeat(9_000)}\r\n\r\n`, 431],
  ];
  for (const [request, status] of bad) {
    const answer = await exchange(rig, request);
    assertEquals([request.slice(0, 80), answer.status, answer.headers.get("connection")], [
      request.slice(0, 80),
      status,
      "close",
    ]);
  }
});

Deno.test("the receiver speaks HTTP/1.0 and honours Connection", async () => {
  await using rig = new Rig();
  const old = new TextDecoder("latin1").decode(post("/v1/logs", LOGS, { Host: "" })).replace(
    "HTTP/1.1",
    "HTTP/1.0",
  );
  using client = await RawClient.connect(rig.port);
  await client.send(latin1(old.replace("\r\n", "\r\nConnection: keep-alive\r\n")));
  assertEquals((await client.answer())?.headers.get("connection"), "keep-alive");
  await client.send(latin1(old));
  assertEquals((await client.answer())?.headers.get("connection"), "close");
  await client.end();
  const closing = await exchange(rig, post("/v1/logs", LOGS, { Connection: "Close" }));
  assertEquals(closing.headers.get("connection"), "close");
});

Deno.test("the receiver answers Expect: 100-continue before the body, or with the refusal", async () => {
  await using rig = new Rig();
  using client = await RawClient.connect(rig.port);
  const [head, body] = [post("/v1/logs", LOGS, { Expect: "100-continue" }).subarray(0, -LOGS.length), LOGS];
  await client.send(head);
  assertEquals((await client.answer())?.status, 100);
  await client.send(body);
  assertEquals((await client.answer())?.status, 200);
  await client.send(
    post("/v1/logs", LOGS, { Expect: "100-continue", "Content-Length": "99999999" }).subarray(
      0,
      -LOGS.length,
    ),
  );
  assertEquals((await client.answer())?.status, 413);
});

Deno.test("the receiver refuses other paths, methods and types in the request's type", async () => {
  await using rig = new Rig();
  const path = await exchange(rig, post("/v1/profiles", LOGS));
  assertEquals(path.status, 404);
  assertStringIncludes(decodeStatusMessage(path.body) ?? "", "/v1/logs");
  for (const method of ["GET", "PUT", "OPTIONS", "DELETE"]) {
    const answer = await exchange(rig, `${method} /v1/logs?x=1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n`);
    assertEquals([answer.status, answer.headers.get("allow")], [405, "POST"]);
  }
  using client = await RawClient.connect(rig.port);
  await client.send("HEAD /v1/logs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  await client.end();
  for (
    const headers of [
      { "Content-Type": "text/plain" },
      { "Content-Type": "" },
      { "Content-Encoding": "br" },
      { "Content-Encoding": "deflate" },
    ]
  ) {
    const answer = await exchange(rig, post("/v1/logs", LOGS, headers));
    assertEquals([JSON.stringify(headers), answer.status], [JSON.stringify(headers), 415]);
  }
});

Deno.test("the receiver refuses rebound names and web pages", async () => {
  await using rig = new Rig({ hostNames: ["edge-1.lan"] });
  const allowed = [
    "localhost",
    "LOCALHOST:4318",
    "127.0.0.1",
    "127.9.9.9:80",
    "[::1]:4318",
    "Edge-1.lan:4318",
  ];
  for (const host of allowed) {
    assertEquals((await exchange(rig, post("/v1/logs", LOGS, { Host: host }))).status, 200, host);
  }
  for (
    const host of [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.nip.io",
      "10.0.0.1",
      "[::2]",
      "",
      "a@localhost",
    ]
  ) {
    const request = new TextDecoder("latin1").decode(post("/v1/logs", LOGS, { Host: "@" })).replace(
      "Host: @",
      `Host: ${host}`,
    );
    assertEquals((await exchange(rig, latin1(request))).status, 403, host);
  }
  const absolute = new TextDecoder("latin1").decode(post("/v1/logs", LOGS)).replace(
    "/v1",
    "http://evil.example/v1",
  );
  assertEquals((await exchange(rig, latin1(absolute))).status, 403);
  assertEquals((await exchange(rig, post("/v1/logs", LOGS, { Origin: "http://localhost" }))).status, 403);
  assertEquals(rig.report().refused, { host: 8, origin: 1 });
});

Deno.test("answers carry partial success as protobuf and as JSON", async () => {
  await using rig = new Rig({ lanes: [] });
  const answer = await exchange(rig, post("/v1/logs", LOGS));
  assertEquals(decodePartialSuccess(answer.body), {
    rejected: 3,
    message: 'destination "default" does not accept logs',
  });
  const json = { "Content-Type": "application/json" };
  const body = new TextEncoder().encode(
    JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}, {}] }] }] }),
  );
  const other = await exchange(rig, post("/v1/logs", body, json));
  assertEquals(JSON.parse(new TextDecoder().decode(other.body)), {
    partialSuccess: { rejectedLogRecords: "2", errorMessage: 'destination "default" does not accept logs' },
  });
  assertEquals(rig.report().lanes, [
    { destination: "default", signal: "metrics", taken: 0, forwarded: 0, grouped: 0, dropped: {} },
    {
      destination: "default",
      signal: "logs",
      taken: 5,
      forwarded: 0,
      grouped: 0,
      dropped: { unsupported_signal: 5 },
    },
    { destination: "default", signal: "traces", taken: 0, forwarded: 0, grouped: 0, dropped: {} },
  ]);
});
