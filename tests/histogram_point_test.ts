/**
 * Histograms in the sensor's model: from the recorder to each form a point can go out in (otlp M10, M14, M15).
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BootClock } from "../collectors/boot_clock.ts";
import { CardinalityCap } from "../collectors/cardinality.ts";
import { CounterLedger } from "../collectors/counters.ts";
import { CycleRecorder } from "../collectors/cycle_recorder.ts";
import { baselineFromJson, baselineToJson, emptyBaseline, toDelta } from "../collectors/delta.ts";
import { type Point, series, type Snapshot } from "../collectors/metric.ts";
import { jsonDocument } from "../exporters/console_json.ts";
import { prometheusText } from "../exporters/console_prometheus.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import { seriesOf } from "./backend_series.ts";
import * as model from "./metrics_model.ts";

const duration = { ...model.descriptor("call.duration", "histogram", "double"), unit: "s" };
const one = series(duration, { outcome: "ok" });

/** Increments of one snapshot of these points, and where they leave the baseline. */
function increments(baseline: ReturnType<typeof emptyBaseline>, timeNs: bigint, points: readonly Point[]) {
  const result = toDelta({ timeNs, points, omitted: [] }, baseline, { sinceNs: 1_000n });
  const gained = result.snapshot.points.map(({ value, startNs, distribution }) => ({
    ...{ value, startNs, counts: distribution?.counts, sum: distribution?.sum },
  }));
  return { gained, baseline: result.baseline };
}

const at = (counts: readonly number[], startNs = 100n): Point => model.distributed(one, counts, startNs);

Deno.test("CycleRecorder adds a distribution with its count, and begins anew when the count falls", () => {
  const clock = new BootClock({ bootId: "boot", plausibleNs: 0n });
  const ledger = new CounterLedger({ clock, is32Bit: false });
  const add = (timeNs: bigint, counts: readonly number[], sum = 1): readonly Point[] => {
    const cycle = { timeNs, uptime: undefined, monotonicMs: 0 };
    const recorder = new CycleRecorder(cycle, ledger, () => true);
    recorder.add(one, { counts, sum });
    ledger.endCycle(cycle);
    return recorder.points;
  };
  const distribution = { counts: [1, 0, 2, 0], sum: 1 };
  assertEquals(add(10n, distribution.counts), [{ series: one, value: 3, distribution, startNs: 10n }]);
  assertEquals(add(20n, [0, 0, 1, 0]).map(({ value, startNs }) => [value, startNs]), [[1, 10n]]);
  assertEquals(add(30n, [0, 0, 2, 0], NaN), []);
});

Deno.test("toDelta() gives what each bucket has gained since the collection before", () => {
  const first = increments(emptyBaseline("boot"), 2_000n, [at([1, 2, 3, 4])]);
  const second = increments(first.baseline, 3_000n, [at([1, 4, 3, 5])]);
  const third = increments(second.baseline, 4_000n, [at([1, 4, 3, 5])]);
  assertEquals(first.gained, []);
  assertEquals(second.gained, [{ value: 3, startNs: 2_000n, counts: [0, 2, 0, 1], sum: 3.75 }]);
  assertEquals(third.gained, [{ value: 0, startNs: 3_000n, counts: [0, 0, 0, 0], sum: 0 }]);
});

Deno.test("toDelta() gives the whole of a histogram that began while sonde watched, or began anew", () => {
  const whole = increments(emptyBaseline("boot"), 3_000n, [at([1, 0, 0, 0], 2_000n)]);
  assertEquals(whole.gained, [{ value: 1, startNs: 2_000n, counts: [1, 0, 0, 0], sum: 1.25 }]);
  const anew = increments(whole.baseline, 5_000n, [at([0, 1, 0, 0], 4_000n)]);
  assertEquals(anew.gained, [{ value: 1, startNs: 4_000n, counts: [0, 1, 0, 0], sum: 1.25 }]);
});

Deno.test("toDelta() leaves out an interval whose buckets do not follow from those before", () => {
  const { baseline } = increments(emptyBaseline("boot"), 2_000n, [at([5, 0, 0, 0])]);
  assertEquals(increments(baseline, 3_000n, [at([0, 9, 0, 0])]).gained, []);
  assertEquals(increments(baseline, 3_000n, [at([5, 9])]).gained, []);
});

