/**
 * The OTLP library as a program uses it: against real sockets, with the books checked at its end.
 * @module
 */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { openOtlpClient, type OtlpClientOptions, type SignalReport } from "../exporters/otlp.ts";
import * as fault from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { head, metrics, record, span } from "./otlp_samples.ts";
import { inFolder } from "./program.ts";

const QUICK: Partial<OtlpClientOptions> = { backoffInitialMs: 100, backoffMaxMs: 100, flushIntervalMs: 10 };

/** added = delivered + rejected + dropped + queued, for every signal. */
function checkBooks(reports: readonly SignalReport[]): void {
  for (const { signal, added, delivered, rejected, dropped, queued } of reports) {
    const discarded = Object.values(dropped).reduce((sum, items) => sum + items, 0);
    assertStrictEquals(delivered + rejected + discarded + queued, added, `${signal} books`);
  }
}

function reportOf(reports: readonly SignalReport[], signal: string): SignalReport {
  const found = reports.find((report) => report.signal === signal);
  assert(found !== undefined);
  return found;
}

Deno.test("OtlpClient: three signals reach their paths, and shutdown says that all of it was taken", async () => {
  await using server = new FaultServer(fault.ok);
  const client = await openOtlpClient({ endpoint: `${server.url}/otlp/`, ...head });
  client.metrics.add(...metrics);
  client.logs.add(record, record);
  client.traces.add(span);
  assertEquals(client.report().map(({ added, queued }) => [added, queued]), [[8, 8], [2, 2], [1, 1]]);
  assert(await client.shutdown());
  assertEquals(server.requests.map(({ path }) => path).sort(), [
    "/otlp/v1/logs",
    "/otlp/v1/metrics",
    "/otlp/v1/traces",
  ]);
  assertEquals(client.report().map(({ delivered }) => delivered), [8, 2, 1]);
  checkBooks(client.report());
});

Deno.test("OtlpClient: forceFlush keeps what a dead server does not take, and the client goes on", async () => {
  await using server = new FaultServer(fault.ok);
  await server.down();
  const outcomes: string[] = [];
  const events: string[] = [];
  const client = await openOtlpClient({
    endpoint: server.url,
    ...head,
    ...QUICK,
    onOutcome: ({ outcome }) => outcomes.push(outcome.kind),
    onLog: ({ event }) => events.push(event),
  });
  client.logs.add(record);
  assertStrictEquals(await client.forceFlush(300), false);
  assertStrictEquals(reportOf(client.report(), "logs").queued, 1);
  checkBooks(client.report());
  server.up();
  await server.waitFor(1);
  assert(await client.shutdown());
  assertEquals([outcomes[0], outcomes.at(-1)], ["retryable", "accepted"]);
  assertEquals([events[0], events.at(-1)], ["delivery failing", "delivery resumed"]);
  checkBooks(client.report());
});

Deno.test("OtlpClient: attempts end, and what was tried in vain is counted", async () => {
  await using server = new FaultServer(fault.answer(503));
  const client = await openOtlpClient({ endpoint: server.url, ...head, ...QUICK, attempts: 3 });
  client.traces.add(span);
  await server.waitFor(3);
  await client.shutdown();
  assertStrictEquals(server.requests.length, 3);
  const { dropped, attempts } = reportOf(client.report(), "traces");
  assertEquals([dropped, attempts], [{ retries_exhausted: 1 }, { "503": 3 }]);
});

Deno.test("OtlpClient: shutdown with a hanging server ends at its deadline and counts what is lost", async () => {
  await using server = new FaultServer(fault.hang);
  const client = await openOtlpClient({ endpoint: server.url, ...head });
  client.logs.add(record, record, record);
  const before = performance.now();
  assertStrictEquals(await client.shutdown(200), false);
  assert(performance.now() - before < 1_000);
  client.logs.add(record);
  assertEquals(reportOf(client.report(), "logs").dropped, { shutdown: 4 });
  checkBooks(client.report());
});

