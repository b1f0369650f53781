/** The metrics encoder: what it writes, cuts and leaves out, in both encodings (otlp M1 to M18, E1 to E12, P8, P11). */
import { fromBinary } from "@bufbuild/protobuf";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Point, series } from "../collectors/metric.ts";
import type { Encoded, MetricsEncoderOptions } from "../exporters/encoder.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import { SCHEMA_URL } from "../exporters/naming.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";
import * as model from "./metrics_model.ts";

const protobuf: MetricsEncoderOptions = { naming: "semconv", encoding: "protobuf" };
const json: MetricsEncoderOptions = { naming: "semconv", encoding: "json" };

const counter = series(model.descriptor("c", "counter", "int"), { a: "x" });
const gauge = series(model.descriptor("g", "gauge", "double"), { a: "x" });

function encode(
  points: readonly Point[],
  options: MetricsEncoderOptions = protobuf,
  limits = model.roomy,
): readonly Encoded[] {
  return createMetricsEncoder(options).encode(model.input(model.snapshot(points)), limits);
}

function lines(batches: readonly Encoded[]): string[] {
  return batches.flatMap((batch) => model.decodedLines(batch.body)).sort();
}

/** The only JSON request of these points, parsed. */
function parsed(points: readonly Point[], options: MetricsEncoderOptions = json) {
  const [batch] = encode(points, options);
  assert(batch !== undefined);
  return JSON.parse(new TextDecoder().decode(batch.body)).resourceMetrics[0];
}