Deno.test("baselineToJson() keeps buckets over a restart", () => {
  const { baseline } = increments(emptyBaseline("boot"), 2_000n, [at([1, 2, 3, 4])]);
  const restored = baselineFromJson(baselineToJson(baseline), "boot");
  assertEquals(restored, baseline);
  assertEquals(increments(restored, 3_000n, [at([2, 2, 3, 4])]).gained[0]?.counts, [1, 0, 0, 0]);
});

Deno.test("CardinalityCap adds the buckets of surplus series up", () => {
  const all = [0, 1, 2].map((i) => model.distributed(series(duration, { i }), [i, 1, 0, 0]));
  const points = new CardinalityCap(1).apply(all, 10n);
  const overflow = points.find(({ series }) => series.attributes["otel.metric.overflow"] === true);
  assertEquals([points.length, overflow?.value, overflow?.distribution], [2, 5, {
    counts: [3, 2, 0, 0],
    sum: 6.25,
  }]);
});

const shown: Snapshot = model.snapshot([at([1, 0, 2, 1], model.BOOT_NS)]);

Deno.test("prometheusText() writes a histogram with buckets that hold those before them", () => {
  const text = prometheusText({ resource: {}, scope: model.scope, snapshot: shown }, "semconv");
  assertEquals(text.split("\n").slice(1, -1), [
    "# TYPE call_duration_seconds histogram",
    'call_duration_seconds_bucket{le="0.5",outcome="ok"} 1',
    'call_duration_seconds_bucket{le="1",outcome="ok"} 1',
    'call_duration_seconds_bucket{le="2.5",outcome="ok"} 3',
    'call_duration_seconds_bucket{le="+Inf",outcome="ok"} 4',
    'call_duration_seconds_sum{outcome="ok"} 5',
    'call_duration_seconds_count{outcome="ok"} 4',
  ]);
});

Deno.test("jsonDocument() gives a histogram its count, sum and buckets instead of a value", () => {
  const [point] = JSON.parse(jsonDocument(model.input(shown), "semconv")).points;
  const { type, count, sum, bounds, bucketCounts, value, monotonic } = point;
  assertEquals({ type, count, sum, bounds, bucketCounts, value, monotonic }, {
    ...{ type: "histogram", count: 4, sum: 5, bounds: [0.5, 1, 2.5], bucketCounts: [1, 0, 2, 1] },
    ...{ value: undefined, monotonic: undefined },
  });
});

const valued = (value: number) =>
  JSON.stringify([{ timestamp: Number(shown.timeNs / 1_000_000_000n), value }]);

Deno.test("encode() writes count and sum of a histogram where there is no form for it, an item each", () => {
  const native = { format: "datadog_series_v2", options: {} };
  const encoder = createMetricsEncoder({ naming: "semconv", encoding: "native", native });
  const gauge = model.point(series(model.descriptor("g", "gauge", "double")), 1);
  const input = model.input(model.snapshot([...shown.points, gauge]));
  for (let cycle = 0; cycle < 2; cycle++) {
    const [encoded] = encoder.encode(input, model.roomy);
    assertEquals(encoded?.items, 3);
    const request = { path: "", headers: {}, plain: encoded?.body ?? new Uint8Array() };
    assertEquals(
      seriesOf(request).map(({ metric, type, points, unit }) => [metric, type, JSON.stringify(points), unit]),
      [
        ["call.duration.count", 1, valued(4), undefined],
        ["call.duration.sum", 1, valued(5), "second"],
        ["g", 3, valued(1), "byte"],
      ],
    );
  }
  const ended = { ...one, descriptor: one.descriptor };
  const gone = model.input(model.snapshot([{ series: ended, value: 0, startNs: 1n, ended: true }, gauge]));
  assertEquals(encoder.encode(gone, model.roomy).map(({ items }) => items), [1]);
});

Deno.test("encode() refuses buckets that do not fit the bounds, and a histogram without any", () => {
  for (const encoding of ["protobuf", "json"] as const) {
    const encode = (point: Point) =>
      createMetricsEncoder({ naming: "semconv", encoding }).encode(
        model.input(model.snapshot([point])),
        model.roomy,
      );
    assertThrows(() => encode(at([1, 2])), TypeError, 'BUG: "call.duration" has 2 buckets');
    assertThrows(() => encode({ series: one, value: 1, startNs: 1n }), TypeError, "without a distribution");
    assert(encode({ series: one, value: 0, startNs: 1n, ended: true }).length === 1);
  }
});
