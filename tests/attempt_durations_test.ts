/** How long attempts took: by outcome, bounded, from the lane to the report and to `status` (issue 6.4). */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { agent as ownMetrics } from "../collectors/agent.ts";
import { AttemptDurations } from "../exporters/attempt_durations.ts";
import type { Outcome } from "../exporters/outcome.ts";
import type { DurationReport } from "../exporters/report.ts";
import { withAgent } from "./agent_rig.ts";
import { answer, partialSuccessJson } from "./fault_behaviours.ts";
import type { RecordedRequest } from "./fault_server.ts";
import { LaneRig } from "./lane_rig.ts";
import { type JsonPoint, readRequest } from "./otlp_json.ts";
import { sonde } from "./program.ts";

const OK: Outcome = { kind: "accepted", status: 200, rejected: 0 };
const failed = (cause: string, status?: number): Outcome => ({
  ...{ kind: "retryable", cause, message: "" },
  ...(status !== undefined && { status }),
});

/** Kind and count of each histogram. */
const outline = (reports: readonly DurationReport[]) =>
  reports.map((
    { status, errorType, bucketCounts },
  ) => [status, errorType, bucketCounts.reduce((a, b) => a + b, 0)]);

Deno.test("AttemptDurations.report() has a histogram per status and cause, success without an error type", () => {
  const durations = new AttemptDurations();
  durations.record(OK, 0.012);
  durations.record(OK, 0.3);
  durations.record({ ...OK, rejected: 2 }, 0.01);
  durations.record(failed("unavailable", 503), 0.1);
  durations.record(failed("timeout"), 10.5);
  const reports = durations.report();
  assertEquals(outline(reports), [
    [200, undefined, 2],
    [200, "rejected", 1],
    [503, "503", 1],
    [undefined, "timeout", 1],
  ]);
  const [first, , , last] = reports;
  assertEquals([first?.sum, first?.min, first?.max], [0.312, 0.012, 0.3]);
  assertEquals(first?.bounds, [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]);
  assertEquals(first?.bucketCounts, [0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  assertEquals(last?.bucketCounts.at(-1), 1);
});

Deno.test("AttemptDurations keeps no more kinds than it has room for: the rest is _OTHER", () => {
  const durations = new AttemptDurations();
  for (let status = 400; status < 500; status++) durations.record(failed("odd", status), 0.1);
  const reports = durations.report();
  assert(reports.length < 20, `${reports.length}`);
  assertEquals(outline(reports).at(-1), [undefined, "_OTHER", 100 - (reports.length - 1)]);
});

Deno.test("a clock that went back measures nothing less than no time", () => {
  const durations = new AttemptDurations();
  durations.record(OK, -5);
  assertEquals(durations.report()[0]?.min, 0);
});

Deno.test("a lane times every attempt by the monotonic clock, the one that hung too", async () => {
  const rig = new LaneRig({ config: { timeoutMs: 2_000 } });
  rig.vendor.react = (_request, index) => {
    if (index === 0) return "hang";
    rig.clock.skip(30);
    rig.clock.wallStepMs = -3_600_000;
    return 200;
  };
  rig.give();
  await rig.runTo(5_000);
  await rig.stop();
  const { durations } = rig.report;
  assertEquals(outline(durations), [[undefined, "timeout", 1], [200, undefined, 1]]);
  assertEquals(durations.map(({ sum }) => sum), [2, 0.03]);
});

Deno.test("status shows how long attempts took, as text and as JSON", async () => {
  await withAgent({}, async ({ folder, server }) => {
    await server.waitFor(3);
    server.otherwise = answer(503);
    await server.waitFor(4);
    const { stdout } = await sonde(folder, ["status"]);
    assertMatch(stdout, /^ {2}attempts: \d+ ok, mean [\d.]+ ms, 95% within [\d.]+ ms, longest [\d.]+ ms$/m);
    const [lane] = JSON.parse((await sonde(folder, ["status", "--json"])).stdout).lanes;
    assertEquals(lane.durations[0].status, 200);
    assertEquals(lane.durations[0].bucketCounts.length, 15);
    const counts = lane.durations.map(({ bucketCounts }: DurationReport) =>
      bucketCounts.reduce((a, b) => a + b)
    );
    assertEquals(counts, Object.values(lane.attempts));
  });
  await withAgent({ otherwise: partialSuccessJson(3, "no") }, async ({ folder, server }) => {
    await server.waitFor(3);
    assertMatch((await sonde(folder, ["status"])).stdout, / {2}attempts: \d+ rejected, mean /);
  });
});

/** Data points of the metric in a request, by attributes. */
async function durationPoints(request: RecordedRequest | undefined) {
  const { metrics } = await readRequest(request);
  const metric = metrics.find(({ name }) => name === "otel.sdk.exporter.operation.duration");
  return {
    unit: metric?.unit,
    temporality: metric?.histogram.aggregationTemporality,
    points: metric?.histogram.dataPoints ?? [],
  };
}

/** An attribute's value, whatever its type. */
const attribute = ({ attributes }: JsonPoint, key: string) =>
  Object.values(attributes.find((each) => each.key === key)?.value ?? {})[0];

Deno.test("sonde's own export durations are a histogram with the conventions' name, cumulative and delta", async () => {
  for (const [temporality, wire] of [["cumulative", 2], ["delta", 1]] as const) {
    const file = "SONDE_ENDPOINT={url}\nSONDE_INTERVAL=300ms\nSONDE_PROTOCOL=http/json\n" +
      `SONDE_TEMPORALITY=${temporality}\n`;
    await withAgent({ file }, async ({ server, agent }) => {
      server.script.push(answer(503));
      await server.waitFor(12);
      agent.signal("SIGTERM");
      await agent.finish();
      const found = await Promise.all(server.requests.map(durationPoints));
      const all = found.flatMap(({ points }) => points);
      const last = found.at(-1);
      assertEquals([last?.unit, last?.temporality], ["s", wire]);
      for (const point of all) {
        assertEquals([attribute(point, "sonde.destination"), attribute(point, "sonde.signal")], [
          "default",
          "metrics",
        ]);
        assertEquals([point.explicitBounds.length, point.bucketCounts.length], [14, 15]);
        assertEquals(point.bucketCounts.reduce((sum, count) => sum + Number(count), 0), Number(point.count));
        assert(BigInt(point.startTimeUnixNano) < BigInt(point.timeUnixNano));
      }
      const failed = all.filter((point) => attribute(point, "error.type") === "503");
      assert(
        failed.length > 0 && failed.every((point) => attribute(point, "http.response.status_code") === "503"),
      );
      const good = all.filter((point) => attribute(point, "error.type") === undefined);
      const counts = good.map(({ count }) => Number(count));
      if (temporality === "cumulative") assertEquals(counts, counts.toSorted((a, b) => a - b));
      else assert(counts.reduce((a, b) => a + b, 0) <= server.requests.length);
    });
  }
});

Deno.test("SONDE_LISTEN's page has the durations as a Prometheus histogram", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await withAgent({ env: { SONDE_LISTEN: `127.0.0.1:${port}` } }, async ({ server }) => {
    // The courier reports when it has something to say, and not for every attempt.
    let page = "";
    for (let seen = 4; seen < 60 && !page.includes("operation_duration_seconds_count"); seen += 2) {
      await server.waitFor(seen);
      page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    }
    const lines = page.split("\n").filter((line) =>
      line.includes("otel_sdk_exporter_operation_duration_seconds")
    );
    const text = lines.join("\n");
    assertMatch(text, /^# TYPE otel_sdk_exporter_operation_duration_seconds histogram$/m);
    assertMatch(text, /_bucket\{.*le="\+Inf".*\} [1-9]/);
    assertMatch(
      text,
      /_count\{http_response_status_code="200",sonde_destination="default",sonde_signal="metrics"\} [1-9]/,
    );
  });
});

Deno.test("the courier's buckets are those that the metric describes", () => {
  const collector = ownMetrics(() => ({ collectors: [], omissions: 0, discarded: {}, lanes: [] }));
  const metric = collector.descriptors.find(({ name }) => name === "otel.sdk.exporter.operation.duration");
  assert(metric?.kind === "histogram");
  const durations = new AttemptDurations();
  durations.record(OK, 1);
  assertEquals(durations.report()[0]?.bounds, metric.bounds);
});
