/**
 * The bound on the series of one metric: otlp M21.
 * @module
 */
import { assertEquals } from "@std/assert";
import { CardinalityCap } from "../collectors/cardinality.ts";
import { type Descriptor, type Point, type Series, series } from "../collectors/metric.ts";

const about = { unit: "1", description: "", source: "", valueType: "int" } as const;
const counter: Descriptor = { ...about, name: "test.count", kind: "sum", monotonic: true };
const gauge: Descriptor = { ...about, name: "test.gauge", kind: "gauge" };

const many = (descriptor: Descriptor, count: number): Series[] =>
  Array.from({ length: count }, (_, at) => series(descriptor, { at }));
const points = (all: readonly Series[], value: (at: number) => number | bigint, startNs = 1n): Point[] =>
  all.map((one, at) => ({ series: one, value: value(at), startNs }));
const overflow = (found: readonly Point[]): Point | undefined =>
  found.find(({ series }) => series.attributes["otel.metric.overflow"] === true);
const total = (found: readonly Point[]): bigint => found.reduce((sum, { value }) => sum + BigInt(value), 0n);

Deno.test("apply() leaves few points as they are", () => {
  const few = points(many(counter, 3), () => 1);
  assertEquals(new CardinalityCap(3).apply(few, 10n) === few, true);
});

Deno.test("apply() adds 5 000 series up to 2 000 and one, and loses nothing", () => {
  const cap = new CardinalityCap();
  const all = points(many(counter, 5000), (at) => at);
  const kept = cap.apply(all, 10n);
  assertEquals([kept.length, cap.overflown], [2001, 3000]);
  assertEquals(total(kept), total(all));
});

Deno.test("apply() counts every metric for itself", () => {
  const cap = new CardinalityCap(3);
  const kept = cap.apply([...points(many(counter, 3), () => 1), ...points(many(gauge, 2), () => 1)], 10n);
  assertEquals([kept.length, overflow(kept)], [5, undefined]);
});

Deno.test("apply() keeps those within the bound within it when others come before them", () => {
  const cap = new CardinalityCap(2);
  const [a, b, c] = many(counter, 3);
  const own = (all: readonly (Series | undefined)[]) =>
    cap.apply(points(all.filter((one) => one !== undefined), () => 1), 10n)
      .filter(({ ended }) => !ended).map(({ series }) => series.attributes);
  const overflown = { "otel.metric.overflow": true };
  assertEquals(own([a, b, c]), [{ at: 0 }, { at: 1 }, overflown]);
  assertEquals(own([c, b, a]), [{ at: 1 }, { at: 0 }, overflown]);
});

Deno.test("apply() starts the overflow sum anew when a part of it is gone, and ends it with the last", () => {
  const cap = new CardinalityCap(1);
  const all = many(counter, 3);
  const first = overflow(cap.apply(points(all, () => 10), 10n));
  assertEquals([first?.value, first?.startNs], [20, 1n]);
  const grown = overflow(cap.apply(points(all, () => 11), 20n));
  assertEquals([grown?.value, grown?.startNs], [22, 1n]);
  const fallen = overflow(cap.apply(points(all.slice(0, 2), () => 12), 30n));
  assertEquals([fallen?.value, fallen?.startNs], [12, 20n]);
  const ended = overflow(cap.apply(points(all.slice(0, 1), () => 13), 40n));
  assertEquals(ended?.ended, true);
  assertEquals(overflow(cap.apply(points(all.slice(0, 1), () => 13), 50n)), undefined);
});

Deno.test("apply() adds beyond 2^53 exactly and takes the last value of a gauge", () => {
  const cap = new CardinalityCap(1);
  const kept = cap.apply([
    ...points(many(counter, 3), () => 2n ** 53n + 1n),
    ...points(many(gauge, 3), (at) => at),
  ], 10n);
  const overflows = kept.filter(({ series }) => series.attributes["otel.metric.overflow"] === true);
  assertEquals(overflows.map(({ value }) => value), [2n ** 54n + 2n, 2]);
});
