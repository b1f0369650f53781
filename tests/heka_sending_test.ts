/**
 * Heka's own list of tests about mapping and sending (heka.md 15, rows 22 to 25, 34 to 51), each marked kept, fixed or different.
 * In virtual time where it waits; waits that a server asks for may be up to a tenth longer here, never shorter.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { LaneConfig, RetryRound } from "../exporters/lane_config.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import { settingsOf } from "./config_files.ts";
import { decodeMetrics } from "./decoded.ts";
import { answer, ok, throttle } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import type { Reaction } from "./fake_vendor.ts";
import { LaneRig } from "./lane_rig.ts";
import { descriptor, point, roomy, scope, snapshot } from "./metrics_model.ts";
import { inFolder, Program, sonde } from "./program.ts";

const ROUND: RetryRound = {
  attemptsMax: 5,
  initialBackoffMs: 1000,
  maxBackoffMs: 5000,
  retryAfterDefaultMs: 5000,
};

/** A lane in Heka's mode whose requests get these reactions, then 200. */
function rigOf(reactions: readonly (() => Reaction)[], round: Partial<RetryRound> = {}): LaneRig {
  const retry = { profile: "heka", retryAfterMaxMs: 300_000, round: { ...ROUND, ...round } } as const;
  const config: Partial<LaneConfig> = { retry, marksBatches: true, headers: { "x-agent-id": "me" } };
  const rig = new LaneRig({ config });
  rig.vendor.react = (_request, index) => reactions[index]?.() ?? 200;
  return rig;
}

/** Waits between the attempts at one batch, in milliseconds, after an hour. */
async function waits(reactions: readonly (() => Reaction)[], round: Partial<RetryRound> = {}) {
  const rig = rigOf(reactions, round);
  rig.give();
  await rig.runTo(3_600_000);
  const { times, received } = rig.vendor;
  await rig.stop();
  const sent = new Set(
    received.map(({ body, headers }) =>
      JSON.stringify([[...body], headers["x-agent-id"], headers["x-idempotency-key"]])
    ),
  );
  return {
    gaps: times.slice(1).map((at, index) => at - (times[index] ?? 0)),
    distinct: sent.size,
    report: rig.report,
    events: rig.events,
  };
}

const limited = (retryAfter?: string) => () =>
  new Response(null, { status: 429, headers: retryAfter === undefined ? {} : { "retry-after": retryAfter } });

Deno.test("heka 15 row 23 (fixed): a 500 is tried five times, with 1, 2, 4, 5 s between, then dropped", async () => {
  const { gaps, report, distinct } = await waits(Array(9).fill(() => 500));
  assertEquals(gaps, [1000, 2000, 4000, 5000]);
  assertEquals([report.dropped, report.queued, distinct], [{ retries_exhausted: 10 }, 0, 1]);
});

for (const [row, seconds] of [[24, 2], [45, 20]] as const) {
  Deno.test(`heka 15 row ${row} (kept): a 429 waits ${seconds} s as asked, then sends the same body and ids`, async () => {
    const { gaps, distinct, report } = await waits([limited(String(seconds))]);
    assertEquals(gaps.length, 1);
    const [gap = 0] = gaps;
    assert(gap >= seconds * 1000 && gap <= seconds * 1100, `${gap} ms`);
    assertEquals([distinct, report.delivered], [1, 10]);
  });
}

Deno.test("heka 15 row 25 (kept): the next batch is sent after one has failed, with one line about it", async () => {
  const rig = rigOf([() => new Response("no", { status: 400 })]);
  for (let batch = 0; batch < 3; batch++) rig.give();
  await rig.runTo(10_000);
  assertEquals([rig.delivered, rig.report.rejected, rig.events.length], [[2, 3], 10, 1]);
  await rig.stop();
});

Deno.test("heka 15 row 37 (kept): with one attempt a 500 is final", async () => {
  const { gaps, report } = await waits(Array(9).fill(() => 500), { attemptsMax: 1 });
  assertEquals([gaps, report.dropped], [[], { retries_exhausted: 10 }]);
});

Deno.test("heka 15 rows 38, 42 (fixed): a transport failure is tried on after its round, not given up", async () => {
  const round = { attemptsMax: 3, initialBackoffMs: 250, maxBackoffMs: 5000 };
  const { gaps, report, events } = await waits(Array(6).fill(() => "refused"), round);
  assertEquals(gaps.slice(0, 2), [250, 500]);
  assertEquals([gaps.length, report.delivered], [6, 10]);
  assertEquals(events[0], "delivery failing");
});

