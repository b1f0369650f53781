/**
 * Increments of cumulative sums: otlp M10, M11 and M13, and what clock steps and lost state may not do.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type Baseline,
  baselineFromJson,
  baselineToJson,
  emptyBaseline,
  toDelta,
} from "../collectors/delta.ts";
import { type Descriptor, type Point, type Series, series } from "../collectors/metric.ts";

const about = { unit: "1", description: "", source: "" } as const;
const counter: Descriptor = { ...about, name: "test.count", kind: "sum", monotonic: true, valueType: "int" };
const seconds: Descriptor = { ...counter, name: "test.time", valueType: "double" };
const level: Descriptor = { ...about, name: "test.level", kind: "sum", monotonic: false, valueType: "int" };
const gauge: Descriptor = { ...about, name: "test.gauge", kind: "gauge", valueType: "int" };
const one = series(counter);

const BOOT = 100n;
const SINCE = 1000n;

const point = (series: Series, value: number | bigint, startNs: bigint = BOOT): Point => ({
  series,
  value,
  startNs,
});

/** One turn: what goes out, as [value, start, …], and the next baseline. */
function turn(baseline: Baseline, timeNs: bigint, points: readonly Point[]): [unknown[], Baseline] {
  const result = toDelta({ timeNs, points, omitted: [] }, baseline, { sinceNs: SINCE });
  assertEquals(result.snapshot.timeNs, timeNs);
  return [result.snapshot.points.map(({ value, startNs }) => [value, startNs]), result.baseline];
}

Deno.test("toDelta() gives nothing at first, then increments from collection to collection", () => {
  const [first, b1] = turn(emptyBaseline("boot"), 2000n, [point(one, 500)]);
  const [second, b2] = turn(b1, 3000n, [point(one, 507)]);
  const [third] = turn(b2, 4000n, [point(one, 507)]);
  assertEquals([first, second, third], [[], [[7, 2000n]], [[0, 3000n]]]);
});

Deno.test("toDelta() sends the first value of a counter that began after sonde did", () => {
  const empty = emptyBaseline("boot");
  assertEquals(turn(empty, 3000n, [point(one, 5, 2000n)])[0], [[5, 2000n]]);
  assertEquals(turn(empty, 3000n, [point(one, 5, 999n)])[0], []);
  // A start equal to the time says that nobody knows since when it counts (otlp M6).
  assertEquals(turn(empty, 3000n, [point(one, 5, 3000n)])[0], []);
});

Deno.test("toDelta() leaves gauges and UpDownCounters as they are", () => {
  const points = [point(series(gauge), 4, 0n), point(series(level), 9)];
  const result = toDelta({ timeNs: 2000n, points, omitted: [] }, emptyBaseline("boot"), { sinceNs: SINCE });
  assertEquals([result.snapshot.points, result.baseline.sums.size], [points, 0]);
});

Deno.test("toDelta() counts from the new start after a reset", () => {
  const [, b1] = turn(emptyBaseline("boot"), 2000n, [point(one, 500)]);
  const [reset, b2] = turn(b1, 3000n, [point(one, 3, 2000n)]);
  const [next] = turn(b2, 4000n, [point(one, 10, 2000n)]);
  assertEquals([reset, next], [[[3, 2000n]], [[7, 3000n]]]);
});

Deno.test("toDelta() gives a series that was away one longer interval", () => {
  const [, b1] = turn(emptyBaseline("boot"), 2000n, [point(one, 500)]);
  const [missing, b2] = turn(b1, 3000n, []);
  assertEquals([missing, turn(b2, 4000n, [point(one, 520)])[0]], [[], [[20, 2000n]]]);
});

Deno.test("toDelta() forgets a series that ended", () => {
  const [, b1] = turn(emptyBaseline("boot"), 2000n, [point(one, 500)]);
  const [ended, b2] = turn(b1, 3000n, [{ ...point(one, 0), ended: true }]);
  assertEquals([ended, b2.sums.size], [[], 0]);
});

Deno.test("toDelta() puts what was counted while the clock went back into the next interval", () => {
  const [, b1] = turn(emptyBaseline("boot"), 5000n, [point(one, 500)]);
  const [back, b2] = turn(b1, 4000n, [point(one, 507, 90n)]);
  const [next] = turn(b2, 4500n, [point(one, 510, 90n)]);
  assertEquals([back, next], [[], [[10, 4000n]]]);
});

Deno.test("toDelta() gives no negative increment when the ledger lost its state", () => {
  const [, b1] = turn(emptyBaseline("boot"), 2000n, [point(one, 500)]);
  const [fallen, b2] = turn(b1, 3000n, [point(one, 499)]);
  assertEquals([fallen, turn(b2, 4000n, [point(one, 501)])[0]], [[], [[2, 3000n]]]);
});

Deno.test("toDelta() is exact beyond 2^53 and free of float noise below a nanosecond", () => {
  const time = series(seconds);
  const [, b1] = turn(emptyBaseline("boot"), 2000n, [point(one, 2n ** 63n), point(time, 101321.5)]);
  const [next, b2] = turn(b1, 3000n, [point(one, 2n ** 63n + 1n), point(time, 101321.53)]);
  assertEquals(next, [[1n, 2000n], [0.03, 2000n]]);
  const kept = baselineFromJson(baselineToJson(b2), "boot");
  assertEquals(kept, b2);
});

Deno.test("baselineFromJson() gives an empty baseline for another boot and for what is none", () => {
  const [, baseline] = turn(emptyBaseline("boot"), 2000n, [point(one, 500)]);
  const text = baselineToJson(baseline);
  assertEquals(baselineFromJson(text, "boot"), baseline);
  for (
    const [json, boot] of [[text, "other"], [undefined, "boot"], ["{", "boot"], ["[]", "boot"], [
      '{"bootId":"boot"}',
      "boot",
    ]]
  ) {
    assertEquals(baselineFromJson(json, boot ?? ""), emptyBaseline(boot ?? ""));
  }
  assertEquals(baselineFromJson('{"bootId":"boot","sums":[["k","x","1","2"],[1,2],7]}', "boot").sums.size, 0);
});

Deno.test("toDelta() increments add up to the whole, over restarts and missing cycles", () => {
  const step = fc.record({ add: fc.nat(1_000_000), isSeen: fc.boolean(), isRestart: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      let [, baseline] = turn(emptyBaseline("boot"), 2000n, [point(one, 0)]);
      let [total, value, timeNs, end] = [0, 0, 2000n, 2000n];
      for (const { add, isSeen, isRestart } of [...steps, { add: 0, isSeen: true, isRestart: false }]) {
        value += add;
        timeNs += 1000n;
        if (isRestart) baseline = baselineFromJson(baselineToJson(baseline), "boot");
        const points = isSeen ? [point(one, value)] : [];
        const result = toDelta({ timeNs, points, omitted: [] }, baseline, { sinceNs: timeNs });
        baseline = result.baseline;
        for (const delta of result.snapshot.points) {
          assertEquals(delta.startNs, end);
          end = timeNs;
          total += Number(delta.value);
        }
      }
      assert(total === value);
    }),
  );
});