Deno.test("encode() writes integers exactly from numbers and bigints, and from 2^63 on as double", () => {
  const values = [0, 1, -1, 2 ** 32, 2 ** 53, -(2 ** 53), 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
  values.push(2n ** 63n, 18446744073709551615n, 2 ** 63, 1.5);
  const points = values.map((value, i) => model.point(series(counter.descriptor, { i }), value));
  assertEquals(
    lines(encode(points)),
    model.expectedLines(model.snapshot(points), "semconv", "cumulative"),
  );
});

Deno.test("encode() patches the same extreme integers in place", () => {
  const pairs: readonly (readonly [number | bigint, number | bigint])[] = [
    [0, -1],
    [5n, 2 ** 53],
    [7, 2n ** 63n - 1n],
    [-1, -(2n ** 63n)],
    [1, -(2 ** 40) - 3],
    [1n, 4294967295],
    [1, 4294967296],
  ];
  const all = pairs.map((_, i) => series(counter.descriptor, { i }));
  const [first, second] = [0, 1].map((side) =>
    model.snapshot(all.map((one, i) => model.point(one, pairs[i]?.[side] ?? 0)))
  );
  assert(first !== undefined && second !== undefined);
  const encoder = createMetricsEncoder(protobuf);
  encoder.encode(model.input(first), model.roomy);
  assertEquals(
    lines(encoder.encode(model.input(second), model.roomy)),
    model.expectedLines(second, "semconv", "cumulative"),
  );
});

Deno.test("encode() groups points under one Metric a name, one resource, one scope", () => {
  const points = [1, 2, 3].flatMap((i) => [
    model.point(series(counter.descriptor, { i }), i),
    model.point(series(gauge.descriptor, { i }), i),
  ]);
  const [batch] = encode(points);
  assert(batch !== undefined);
  const request = fromBinary(ExportMetricsServiceRequestSchema, batch.body);
  const scopeMetrics = request.resourceMetrics[0]?.scopeMetrics[0];
  assertEquals(scopeMetrics?.metrics.map((metric) => metric.name), ["c", "g"]);
  assertEquals(scopeMetrics?.schemaUrl, SCHEMA_URL);
  assertEquals(batch.items, 6);
  assertEquals(batch.firstTimeMs, Number(model.TIME_NS / 1_000_000n));
  assertEquals(batch.lastTimeMs, batch.firstTimeMs);
});

Deno.test("encode() gives no request when there are no points", () => {
  assertEquals(encode([]), []);
  assertEquals(encode([{ ...model.point(counter, 1), value: NaN }]), []);
  assertEquals(encode([model.point({ ...counter, namings: ["collector"] }, 1)]), []);
  assertEquals(encode([], json), []);
});

Deno.test("encode() drops and counts non-finite values", () => {
  const encoder = createMetricsEncoder(protobuf);
  const points = [NaN, Infinity, 1].map((value, i) => model.point(series(gauge.descriptor, { i }), value));
  const batches = encoder.encode(model.input(model.snapshot(points)), model.roomy);
  assertEquals(batches.map((batch) => batch.items), [1]);
  assertEquals(encoder.discarded, { nonFinite: 2, oversize: 0 });
});

Deno.test("encode() throws for a snapshot without a time", () => {
  const encoder = createMetricsEncoder(protobuf);
  const untimed = model.input(model.snapshot([model.point(counter, 1)], 0n));
  assertThrows(() => encoder.encode(untimed, model.roomy), RangeError, "expected a time after 1970");
});

Deno.test("encode() omits starts of gauges and starts before 1970", () => {
  const points = [model.point(gauge, 1, 5n), model.point(counter, 1, -5n)];
  assertEquals(lines(encode(points)).map((line) => line.includes(" 0 ")), [true, true]);
});

Deno.test("encode() ends a series with attributes, time and NO_RECORDED_VALUE alone", () => {
  const ended: Point = { ...model.point(counter, 7), ended: true };
  assertEquals(lines(encode([ended])), model.expectedLines(model.snapshot([ended]), "semconv", "cumulative"));
  const [decoded] = parsed([ended]).scopeMetrics[0].metrics[0].sum.dataPoints;
  assertEquals(Object.keys(decoded).sort(), ["attributes", "flags", "timeUnixNano"]);
});

Deno.test("encode() marks only monotonic sums as delta", () => {
  const upDown = series(model.descriptor("u", "updowncounter", "int"));
  const points = [model.point(counter, 1), model.point(upDown, 1)];
  for (const [temporality, wanted] of [["delta", [1, 2]], ["cumulative", [2, 2]]] as const) {
    const { metrics } = parsed(points, { ...json, temporality }).scopeMetrics[0];
    assertEquals(
      metrics.map((metric: { sum: { aggregationTemporality: number } }) => metric.sum.aggregationTemporality),
      wanted,
    );
  }
});

Deno.test("encode() replaces lone surrogates in keys, values and names", () => {
  const odd = series({ ...gauge.descriptor, name: "n\ud800" }, { "k\ud800": "v\udc00" });
  const [line] = lines(encode([model.point(odd, 1)]));
  assert(line?.startsWith("n\ufffd ") && line.includes("k\ufffd=v\ufffd"));
});

Deno.test("encode() keeps one of two keys that become equal", () => {
  const odd = series(gauge.descriptor, Object.fromEntries([["k\ud800", "first"], ["k\udc00", "last"]]));
  assert(lines(encode([model.point(odd, 1)]))[0]?.includes(" k\ufffd=last "));
  assertEquals(lines(encode([model.point(odd, 1)]))[0]?.includes("first"), false);
});

Deno.test("encode() cuts at the item limit and keeps every point once", () => {
  const points = model.hostPoints();
  for (const options of [protobuf, json]) {
    const batches = encode(points, options, { batchBytesMax: 1e9, batchItemsMax: 64 });
    assertEquals(batches.map((batch) => batch.items), [64, 64, 64, 18]);
  }
  const cut = encode(points, protobuf, { batchBytesMax: 1e9, batchItemsMax: 64 });
  assertEquals(lines(cut), lines(encode(points)));
});

Deno.test("encode() cuts at the byte limit and keeps every point once", () => {
  const points = model.hostPoints();
  const batches = encode(points, protobuf, { batchBytesMax: 4096, batchItemsMax: 1000 });
  assert(batches.length > 4 && batches.every((batch) => batch.body.length <= 4096));
  assertEquals(lines(batches), lines(encode(points)));
  const texts = encode(points, json, { batchBytesMax: 4096, batchItemsMax: 1000 });
  assert(texts.every((batch) => batch.body.length <= 4096));
  assertEquals(texts.reduce((sum, batch) => sum + batch.items, 0), points.length);
});

Deno.test("encode() drops and counts a point larger than a request may be", () => {
  const big = series(gauge.descriptor, { text: "x".repeat(3000) });
  const encoder = createMetricsEncoder(protobuf);
  const mixed = model.input(model.snapshot([model.point(gauge, 1), model.point(big, 2)]));
  const batches = encoder.encode(mixed, { batchBytesMax: 1000, batchItemsMax: 10 });
  assertEquals(batches.map((batch) => batch.items), [1]);
  assertEquals(encoder.discarded.oversize, 1);
  encoder.encode(mixed, { batchBytesMax: 1000, batchItemsMax: 10 });
  assertEquals(encoder.discarded.oversize, 2);
});

Deno.test("encode() gives every batch a buffer of its own", () => {
  const encoder = createMetricsEncoder(protobuf);
  const one = model.input(model.snapshot([model.point(counter, 1)]));
  const [first] = encoder.encode(one, model.roomy);
  const [second] = encoder.encode(one, model.roomy);
  assert(first !== undefined && second !== undefined);
  structuredClone(first.body, { transfer: [first.body.buffer] });
  assertEquals(first.body.length, 0);
  assertEquals(model.decodedLines(second.body).length, 1);
  assertEquals(second.body.buffer.byteLength, second.body.length);
});

Deno.test("encode() writes JSON with 64-bit integers as text, zeros and integer enums", () => {
  const points = [model.point(counter, 0), model.point(series(counter.descriptor, { big: 1 }), 2n ** 60n)];
  points.push(model.point(gauge, 0));
  const { resource, scopeMetrics, schemaUrl } = parsed(points);
  const [sum, plain] = scopeMetrics[0].metrics;
  assertEquals(resource.attributes[2], { key: "host.cpus", value: { intValue: "4" } });
  assertEquals(sum.sum.dataPoints.map((one: { asInt: string }) => one.asInt), ["0", "1152921504606846976"]);
  assertEquals(sum.sum.dataPoints[0].startTimeUnixNano, model.BOOT_NS.toString());
  assertEquals([sum.sum.aggregationTemporality, sum.sum.isMonotonic], [2, true]);
  assertEquals(plain.gauge.dataPoints[0].asDouble, 0);
  assertEquals(schemaUrl, SCHEMA_URL);
});

Deno.test("encode() gives the Collector's names no schema", () => {
  const [scoped] = parsed([model.point(counter, 1)], { ...json, naming: "collector" }).scopeMetrics;
  assertEquals(scoped.schemaUrl, undefined);
});