Deno.test("heka 15 row 39 (different), X10: a refused key is an error said once, and the destination is left alone", async () => {
  const rig = rigOf(Array(99).fill(() => 401));
  for (let batch = 0; batch < 5; batch++) rig.give();
  await rig.runTo(10_000);
  assertEquals([rig.vendor.received.length, rig.events], [1, ["delivery failing"]]);
  assertEquals(rig.logs[0]?.level, "error");
  await rig.stop();
});

Deno.test("heka 15 row 40 (kept): 503, then 200, with exactly the initial backoff between", async () => {
  assertEquals((await waits([() => 503], { initialBackoffMs: 250 })).gaps, [250]);
});

Deno.test("heka 15 row 41 (kept): a 400 is not tried again", async () => {
  assertEquals((await waits([() => 400])).gaps, []);
});

Deno.test("heka 15 row 42 (kept): backoff doubles up to its cap", async () => {
  const { gaps } = await waits(Array(4).fill(() => 408), { initialBackoffMs: 2000, maxBackoffMs: 5000 });
  assertEquals(gaps, [2000, 4000, 5000, 5000]);
});

Deno.test("heka 15 row 46 (kept): Retry-After is capped, whatever the case of its name", async () => {
  const { gaps: [gap = 0] } = await waits([
    () => new Response(null, { status: 429, headers: { "rEtRy-AfTeR": "999" } }),
  ]);
  assert(gap >= 300_000 && gap <= 330_000, `${gap} ms`);
});

const DATED = () => {
  const headers = { "retry-after": "Sat, 21 Nov 2026 00:00:09 GMT", date: "Sat, 21 Nov 2026 00:00:00 GMT" };
  return new Response(null, { status: 429, headers });
};
const AFTERS: readonly (readonly [title: string, reaction: () => Reaction, fromMs: number, toMs: number])[] =
  [
    ["missing", limited(), 5000, 5000],
    ["no number", limited("soon"), 5000, 5000],
    ["negative", limited("-3"), 5000, 5000],
    ["0", limited("0"), 0, 1000],
    ["a date (fixed)", DATED, 9000, 9900],
  ];
for (const [title, reaction, fromMs, toMs] of AFTERS) {
  Deno.test(`heka 15 row 47 (kept): a 429 whose Retry-After is ${title} waits ${fromMs} ms`, async () => {
    const { gaps: [gap = -1] } = await waits([reaction]);
    assert(gap >= fromMs && gap <= toMs, `${gap} ms`);
  });
}

Deno.test("W13 (fixed): Retry-After on a 503 counts too", async () => {
  const { gaps: [gap = 0] } = await waits([
    () => new Response(null, { status: 503, headers: { "retry-after": "30" } }),
  ]);
  assert(gap >= 30_000 && gap <= 33_000, `${gap} ms`);
});

const HTTP = {
  EXPORTER_TYPE: "otlp_http",
  HEKA_AGENT_ID: "agent-1",
  OTLP_HTTP_TIMEOUT_SECONDS: "9",
} as const;

Deno.test("heka 15 rows 22, 28, 34, 35 (kept): a JSON post to the very URL, with id, key and own headers", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = { ...HTTP, OTLP_HTTP_ENDPOINT: `${server.url}/any/path`, OTLP_HTTP_HEADERS: "api-key=k 1" };
    const { code, stderr } = await sonde(folder, ["once"], { env });
    assertEquals(code, 0, stderr);
    assertEquals(settingsOf({ env }).lanes[0]?.timeoutMs, 9000);
  });
  const [request] = server.requests;
  assert(request !== undefined);
  const { method, path, headers } = request;
  assertEquals([method, path], ["POST", "/any/path"]);
  assertEquals([headers["content-type"], headers["accept"]], ["application/json", "application/json"]);
  assertEquals([headers["x-agent-id"], headers["api-key"]], ["agent-1", "k 1"]);
  assertMatch(headers["x-idempotency-key"] ?? "", /^[0-9a-f-]{36}$/);
  const { points } = await decodeMetrics(request);
  assert(points.some(({ name }) => name === "heka_memory_virtual_total_bytes"));
});

