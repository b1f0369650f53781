/** Histograms for a destination that takes few buckets (vendors.md section 7): counts stay, bounds rise. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { coarser } from "../exporters/coarser_histogram.ts";
import type { HistogramData, MetricData } from "../exporters/otlp_data.ts";
import { Histogram } from "../exporters/otlp_histogram.ts";
import { judged, metricsOf } from "./backend_request.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";

function histogram(bounds: readonly number[], values: readonly number[]): HistogramData {
  const counted = new Histogram(bounds);
  for (const value of values) counted.record(value);
  const point = { startNs: 1n, timeNs: 2n, ...counted.point() };
  return { kind: "histogram", name: "h", temporality: "delta", points: [point] };
}

const total = (counts: readonly (number | bigint)[]) =>
  counts.reduce<number>((sum, each) => sum + Number(each), 0);

Deno.test("coarser() joins neighbours: a value is still at or below its bucket's bound", () => {
  const [metric] = coarser([histogram([1, 2, 3, 4, 5], [0.5, 1, 2, 3.5, 9])], 3);
  assert(metric?.kind === "histogram");
  const [point] = metric.points;
  assertEquals([point?.bounds, point?.bucketCounts], [[2, 4], [3n, 1n, 1n]]);
  assertEquals([point?.sum, point?.min, point?.max], [16, 0.5, 9]);
});

Deno.test("coarser() leaves alone what fits, other kinds, and all where there is no limit", () => {
  const metrics: readonly MetricData[] = [
    histogram([1, 2], [1]),
    { kind: "gauge", name: "g", valueType: "double", points: [{ timeNs: 1n, value: 1 }] },
  ];
  assertStrictEquals(coarser(metrics, undefined), metrics);
  assertEquals(coarser(metrics, 3), metrics);
});

Deno.test("coarser() never has more buckets than allowed, loses no count, and keeps rising bounds", () => {
  const bounds = fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 0, maxLength: 256 });
  fc.assert(
    fc.property(
      bounds,
      fc.array(fc.double({ min: -2000, max: 2000, noNaN: true })),
      fc.integer({ min: 1, max: 40 }),
      (
        some,
        values,
        most,
      ) => {
        const [metric] = coarser([histogram(some.toSorted((a, b) => a - b), values)], most);
        assert(metric?.kind === "histogram");
        const [point] = metric.points;
        assert(point !== undefined && point.bucketCounts.length <= Math.max(1, most));
        assertEquals(point.bounds.length, point.bucketCounts.length - 1);
        assertEquals(total(point.bucketCounts), values.length);
        assert(point.bounds.every((bound, at) => at === 0 || bound > (point.bounds[at - 1] ?? bound)));
      },
    ),
    { seed: 20_261_121, numRuns: 200 },
  );
});

Deno.test("emit histogram with many bounds reaches Splunk in the buckets that it takes", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = {
      SONDE_PRESET: "splunk",
      SONDE_REGION: "eu0",
      SONDE_API_KEY: "sample-token",
      SONDE_ENDPOINT: server.url,
    };
    const bounds = Array.from({ length: 100 }, (_, at) => at).join();
    const { code, stderr } = await sonde(
      folder,
      ["emit", "histogram", "h", "3", "77.5", "--bounds", bounds],
      { env },
    );
    assertEquals(code, 0, stderr);
  });
  const [request] = server.requests;
  assert(request !== undefined);
  const [metric] = metricsOf(await judged(request));
  assert(metric?.data.case === "histogram");
  const [point] = metric.data.value.dataPoints;
  assertEquals([point?.bucketCounts.length, point?.count], [26, 2n]);
});
