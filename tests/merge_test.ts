/**
 * M12: a delta lane that runs out of room merges before it drops, and every increment arrives.
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { compress, decompress } from "../exporters/gzip.ts";
import { mergeRequests } from "../exporters/merge.ts";
import type { ExponentialPointData, HistogramPointData, MetricData } from "../exporters/otlp_data.ts";
import { encodeMetrics } from "../exporters/otlp_metrics.ts";
import { QueueBudget } from "../exporters/queue.ts";
import { LaneRig } from "./lane_rig.ts";
import { head } from "./otlp_samples.ts";
import { decodeExport } from "./peers/decode.ts";
import { inFolder, SpoolRig } from "./spool_rig.ts";
import { randomFrom } from "./virtual_clock.ts";

const SECOND = 1_000_000_000n;
const LIMITS = { encoding: "protobuf", batchBytesMax: 1e6, batchItemsMax: 1e6 } as const;
const config = { temporality: "delta", compression: "none" } as const;

function bodyOf(...metrics: readonly MetricData[]): Uint8Array<ArrayBuffer> {
  const [batch] = encodeMetrics(metrics, head, LIMITS).batches;
  assert(batch !== undefined);
  return batch.body;
}

const from = (second: number) => ({ startNs: BigInt(second) * SECOND, timeNs: BigInt(second + 1) * SECOND });

function sum(second: number, values: readonly (number | bigint)[]): MetricData {
  const points = values.map((value, device) => ({ ...from(second), value, attributes: { device } }));
  return { kind: "sum", name: "io", valueType: "int", monotonic: true, temporality: "delta", points };
}

function valuesOf(body: Uint8Array): Map<string, bigint> {
  const values = new Map<string, bigint>();
  for (const { scopeMetrics } of decodeExport(body).resourceMetrics) {
    for (const { data } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
      if (data.case !== "sum") continue;
      for (const { attributes, value } of data.value.dataPoints) {
        const device = String(attributes[0]?.value?.value.value);
        values.set(device, (values.get(device) ?? 0n) + BigInt(value.value ?? 0));
      }
    }
  }
  return values;
}

Deno.test("M12: mergeRequests() adds increments per series and joins their interval; strangers stay", () => {
  const merged = mergeRequests(bodyOf(sum(10, [1, 2n ** 60n])), bodyOf(sum(11, [5, 7, 9])));
  assertStrictEquals(merged.items, 3);
  assertEquals([...valuesOf(merged.bytes)], [["0", 6n], ["1", 2n ** 60n + 7n], ["2", 9n]]);
  const [resource, ...others] = decodeExport(merged.bytes).resourceMetrics;
  assertStrictEquals(others.length, 0);
  const [metric] = resource?.scopeMetrics[0]?.metrics ?? [];
  assert(metric?.data.case === "sum");
  const [point] = metric.data.value.dataPoints;
  assertEquals([point?.startTimeUnixNano, point?.timeUnixNano], [10n * SECOND, 12n * SECOND]);
});

Deno.test("M12: mergeRequests() keeps the newer of what is no increment", () => {
  const gauge = (value: number): MetricData => ({
    kind: "gauge",
    name: "depth",
    valueType: "double",
    points: [{ timeNs: BigInt(value) * SECOND, value }],
  });
  const { bytes, items } = mergeRequests(bodyOf(gauge(3), sum(1, [1])), bodyOf(gauge(2)));
  assertStrictEquals(items, 2);
  const [metric] = decodeExport(bytes).resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
  assert(metric?.data.case === "gauge");
  assertEquals(metric.data.value.dataPoints.map(({ value }) => value.value), [2]);
});

Deno.test("M12: mergeRequests() adds buckets of both kinds of histogram, and leaves other bounds alone", () => {
  const explicit = (bounds: number[], bucketCounts: number[], min: number): HistogramPointData => ({
    ...{ ...from(1), bounds, bucketCounts, sum: 4, min, max: min + 1 },
  });
  const exponential = (offset: number, bucketCounts: number[]): ExponentialPointData => ({
    ...{ ...from(1), scale: 3, zeroCount: 1, sum: 2, positive: { offset, bucketCounts } },
  });
  const metrics = (points: HistogramPointData[], wide: ExponentialPointData): MetricData[] => [
    { kind: "histogram", name: "h", temporality: "delta", points },
    { kind: "exponentialHistogram", name: "e", temporality: "delta", points: [wide] },
  ];
  const { bytes } = mergeRequests(
    bodyOf(...metrics([explicit([1], [1, 2], 5)], exponential(-1, [1, 2]))),
    bodyOf(...metrics([explicit([1], [3, 4], 3), explicit([2], [1, 1], 0)], exponential(2, [7]))),
  );
  const [h, e] = decodeExport(bytes).resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
  assert(h?.data.case === "histogram" && e?.data.case === "exponentialHistogram");
  const [joined, other] = h.data.value.dataPoints;
  assertEquals([joined?.bucketCounts, joined?.count, joined?.sum, joined?.min, joined?.max], [
    ...[[4n, 6n], 10n, 8, 3, 6],
  ]);
  assertEquals(other?.explicitBounds, [2]);
  const [wide] = e.data.value.dataPoints;
  assertEquals([wide?.positive?.offset, wide?.positive?.bucketCounts], [-1, [1n, 2n, 0n, 7n]]);
  assertEquals([wide?.count, wide?.zeroCount, wide?.sum], [12n, 2n, 4]);
});

/** Adds up what a vendor has accepted, and checks that no two intervals of a series overlap. */
async function received(rig: LaneRig): Promise<Map<string, bigint>> {
  const total = new Map<string, bigint>();
  let untilNs = 0n;
  for (const { body } of rig.vendor.accepted) {
    const plain = body[0] === 0x1f ? await decompress(new Uint8Array(body), 1e7) : body;
    for (const [device, value] of valuesOf(plain)) total.set(device, (total.get(device) ?? 0n) + value);
    const [metric] = decodeExport(plain).resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
    assert(metric?.data.case === "sum");
    const [point] = metric.data.value.dataPoints;
    assert(point !== undefined && point.startTimeUnixNano >= untilNs, "intervals overlap");
    untilNs = point.timeUnixNano;
  }
  return total;
}

