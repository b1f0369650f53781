/** Histograms of `emit` and `exec` for a destination whose own interface has none (vendors.md 1.3). */
import { assertEquals } from "@std/assert";
import { aggregatesOf } from "../exporters/histogram_aggregates.ts";
import type { HistogramData } from "../exporters/otlp_data.ts";
import { ExponentialHistogram, Histogram } from "../exporters/otlp_histogram.ts";
import { enforcing, judged } from "./backend_request.ts";
import { seriesOf } from "./backend_series.ts";
import { backendOf } from "./backends.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";

const TIMES = { startNs: 1_000n, timeNs: 2_000n, attributes: { k: "v" } };

function recorded<H extends Histogram | ExponentialHistogram>(histogram: H, values: readonly number[]): H {
  for (const value of values) histogram.record(value);
  return histogram;
}

function explicit(values: readonly number[]): HistogramData {
  const point = { ...TIMES, ...recorded(new Histogram([1, 2]), values).point() };
  return {
    kind: "histogram",
    name: "d",
    unit: "s",
    description: "how long",
    temporality: "delta",
    points: [point],
  };
}

/** Name, kind, unit and the only value. */
function outline(metrics: ReturnType<typeof aggregatesOf>) {
  return metrics.map(({ name, kind, unit, points }) => {
    const [point] = points;
    return [name, kind, unit, point !== undefined && "value" in point ? Number(point.value) : undefined];
  });
}

Deno.test("aggregatesOf() gives count, sum, least and greatest with attributes and times", () => {
  const metrics = aggregatesOf(explicit([0.5, 1.5, 4]));
  assertEquals(outline(metrics), [
    ["d.count", "sum", undefined, 3],
    ["d.sum", "sum", "s", 6],
    ["d.min", "gauge", "s", 0.5],
    ["d.max", "gauge", "s", 4],
  ]);
  for (const { points: [point] } of metrics) {
    assertEquals([point?.attributes, point?.startNs, point?.timeNs], [{ k: "v" }, 1_000n, 2_000n]);
  }
});

Deno.test("aggregatesOf() counts both sides and the zeros of an exponential histogram", () => {
  const point = { ...TIMES, ...recorded(new ExponentialHistogram(), [0, 8, -8, 1e-3]).point() };
  const metrics = aggregatesOf({
    kind: "exponentialHistogram",
    name: "e",
    temporality: "delta",
    points: [point],
  });
  // A sum that may have fallen is no count.
  assertEquals(outline(metrics).map(([name, , , value]) => [name, value]), [["e.count", 4], ["e.min", -8], [
    "e.max",
    8,
  ]]);
});

Deno.test("aggregatesOf() takes a count without buckets, and leaves out what is not known", () => {
  const { points: _, ...head } = explicit([]);
  const point = { ...TIMES, bounds: [], bucketCounts: [], count: 7n };
  assertEquals(outline(aggregatesOf({ ...head, points: [point] })), [["d.count", "sum", undefined, 7]]);
});

/** Series by name as version 1 and 2 write them: type and value. */
async function seriesByName(api: string, args: readonly (readonly string[])[]) {
  const { rules, taken } = backendOf("datadog_native");
  await using server = new FaultServer(enforcing(rules, taken));
  await inFolder(async (folder) => {
    const env = {
      SONDE_PRESET: "datadog_native",
      SONDE_REGION: "datadoghq.eu",
      SONDE_API_KEY: "0123456789abcdef0123456789abcdef",
      DATADOG_API: api,
      SONDE_ENDPOINT: server.url,
    };
    for (const each of args) {
      const { code, stderr } = await sonde(folder, each, { env });
      assertEquals(code, 0, stderr);
    }
  });
  const requests = await Promise.all(server.requests.map(judged));
  return requests.map((request) =>
    Object.fromEntries(
      seriesOf(request).map(({ metric, type, points, tags }) => [metric, { type, points, tags }]),
    )
  );
}

const HISTOGRAM = ["emit", "histogram", "wait", "0.5", "4", "--unit", "s", "--attr", "x:double=2"];

for (const [api, count, gauge] of [["v1", "count", "gauge"], ["v2", 1, 3]] as const) {
  Deno.test(`emit histogram: series API ${api} gets count, sum, min and max of each call`, async () => {
    const [first, second] = await seriesByName(api, [HISTOGRAM, [
      "emit",
      "histogram",
      "wait",
      "9",
      "--exponential",
    ]]);
    const valueOf = (series: Record<string, unknown> | undefined, name: string) =>
      /(?:,|"value":)([\d.]+)[\]}]+$/.exec(JSON.stringify(Object(series?.[name]).points) ?? "")?.[1];
    const names = ["wait.count", "wait.sum", "wait.min", "wait.max"];
    assertEquals(Object.keys(first ?? {}), names);
    assertEquals(names.map((name) => valueOf(first, name)), ["2", "4.5", "0.5", "4"]);
    assertEquals(names.map((name) => valueOf(second, name)), ["1", "9", "9", "9"]);
    assertEquals(names.map((name) => first?.[name]?.type), [count, count, gauge, gauge]);
    assertEquals(JSON.stringify(first?.["wait.sum"]?.tags).includes('"x:2"'), true);
  });
}

Deno.test("exec: a job's duration reaches the series API as aggregates, beside its outcome", async () => {
  const [series] = await seriesByName("v2", [["exec", "--name", "nightly", "--", "true"]]);
  const names = Object.keys(series ?? {});
  for (const which of ["count", "sum", "min", "max"]) {
    assertEquals(names.includes(`sonde.job.duration.${which}`), true, names.join());
  }
});
