/** What real backends answer, and what sonde makes of it, in virtual time (vendors.md 9 and 10, V1 to V10 and V12). */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { compress } from "../exporters/gzip.ts";
import type { TransportRequest } from "../exporters/post.ts";
import { PRESETS } from "../exporters/presets/registry.ts";
import type { Reaction } from "./fake_vendor.ts";
import { LaneRig } from "./lane_rig.ts";
import { settingsOf } from "./config_files.ts";

const HOUR = 3_600_000;

function rigOf(react: (request: TransportRequest, index: number) => Reaction, config = {}): LaneRig {
  const rig = new LaneRig({ config });
  rig.vendor.react = react;
  return rig;
}

const partial = (rejectedDataPoints: string, errorMessage: string) =>
  new Response(JSON.stringify({ partialSuccess: { rejectedDataPoints, errorMessage } }), {
    headers: { "content-type": "application/json" },
  });

Deno.test("V1: Datadog's partial success counts what was rejected and is said once", async () => {
  const words = "intake does not accept cumulative monotonic sums";
  const rig = rigOf(() => partial("4", words));
  for (let batch = 0; batch < 5; batch++) rig.give();
  await rig.runTo(60_000);
  const { delivered, rejected, rejection } = rig.report;
  assertEquals([delivered, rejected, rejection], [30, 20, words]);
  assertEquals(rig.events, ["backend rejected part of a batch"]);
  assertEquals(rig.vendor.received.length, 5);
  await rig.stop();
});

Deno.test("V2: Dynatrace's 413 halves the request until it fits, and the limit is remembered", async () => {
  const rig = rigOf(({ body }) => body.length > 1_000 ? 413 : 200, {
    compression: "none",
    encoding: "native",
  });
  const series = Array.from({ length: 8 }, (_, n) => ({ metric: `m${n}`, fill: "x".repeat(230) }));
  const bytes = new TextEncoder().encode(JSON.stringify({ series }));
  for (let batch = 0; batch < 2; batch++) rig.giveBody(bytes.slice(), { items: 8, encoding: "native" });
  await rig.runTo(60_000);
  assertEquals([rig.report.delivered, rig.report.rejected], [16, 0]);
  // The second batch was halved before it was sent.
  assertEquals(rig.vendor.received.filter(({ status }) => status === 413).length, 1);
  await rig.stop();
});

Deno.test("V3: New Relic's empty 200 is success, and its 429 waits as long as it asks", async () => {
  const rig = rigOf((_request, index) =>
    index === 0
      ? new Response(null, { status: 429, headers: { "retry-after": "29" } })
      : new Response(null, { headers: { "content-length": "0" } })
  );
  rig.give();
  await rig.runTo(60_000);
  const [first = 0, second = 0] = rig.vendor.times;
  assert(second - first >= 29_000 && second - first <= 32_000, `${second - first} ms`);
  assertEquals(rig.report.delivered, 10);
  await rig.stop();
});

Deno.test("V4: Prometheus' 500 about temporality is not repeated for ever, and is said", async () => {
  for (const [profile, requests] of [["otlp", 1], ["heka", 5]] as const) {
    const rig = rigOf(() => new Response("invalid temporality and type combination", { status: 500 }), {
      retry: { profile, retryAfterMaxMs: 300_000 },
    });
    rig.give();
    await rig.runTo(HOUR);
    assertEquals(rig.vendor.received.length, requests);
    assertEquals(rig.report.queued, 0);
    assertMatch(JSON.stringify(rig.logs), /invalid temporality/);
    await rig.stop();
  }
});

Deno.test("V5: Mimir's 400 after it has stored half is not sent again", async () => {
  const rig = rigOf(() => new Response("out of bounds", { status: 400 }));
  rig.give();
  await rig.runTo(HOUR);
  assertEquals([rig.vendor.received.length, rig.report.rejected], [1, 10]);
  await rig.stop();
});

