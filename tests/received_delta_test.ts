/** Cumulative to delta for delta-only rows, and delta kept from cumulative-only rows (otlp M7, M10, M11, M14). */
import { assertEquals } from "@std/assert";
import { DeltaState } from "../exporters/received_delta.ts";
import { decodePartialSuccess } from "../exporters/wire.ts";
import type { Metric } from "../proto_gen/metrics_pb.ts";
import { exchange, lane, post, Rig } from "./receiver_rig.ts";
import { metrics, type Point, readMetrics, START_NS } from "./received_samples.ts";

function metricsOf(bytes: Uint8Array): Metric[] {
  return readMetrics(bytes).resourceMetrics.flatMap((it) => it.scopeMetrics).flatMap((it) => it.metrics);
}

function named(bytes: Uint8Array, name: string): Metric["data"] {
  return metricsOf(bytes).find((it) => it.name === name)?.data ?? { case: undefined };
}

function sumOf(bytes: Uint8Array, name = "requests"): unknown {
  const data = named(bytes, name);
  return data.case === "sum" ? data.value.dataPoints[0]?.value.value : undefined;
}

/** Converts one cumulative request after the other. */
function convertAll(points: readonly Point[], state = new DeltaState(100, START_NS)) {
  return points.map((point) => state.convert(metrics(2, point)));
}

Deno.test("the first value is the baseline, the next becomes the difference", () => {
  const [first, second] = convertAll([{ value: 10n, seconds: 10 }, { value: 13n, seconds: 20 }]);
  assertEquals([first?.items, first?.drops], [3, { first_value: 3 }]);
  assertEquals(metricsOf(first?.bytes ?? new Uint8Array()).map((it) => it.name), [
    "temperature",
    "open",
    "old",
  ]);
  assertEquals([second?.items, second?.drops], [6, {}]);
  const bytes = second?.bytes ?? new Uint8Array();
  assertEquals([sumOf(bytes), sumOf(bytes, "open")], [3n, 13n]);
  const sum = named(bytes, "requests");
  if (sum.case !== "sum") throw new Error("no sum");
  assertEquals(sum.value.aggregationTemporality, 1);
  const [point] = sum.value.dataPoints;
  assertEquals([point?.startTimeUnixNano, point?.timeUnixNano], [
    START_NS + 10_000_000_000n,
    START_NS + 20_000_000_000n,
  ]);
});

Deno.test("histograms lose extremes and keep exemplars; buckets are subtracted", () => {
  const [, second] = convertAll([{ value: 10n, seconds: 10 }, { value: 13n, seconds: 20 }]);
  const bytes = second?.bytes ?? new Uint8Array();
  const data = named(bytes, "duration");
  if (data.case !== "histogram") throw new Error("no histogram");
  const [point] = data.value.dataPoints;
  assertEquals([point?.count, point?.sum, point?.bucketCounts, point?.explicitBounds], [
    6n,
    1.5,
    [3n, 3n, 0n],
    [1, 5],
  ]);
  assertEquals([point?.min, point?.max, point?.exemplars.length], [undefined, undefined, 1]);
  const exponential = named(bytes, "sizes");
  if (exponential.case !== "exponentialHistogram") throw new Error("no exponential histogram");
  const [other] = exponential.value.dataPoints;
  assertEquals([other?.count, other?.zeroCount, other?.positive?.bucketCounts], [9n, 3n, [3n, 0n, 3n]]);
});

Deno.test("an exponential histogram is compared at the coarser scale", () => {
  const [, second, third] = convertAll([
    { value: 10n, seconds: 10 },
    { value: 13n, seconds: 20, scale: 1 },
    { value: 20n, seconds: 30, scale: 2 },
  ]);
  const data = named(second?.bytes ?? new Uint8Array(), "sizes");
  if (data.case !== "exponentialHistogram") throw new Error("no exponential histogram");
  assertEquals(data.value.dataPoints[0]?.positive?.bucketCounts, [3n, 3n]);
  assertEquals(third?.drops, { incomparable: 1 });
});