Deno.test("P10: with concurrency 3 there are never more than three requests on their way, and there are three", async () => {
  let now = 0;
  let most = 0;
  await using server = new FaultServer({
    answer: async (request, exchange) => {
      most = Math.max(most, ++now);
      // Until all three are here: a client that sends one after another would hang and fail.
      while (most < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
      return await fault.ok.answer(request, exchange);
    },
  });
  const client = await openOtlpClient({ endpoint: server.url, ...head, concurrency: 3, batchItems: 1 });
  for (let n = 0; n < 12; n++) client.logs.add(record);
  assert(await client.shutdown());
  assertEquals([most, server.requests.length], [3, 12]);
  checkBooks(client.report());
});

for (const dropPolicy of ["oldest", "newest"] as const) {
  Deno.test(`OtlpClient: memory that is full of batches costs the ${dropPolicy}`, async () => {
    await using server = new FaultServer(fault.answer(503, { headers: { "retry-after": "60" } }));
    const kilobyte = { ...record, body: crypto.getRandomValues(new Uint8Array(8_000)).toBase64() };
    const options = { ...head, ...QUICK, dropPolicy, batchItems: 1, queueBytes: 64 * 1024 };
    const client = await openOtlpClient({ endpoint: server.url, ...options });
    for (let n = 0; n < 20; n++) {
      client.logs.add({ ...kilobyte, observedNs: BigInt(n + 1) });
      await client.forceFlush(0);
    }
    const { dropped, queued } = reportOf(client.report(), "logs");
    assert(queued >= 5 && queued < 20, `${queued}`);
    assertEquals(dropped, { queue_full: 20 - queued });
    checkBooks(client.report());
    await client.shutdown(0);
  });
}

Deno.test("OtlpClient: a signal has its own endpoint, as it is, its own headers, or none at all", async () => {
  await using server = new FaultServer(fault.ok);
  const client = await openOtlpClient({
    endpoint: "http://127.0.0.1:1",
    headers: { "X-Token": "general" },
    ...head,
    logs: { endpoint: `${server.url}/my/logs?tenant=7`, headers: { "x-logs": "yes" }, encoding: "json" },
    traces: { endpoint: server.url },
    metrics: false,
  });
  client.logs.add(record);
  client.traces.add(span);
  client.metrics.add(...metrics);
  await client.shutdown();
  const byPath = Object.fromEntries(server.requests.map(({ path, headers }) => [path, headers]));
  assertEquals(Object.keys(byPath).sort(), ["/", "/my/logs?tenant=7"]);
  const logs = byPath["/my/logs?tenant=7"];
  assertEquals([logs?.["x-logs"], logs?.["x-token"], logs?.["content-type"]], [
    "yes",
    undefined,
    "application/json",
  ]);
  assertStrictEquals(byPath["/"]?.["x-token"], "general");
  assertEquals(reportOf(client.report(), "metrics").dropped, { unsupported_signal: 8 });
});

Deno.test("openOtlpClient() names the option that is out of bounds", async () => {
  const cases: [Partial<OtlpClientOptions>, string][] = [
    [{ timeoutMs: 0 }, '"timeoutMs" is 0, expected 1 to 600000'],
    [{ logs: { concurrency: 17 } }, '"concurrency" is 17, expected 1 to 16'],
    [{ queueBytes: NaN }, '"queueBytes" is NaN'],
    [{ endpoint: "ftp://127.0.0.1" }, 'endpoint is "ftp://127.0.0.1/v1/metrics"'],
    [{ headers: { "content-type": "text/plain" } }, 'header "content-type"'],
    [{ headers: { "x-a": "1\r\nx-b: 2" } }, 'header "x-a"'],
  ];
  for (const [options, words] of cases) {
    const error = await assertRejects(() => openOtlpClient({ ...head, ...options }), Error);
    assertStringIncludes(error.message, words);
  }
});

Deno.test("the library needs the right to reach its endpoint and no other", () =>
  inFolder(async (folder) => {
    await using server = new FaultServer(fault.ok);
    const door = new URL("../exporters/otlp.ts", import.meta.url);
    await Deno.writeTextFile(
      `${folder}/program.ts`,
      `import { openOtlpClient } from ${JSON.stringify(door.href)};
const client = await openOtlpClient({
  endpoint: ${JSON.stringify(server.url)},
  resource: { "service.name": "alone" },
  scope: { name: "alone", version: "1" },
});
client.logs.add({ observedNs: 1n, body: "here" });
console.log(await client.shutdown());
`,
    );
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--no-check", `--allow-net=127.0.0.1:${server.port}`],
        ...["--config", new URL("../deno.json", import.meta.url).pathname, `${folder}/program.ts`],
      ],
    }).output();
    const text = new TextDecoder();
    assertEquals([code, text.decode(stdout).trim()], [0, "true"], text.decode(stderr));
    assertStrictEquals(server.requests.length, 1);
  }));