Deno.test("V6, V7, V8: JSON is never offered to those that refuse it, and paths and headers are the row's", () => {
  const lanes = new Map(
    PRESETS.filter(({ name }) => name !== "console").map((preset) => {
      const sample = Object.entries(preset.sample).map(([setting, text]) => [`SONDE_${setting}`, text]);
      const env = { SONDE_PRESET: preset.name, ...Object.fromEntries(sample) };
      return [preset.name, settingsOf({ env }).lanes.find(({ signal }) => signal === "metrics")];
    }),
  );
  for (const name of ["dynatrace", "victoriametrics", "axiom", "splunk"]) {
    assertEquals(lanes.get(name)?.encoding, "protobuf");
    const row = PRESETS.find((preset) => preset.name === name);
    assertEquals(row?.encodings, ["protobuf"]);
  }
  assertEquals(new URL(lanes.get("splunk")?.url ?? "").pathname, "/v2/datapoint/otlp");
  assertEquals(lanes.get("axiom")?.headers["x-axiom-metrics-dataset"], "hosts");
  assertEquals(lanes.get("axiom")?.headers["x-axiom-dataset"], undefined);
});

Deno.test("V10: a Retry-After that is a date is waited for", async () => {
  const date = (ms: number) => new Date(ms).toUTCString();
  const rig = new LaneRig();
  rig.vendor.react = (_request, index) => {
    const now = Math.floor(rig.clock.wall() / 1000) * 1000;
    const headers = { date: date(now), "retry-after": date(now + 3000) };
    return index === 0 ? new Response(null, { status: 503, headers }) : 200;
  };
  rig.give();
  await rig.runTo(60_000);
  const [first = 0, second = 0] = rig.vendor.times;
  assert(second - first >= 2_500 && second - first <= 4_000, `${second - first} ms`);
  await rig.stop();
});

Deno.test("a limit of requests told in X-RateLimit-Reset is waited for like Retry-After", async () => {
  const limited = () => new Response(null, { status: 429, headers: { "x-ratelimit-reset": "40" } });
  const rig = rigOf((_request, index) => index === 0 ? limited() : 200);
  rig.give();
  await rig.runTo(120_000);
  const [first = 0, second = 0] = rig.vendor.times;
  assert(second - first >= 40_000 && second - first <= 45_000, `${second - first} ms`);
  await rig.stop();
});

Deno.test("a 202 that lists errors is success with a warning, said once", async () => {
  const rig = rigOf(() => new Response('{"errors":["tag too long"]}', { status: 202 }));
  rig.give();
  rig.give();
  await rig.runTo(10_000);
  assertEquals([rig.report.delivered, rig.report.rejection], [20, "tag too long"]);
  assertEquals(rig.events, ["backend warned"]);
  await rig.stop();
});

for (const status of [400, 415]) {
  Deno.test(`V12: a ${status} about the encoding of a gzip body turns compression off for that lane`, async () => {
    const rig = rigOf(({ headers }) =>
      headers["content-encoding"] === undefined ? 200 : new Response("bad content-encoding", { status })
    );
    const packed = await compress(new TextEncoder().encode("batch 1 ".padEnd(4000, ".")));
    assert(packed.gzipped);
    for (const sequence of [1, 2]) {
      const times = { firstTimeMs: rig.clock.wall(), lastTimeMs: rig.clock.wall() };
      const header = { ...HEADER, ...times, sequence };
      rig.lane.accept({ header, body: packed });
    }
    await rig.runTo(10_000);
    assertEquals([rig.report.delivered, rig.vendor.received.length], [20, 3]);
    await rig.stop();
  });
}

const HEADER = {
  ...{ destination: "default", signal: "metrics", encoding: "protobuf", items: 10 } as const,
  uncompressedBytes: 4000,
};

Deno.test("points too old for the backend are counted as such, not sent", async () => {
  const rig = rigOf(() => rig.clock.mono() < 3 * HOUR ? 503 : 200, { maxAgeMs: HOUR });
  rig.giveEvery(HOUR / 4, 3 * HOUR);
  await rig.runTo(5 * HOUR);
  const { produced, delivered, dropped } = rig.report;
  assert((dropped["too_old"] ?? 0) > 0 && delivered > 0);
  assertEquals(delivered + (dropped["too_old"] ?? 0), produced);
  const oldest = Math.min(...rig.vendor.accepted.map(({ atMs }) => atMs));
  assert(oldest >= 3 * HOUR);
  await rig.stop();
});

Deno.test("what a status means at a destination stands behind its own words", async () => {
  const lane = settingsOf({ env: { SONDE_PRESET: "prometheus", SONDE_ENDPOINT: "http://p" } }).lanes[0];
  const rig = rigOf(() => new Response("nothing here", { status: 404 }), { answers: lane?.answers });
  rig.give();
  await rig.runTo(1_000);
  const message = "nothing here (the OTLP receiver is off: --web.enable-otlp-receiver)";
  assertEquals(rig.report.lastFailure?.message, message);
  await rig.stop();
});