const MINUTE = 60_000;
const CYCLES = 200;
const SERIES = 20;

/** Hands in one batch a cycle of `CYCLES` during an outage; gives what was counted per series. */
async function produce(rig: LaneRig, isCompressed: boolean): Promise<Map<string, bigint>> {
  const random = randomFrom(12);
  const produced = new Map<string, bigint>();
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    const values = Array.from({ length: SERIES }, () => Math.floor(random() * 1e6));
    values.forEach((value, at) => produced.set(`${at}`, (produced.get(`${at}`) ?? 0n) + BigInt(value)));
    const plain = bodyOf(sum(cycle, values));
    const body = isCompressed ? await compress(plain) : { bytes: plain, gzipped: false };
    await rig.lane.makeRoom(body.bytes.length);
    rig.lane.accept({
      body,
      header: {
        ...{ destination: "default", signal: "metrics", encoding: "protobuf", items: SERIES },
        ...{ firstTimeMs: rig.clock.wall(), lastTimeMs: rig.clock.wall(), sequence: cycle },
        uncompressedBytes: plain.length,
        deltaBaseline: `{"cycle":${cycle}}`,
      },
    });
    await rig.runTo(rig.clock.mono() + 1_000);
  }
  return produced;
}

for (const isCompressed of [false, true]) {
  const form = isCompressed ? "gzip" : "plain";
  Deno.test(`M12: memory that is full of deltas merges them, and the total arrives (${form})`, async () => {
    const rig = new LaneRig({ config, budget: new QueueBudget(16 * 1024) });
    rig.vendor.react = () => rig.clock.mono() < CYCLES * 1_000 ? 503 : 200;
    const produced = await produce(rig, isCompressed);
    assert(rig.report.merged > 0);
    await rig.runTo(60 * MINUTE);
    assertEquals([rig.report.queued, rig.report.dropped], [0, {}]);
    assertStrictEquals(rig.report.delivered + rig.report.merged, CYCLES * SERIES);
    assertEquals(await received(rig), produced);
    await rig.stop();
  });

  Deno.test(`M12: a spool that is full of deltas merges them, across a restart (${form})`, () =>
    inFolder(async (path) => {
      const options = { path, config, bytesMax: isCompressed ? 64 * 1024 : 128 * 1024 };
      const first = await SpoolRig.open(options);
      first.vendor.react = () => 503;
      const produced = await produce(first, isCompressed);
      assert(first.report.merged > 0);
      assertEquals(first.report.dropped, {});
      const { merged, queued } = first.report;
      assertStrictEquals(merged + queued, CYCLES * SERIES);
      assert(first.report.spoolBytes <= options.bytesMax);
      await first.end(0);
      const next = await SpoolRig.open({ ...options, clock: first.clock });
      assertEquals(next.spool.baselines[0]?.baseline, `{"cycle":${CYCLES}}`);
      assertStrictEquals(next.report.queued, queued);
      await next.runTo(next.clock.mono() + 60 * MINUTE);
      assertEquals([next.report.queued, next.report.dropped], [0, {}]);
      assertEquals(await received(next), produced);
      await next.end();
    }));
}
