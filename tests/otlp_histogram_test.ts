/** Histograms as they are gathered: bounds, exponential indexes and what a point says (otlp M15, M16). */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { bucketIndex, ExponentialHistogram, Histogram } from "../exporters/otlp_histogram.ts";
import { encodeMetrics } from "../exporters/otlp_metrics.ts";
import { head, TIME_NS } from "./otlp_samples.ts";

Deno.test("Histogram.record() puts a value on a bound into the bucket below it", () => {
  const histogram = new Histogram([1, 2]);
  for (const value of [-5, 1, 1.5, 2, 2.0001, 1e300]) histogram.record(value);
  assertEquals(histogram.point(), {
    bounds: [1, 2],
    bucketCounts: [2, 2, 2],
    sum: 1e300,
    min: -5,
    max: 1e300,
  });
});

Deno.test("Histogram.record() and ExponentialHistogram.record() refuse what is no finite number", () => {
  for (const histogram of [new Histogram(), new ExponentialHistogram()]) {
    assertEquals([NaN, Infinity, -Infinity].map((value) => histogram.record(value)), [false, false, false]);
    assertEquals(histogram.point().sum, undefined);
  }
});

Deno.test("new Histogram() throws when bounds do not rise", () => {
  for (const bounds of [[1, 1], [2, 1], [NaN], [0, Infinity]]) {
    assertThrows(() => new Histogram(bounds), RangeError, "expected rising numbers");
  }
});

Deno.test("bucketIndex() is exact for every power of two at every scale", () => {
  for (let scale = -10; scale <= 20; scale++) {
    for (let exponent = -1074; exponent <= 1023; exponent++) {
      const wanted = scale > 0 ? exponent * 2 ** scale - 1 : (exponent - 1) >> -scale;
      assertEquals(bucketIndex(2 ** exponent, scale), wanted);
    }
  }
});

Deno.test("bucketIndex() holds the value between its bucket's bounds", () => {
  const positive = fc.double({ min: 2 ** -1000, max: 2 ** 1000, noNaN: true });
  fc.assert(
    fc.property(positive, fc.integer({ min: -10, max: 20 }), (value, scale) => {
      const index = bucketIndex(value, scale);
      const logarithm = Math.log2(value) * 2 ** scale;
      // Rounding of the logarithm, in units of a bucket.
      const slack = Math.abs(logarithm) * 1e-14 + 1e-6;
      assert(logarithm > index - slack && logarithm <= index + 1 + slack, `${value} at ${scale}: ${index}`);
    }),
    { seed: 8, numRuns: 5000 },
  );
});

Deno.test("bucketIndex() never falls when the value grows", () => {
  const positive = fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true });
  fc.assert(
    fc.property(positive, positive, fc.integer({ min: -10, max: 20 }), (a, b, scale) => {
      assert(bucketIndex(Math.min(a, b), scale) <= bucketIndex(Math.max(a, b), scale));
    }),
    { seed: 9, numRuns: 5000 },
  );
});

Deno.test("ExponentialHistogram keeps every count, its bound of buckets, and the finest scale that fits", () => {
  const value = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 1, 2, 1e-300, 1e300),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 60 }), fc.integer({ min: 4, max: 160 }), (values, max) => {
      const histogram = new ExponentialHistogram(max);
      for (const one of values) histogram.record(one);
      const { scale, zeroCount, positive, negative } = histogram.point();
      const count = (counts: readonly (number | bigint)[] = []) =>
        counts.reduce<number>((sum, n) => sum + Number(n), 0);
      assertEquals(
        Number(zeroCount) + count(positive?.bucketCounts) + count(negative?.bucketCounts),
        values.length,
      );
      for (const [side, sign] of [[positive, 1], [negative, -1]] as const) {
        const mine = values.map((one) => one * sign).filter((one) => one > 0);
        assert((side?.bucketCounts.length ?? 0) <= max);
        const filled = side?.bucketCounts.flatMap((n, i) =>
          new Array<number>(Number(n)).fill(side.offset + i)
        ) ?? [];
        assertEquals(filled, mine.map((one) => bucketIndex(one, scale)).sort((a, b) => a - b));
      }
      assert(scale <= 20 && scale >= -10);
    }),
    { seed: 10, numRuns: 1000 },
  );
});

Deno.test("points of both histograms pass the encoder", () => {
  const [plain, exponential] = [new Histogram(), new ExponentialHistogram()];
  for (const value of [0, 3, 70, 1e5]) [plain, exponential].forEach((one) => one.record(value));
  const { batches, leftOut } = encodeMetrics(
    [
      { kind: "histogram", name: "h", temporality: "delta", points: [{ timeNs: TIME_NS, ...plain.point() }] },
      {
        kind: "exponentialHistogram",
        name: "e",
        temporality: "delta",
        points: [{ timeNs: TIME_NS, ...exponential.point() }, {
          timeNs: TIME_NS,
          ...new ExponentialHistogram().point(),
        }],
      },
    ],
    head,
    { encoding: "protobuf", batchBytesMax: 1e6, batchItemsMax: 10 },
  );
  assertEquals([batches[0]?.items, leftOut.invalid], [3, 0]);
});