Deno.test("a value that fell counts from zero since the last; a new start keeps its own", () => {
  const [, fell, restarted] = convertAll([
    { value: 10n, seconds: 10 },
    { value: 4n, seconds: 20 },
    { value: 9n, seconds: 60, startedSecondsAgo: -50n },
  ].map((point) => ({ ...point, offset: 0n })));
  const start = (bytes: Uint8Array | undefined) => {
    const data = named(bytes ?? new Uint8Array(), "requests");
    return data.case === "sum"
      ? data.value.dataPoints.map((it) => [it.value.value, it.startTimeUnixNano])
      : undefined;
  };
  assertEquals(start(fell?.bytes), [[4n, START_NS + 10_000_000_000n]]);
  assertEquals(start(restarted?.bytes), [[9n, START_NS + 50_000_000_000n]]);
});

Deno.test("repeated and older points are dropped, younger series need no baseline, series are capped", () => {
  const [, again, older] = convertAll([{ value: 10n, seconds: 10 }, { value: 11n, seconds: 10 }, {
    value: 12n,
    seconds: 5,
  }]);
  assertEquals([again?.drops, older?.drops], [{ out_of_order: 3 }, { out_of_order: 3 }]);
  const [young] = convertAll([{ value: 10n, seconds: 10, startedSecondsAgo: -1n }]);
  assertEquals([young?.items, sumOf(young?.bytes ?? new Uint8Array())], [6, 2n ** 53n + 10n]);
  const state = new DeltaState(4, START_NS);
  const [, , late] = convertAll([
    { value: 10n, seconds: 10, route: "/a" },
    { value: 10n, seconds: 11, route: "/b" },
    { value: 10n, seconds: 700, route: "/c" },
  ], state);
  assertEquals(state.size, 3);
  assertEquals(late?.drops, { first_value: 3 });
  const [, full] = convertAll([{ value: 1n, seconds: 10, route: "/a" }, {
    value: 1n,
    seconds: 11,
    route: "/b",
  }], new DeltaState(4, START_NS));
  assertEquals(full?.drops, { first_value: 1, series_limit: 2 });
});

Deno.test("the differences of 200 requests add up to last minus first, in any order of attributes", () => {
  const state = new DeltaState(100, START_NS);
  let value = 100n;
  let total = 0n;
  for (let i = 0; i < 200; i++) {
    const { bytes } = state.convert(metrics(2, { value, seconds: 10 + i }));
    const delta = sumOf(bytes);
    if (typeof delta === "bigint") total += delta;
    value += BigInt(i * 7 % 13);
  }
  assertEquals(
    total,
    Array.from({ length: 199 }, (_, i) => BigInt(i * 7 % 13)).reduce((sum, it) => sum + it, 0n),
  );
});

Deno.test("a delta-only lane gets deltas, a lane that takes both gets what was sent", async () => {
  const lanes = [
    lane({ signal: "metrics", temporalities: ["delta"] }),
    lane({ signal: "metrics", destination: "b" }),
  ];
  await using rig = new Rig({ lanes, destinations: ["default", "b"], resource: {} });
  for (const [i, value] of [10n, 15n].entries()) {
    const answer = await exchange(rig, post("/v1/metrics", metrics(2, { value, seconds: 10 * (i + 1) })));
    assertEquals([answer.status, decodePartialSuccess(answer.body)], [200, undefined]);
    rig.intake.sendMetrics();
  }
  const sent = rig.batches.map((it) => [it.headers[0]?.destination, it.headers[0]?.items, sumOf(it.body)]);
  const large = 2n ** 53n;
  assertEquals(sent, [["default", 3, undefined], ["b", 6, large + 10n], ["default", 6, 5n], [
    "b",
    6,
    large + 15n,
  ]]);
  const [first] = rig.report().lanes;
  assertEquals([first?.taken, first?.forwarded, first?.dropped], [12, 9, { first_value: 3 }]);
  assertEquals(rig.report().series, 3);
});

Deno.test("delta to a cumulative-only lane is refused by partial success, the rest goes on", async () => {
  await using rig = new Rig({ lanes: [lane({ signal: "metrics", temporalities: ["cumulative"] })] });
  const answer = await exchange(rig, post("/v1/metrics", metrics(1)));
  assertEquals(decodePartialSuccess(answer.body), {
    rejected: 3,
    message: 'destination "default" takes cumulative data only',
  });
  rig.intake.sendMetrics();
  assertEquals(metricsOf(rig.batches[0]?.body ?? new Uint8Array()).map((it) => it.name), [
    "temperature",
    "open",
    "old",
  ]);
  assertEquals(rig.report().lanes[0]?.dropped, { unsupported_temporality: 3 });
});