/** The `x-agent-id` of one `once` after another in one folder, and the id that is stored there. */
async function agentIds(environments: readonly Readonly<Record<string, string>>[], file = "") {
  await using server = new FaultServer(ok);
  let stored: unknown;
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/heka.env`, file, { mode: 0o600 });
    for (const own of environments) {
      const env = {
        OTLP_HTTP_ENDPOINT: `${server.url}/v1/metrics`,
        SONDE_ENV_FILE: `${folder}/heka.env`,
        ...own,
      };
      const { code, stderr } = await sonde(folder, ["once"], { env });
      assertEquals(code, 0, stderr);
    }
    stored = JSON.parse(await Deno.readTextFile(`${folder}/state/instance.json`)).uid;
  });
  return { sent: server.requests.map(({ headers }) => headers["x-agent-id"]), stored };
}

Deno.test("heka 15 row 44 (reversed), W1: without HEKA_AGENT_ID one is made, kept and sent", async () => {
  const made = { EXPORTER_TYPE: "otlp_http" };
  const { sent: [first, second, given, after], stored } = await agentIds([
    made,
    made,
    { ...made, HEKA_AGENT_ID: "mine" },
    made,
  ]);
  assertMatch(first ?? "", /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assertEquals([second, given, after], [first, "mine", first]);
  assertEquals(stored, first);
});

Deno.test("heka W1: the environment's HEKA_AGENT_ID wins over the file's, both over the made one", async () => {
  const file = "EXPORTER_TYPE=otlp_http\nHEKA_AGENT_ID=filed\n";
  const { sent } = await agentIds([{}, { HEKA_AGENT_ID: "environment" }, { HEKA_AGENT_ID: "" }], file);
  // Set but empty hides the file's and counts as missing (heka.md 2).
  assertEquals(sent.slice(0, 2), ["filed", "environment"]);
  assertMatch(sent[2] ?? "", /^[0-9a-f-]{36}$/);
});

Deno.test("heka X1: no id is made outside Heka's mode, one that is set is sent", async () => {
  const preset = { SONDE_PRESET: "otlp_http" };
  const { sent } = await agentIds([preset, { ...preset, HEKA_AGENT_ID: "mine" }]);
  assertEquals(sent, [undefined, "mine"]);
});

Deno.test("heka 15 row 49 (kept): on real sockets a batch waits as asked, with the same body and ids", async () => {
  await using server = new FaultServer(ok);
  server.script.push(throttle(429, "1"));
  await inFolder(async (folder) => {
    const env = { ...HTTP, OTLP_HTTP_ENDPOINT: `${server.url}/v1/metrics`, CPU_POLL_INTERVAL_SECONDS: "60" };
    await using program = new Program(folder, ["run"], { env });
    await server.waitFor(2);
    program.signal("SIGTERM");
    const { code } = await program.finish();
    assertEquals(code, 0);
  });
  const [first, second] = server.requests;
  assert(first !== undefined && second !== undefined);
  assert(second.arrivedMs - first.arrivedMs >= 1000);
  assertEquals(second.body, first.body);
  for (const name of ["x-agent-id", "x-idempotency-key"]) {
    assertEquals(second.headers[name], first.headers[name]);
  }
});

Deno.test("W7 (fixed), X5, V9: a redirect is never followed, and no key goes elsewhere", async () => {
  await using other = new FaultServer(ok);
  await using server = new FaultServer(answer(302, { headers: { location: `${other.url}/v1/metrics` } }));
  await inFolder(async (folder) => {
    const env = { ...HTTP, OTLP_HTTP_ENDPOINT: `${server.url}/v1/metrics`, SONDE_SHUTDOWN_TIMEOUT: "1s" };
    const { code, stderr } = await sonde(folder, ["once"], { env });
    assertEquals(code, 75, stderr);
  });
  assertEquals(other.requests.length, 0);
});

Deno.test("heka 15 rows 50, 51 (different), X9: gauges and counters in JSON, grouped, with start times", () => {
  const encoder = createMetricsEncoder({ naming: "semconv", encoding: "json" });
  const used = { ...descriptor("heka_memory_swap_used_bytes", "gauge", "int"), unit: "bytes" };
  const reads = { ...descriptor("heka_disk_reads_total", "counter", "int"), unit: "count" };
  const points = [
    point({ descriptor: used, attributes: {} }, 5),
    point({ descriptor: reads, attributes: { device: "sda" } }, 7),
    point({ descriptor: used, attributes: { broken: "yes" } }, NaN),
  ];
  const [encoded] = encoder.encode(
    { resource: { b: "2", a: "1" }, scope, snapshot: snapshot(points) },
    roomy,
  );
  const { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] } = JSON.parse(
    new TextDecoder().decode(encoded?.body),
  );
  const [gauge, sum] = metrics;
  assertEquals([gauge.name, gauge.unit, gauge.gauge.dataPoints[0].asInt], [
    "heka_memory_swap_used_bytes",
    "bytes",
    "5",
  ]);
  assertEquals([sum.sum.aggregationTemporality, sum.sum.isMonotonic], [2, true]);
  const [only] = sum.sum.dataPoints;
  assertEquals(only.attributes, [{ key: "device", value: { stringValue: "sda" } }]);
  assertEquals([typeof only.timeUnixNano, typeof only.startTimeUnixNano, only.asInt], [
    "string",
    "string",
    "7",
  ]);
  // What cannot be written is left out and counted; nothing of it ends the agent.
  assertEquals([metrics.length, encoder.discarded.nonFinite], [2, 1]);
});
