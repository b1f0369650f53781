/** Series of many short lives: sums, histograms, increments, and what comes back from JSON (otlp M10, M15, M16). */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Measurement, measurementFromJson } from "../exporters/measurement.ts";
import { ExponentialHistogram, Histogram } from "../exporters/otlp_histogram.ts";
import { accumulate, recordedMetrics, rowFromJson, rowToJson, type SeriesRow } from "../exporters/series.ts";
import { openSeriesMemory } from "../commands/lock_series.ts";

const counter: Measurement = {
  kind: "counter",
  name: "jobs",
  unit: "{job}",
  description: "",
  attributes: { queue: "a" },
  values: [2, 3],
  count: 1,
};
const histogram: Measurement = {
  ...counter,
  kind: "histogram",
  name: "d",
  bounds: [1, 2],
  values: [1, 1.5, 9],
};
const exponential: Measurement = {
  ...counter,
  kind: "histogram",
  name: "e",
  isExponential: true,
  values: [1, 4],
};

const at = (timeNs: bigint, sinceNs: bigint = 0n) => ({ timeNs, sinceNs });

Deno.test("accumulate() adds up and moves the interval on", () => {
  const first = accumulate(undefined, counter, at(100n, 40n));
  const second = accumulate(first, { ...counter, values: [1] }, at(200n, 150n));
  assertEquals([second.startNs, second.previousNs, second.timeNs], [40n, 100n, 200n]);
  const [sum] = recordedMetrics([{ row: second, measurement: { ...counter, values: [1] } }], "cumulative");
  const [delta] = recordedMetrics([{ row: second, measurement: { ...counter, values: [1] } }], "delta");
  assert(sum?.kind === "sum" && delta?.kind === "sum");
  assertEquals(sum.points, [{ attributes: { queue: "a" }, startNs: 40n, timeNs: 200n, value: 6 }]);
  assertEquals(delta.points, [{ attributes: { queue: "a" }, startNs: 100n, timeNs: 200n, value: 1 }]);
});

Deno.test("accumulate() gives every measurement an interval, and begins anew after a step of the clock", () => {
  const first = accumulate(undefined, counter, at(100n, 100n));
  assert(first.startNs < first.timeNs);
  const again = accumulate(first, counter, at(100n));
  assertEquals([again.previousNs, again.timeNs], [100n, 101n]);
  const [late, back] = [accumulate(undefined, counter, at(10n ** 18n)), at(9n * 10n ** 17n, 8n * 10n ** 17n)];
  const stepped = accumulate(late, counter, back);
  assertEquals([stepped.startNs, stepped.timeNs], [8n * 10n ** 17n, 9n * 10n ** 17n]);
});

Deno.test("recordedMetrics() makes one metric of series that differ in attributes only", () => {
  const other = { ...histogram, attributes: { queue: "b" } };
  const recorded = [histogram, other].map((measurement) => ({
    measurement,
    row: accumulate(undefined, measurement, at(9n)),
  }));
  const metrics = recordedMetrics(recorded, "delta");
  assertEquals(metrics.length, 1);
  assertEquals(metrics[0]?.points.length, 2);
  assertEquals(recordedMetrics([...recorded, ...recorded.slice(0, 0)], "cumulative").length, 1);
});

for (const measurement of [counter, histogram, exponential]) {
  Deno.test(`rowFromJson() reads what rowToJson() wrote: ${measurement.kind} ${measurement.name}`, () => {
    const row = accumulate(undefined, measurement, at(1_795_253_664_175_000_001n));
    const read = rowFromJson(JSON.parse(JSON.stringify(rowToJson(row))));
    assertEquals(read, row);
    assert(read !== undefined);
    assertEquals(accumulate(read, measurement, at(2n ** 62n)), accumulate(row, measurement, at(2n ** 62n)));
  });
}

Deno.test("rowFromJson() and measurementFromJson() refuse anything else", () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => {
    assertEquals(rowFromJson(json), undefined);
    assertThrows(() => measurementFromJson(json), TypeError);
  }));
  const row = rowToJson(accumulate(undefined, histogram, at(9n)));
  const text = JSON.stringify(row);
  for (
    const [from, to] of [['"bucketCounts":[1,1,1]', '"bucketCounts":[1]'], ['"explicit"', '"sum"'], [
      '"9"',
      "9",
    ]]
  ) {
    assert(text.includes(from ?? ""));
    assertEquals(rowFromJson(JSON.parse(text.replaceAll(from ?? "", to ?? ""))), undefined);
  }
  const bad: readonly Record<string, unknown>[] = [{ count: 0 }, { count: 1.5 }, { values: ["1"] }, {
    name: "",
  }];
  for (const change of bad) assertThrows(() => measurementFromJson({ ...counter, ...change }), TypeError);
});

Deno.test("resume() goes on as if nothing had happened, explicit and exponential", () => {
  const numbers = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { maxLength: 40 });
  fc.assert(fc.property(numbers, numbers, (before, after) => {
    for (const open of [() => new Histogram([-5, 0, 5]), () => new ExponentialHistogram(160)]) {
      const whole = open();
      const part = open();
      for (const value of before) [whole, part].forEach((each) => each.record(value));
      const resumed = part instanceof Histogram
        ? Histogram.resume(part.point())
        : ExponentialHistogram.resume(part.point());
      for (const value of after) [whole, resumed].forEach((each) => each.record(value));
      const [{ sum: expected = 0, ...rest }, { sum = 0, ...found }] = [whole.point(), resumed.point()];
      assertAlmostEquals(sum, expected, 1e-6);
      assertEquals(found, rest);
    }
  }));
});

Deno.test("SeriesMemory remembers over lives, survives a damaged file, and forgets the oldest", async () => {
  const folder = Deno.makeTempDirSync();
  const record = async (values: readonly number[], timeNs: bigint): Promise<SeriesRow | undefined> => {
    using memory = await openSeriesMemory(folder);
    return memory.record([{ ...counter, values }], at(timeNs))[0];
  };
  try {
    await record([1], 10n);
    await record([2], 20n);
    assertEquals((await record([4], 30n))?.state, { kind: "sum", value: 7 });
    // The newest of the two is torn: the one before it holds.
    Deno.truncateSync(`${folder}/series.1`, 30);
    assertEquals((await record([10], 40n))?.state, { kind: "sum", value: 13 });
    using memory = await openSeriesMemory(folder);
    for (let i = 0; i < 2_100; i += 100) {
      const many = Array.from({ length: 100 }, (_, j) => ({ ...counter, attributes: { n: i + j } }));
      memory.record(many, at(50n));
    }
    assertEquals(memory.size, 2_000);
    using other = await openSeriesMemory(folder, { waitMs: 0 });
    assertEquals([other.fault, other.size], ["another process holds them", 0]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("openSeriesMemory() leaves the lock to others when it cannot have the files", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${folder}/series.0`);
    using memory = await openSeriesMemory(folder);
    assert(memory.fault !== undefined);
    Deno.removeSync(`${folder}/series.0`);
    using other = await openSeriesMemory(folder, { waitMs: 0 });
    assertEquals(other.fault, undefined);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
