/**
 * Requests cut in two on the wire: same items, same headers, nothing lost or doubled (F16, F17 of otlp 5).
 * @module
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { compress } from "../exporters/gzip.ts";
import { splitRequest } from "../exporters/split.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../proto_gen/metrics_service_pb.ts";
import { ExportLogsServiceRequestSchema } from "../proto_gen/logs_service_pb.ts";
import { LaneRig } from "./lane_rig.ts";

/** Two resources, gauges and sums, `count` points in all, numbered by their time. */
function metricsOf(count: number): Uint8Array<ArrayBuffer> {
  const point = (n: number) => ({ timeUnixNano: BigInt(n), value: { case: "asDouble" as const, value: n } });
  const numbers = Array.from({ length: count }, (_, n) => n + 1);
  const third = Math.floor(count / 3);
  const resource = (metrics: { name: string; numbers: number[] }[]) => ({
    resource: {
      attributes: [{ key: "host.name", value: { value: { case: "stringValue" as const, value: "h" } } }],
    },
    scopeMetrics: [{
      scope: { name: "sonde" },
      metrics: metrics.map(({ name, numbers }, index) => ({
        name,
        unit: "By",
        data: index % 2 === 0 ? { case: "gauge" as const, value: { dataPoints: numbers.map(point) } } : {
          case: "sum" as const,
          value: { isMonotonic: true, aggregationTemporality: 2, dataPoints: numbers.map(point) },
        },
      })),
    }],
    schemaUrl: "https://opentelemetry.io/schemas/1.37.0",
  });
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [
      resource([{ name: "a", numbers: numbers.slice(0, third) }, {
        name: "b",
        numbers: numbers.slice(third, 2 * third),
      }]),
      resource([{ name: "c", numbers: numbers.slice(2 * third) }]),
    ],
  });
  return new Uint8Array(toBinary(ExportMetricsServiceRequestSchema, request));
}

/** `resource/metric/kind/number` of every point. */
function pointsIn(request: ExportMetricsServiceRequest): string[] {
  return request.resourceMetrics.flatMap(({ resource, scopeMetrics, schemaUrl }) =>
    scopeMetrics.flatMap(({ scope, metrics }) =>
      metrics.flatMap(({ name, unit, data }) => {
        const points = data.case === "gauge" || data.case === "sum" ? data.value.dataPoints : [];
        const shape = data.case === "sum"
          ? `sum ${data.value.isMonotonic} ${data.value.aggregationTemporality}`
          : data.case;
        return points.map((point) =>
          [resource?.attributes.length, schemaUrl.length, scope?.name, name, unit, shape, point.timeUnixNano]
            .join(" ")
        );
      })
    )
  );
}

function decode(bytes: Uint8Array): string[] {
  return pointsIn(fromBinary(ExportMetricsServiceRequestSchema, bytes));
}

Deno.test("splitRequest() cuts metrics at any place without losing a header", () => {
  for (let count = 2; count < 40; count++) {
    const bytes = metricsOf(count);
    for (const parts of [undefined, 3, count, count + 1]) {
      const found = splitRequest(bytes, { signal: "metrics", encoding: "protobuf", items: count }, parts);
      assertEquals(found.flatMap((part) => decode(part.join())), decode(bytes));
      assertEquals(found.map((part) => decode(part.join()).length), found.map(({ items }) => items));
      assert(
        found.length <= (parts ?? 2) && Math.max(...found.map(({ items }) => items)) <= Math.ceil(count / 2),
      );
    }
  }
});

Deno.test("splitRequest() cuts log records", () => {
  const records = [1, 2, 3].map((n) => ({ timeUnixNano: BigInt(n) }));
  const request = create(ExportLogsServiceRequestSchema, {
    resourceLogs: [{ scopeLogs: [{ logRecords: records }] }],
  });
  const bytes = new Uint8Array(toBinary(ExportLogsServiceRequestSchema, request));
  const halves = splitRequest(bytes, { signal: "logs", encoding: "protobuf", items: 3 });
  const counts = halves.map((half) =>
    fromBinary(ExportLogsServiceRequestSchema, half.join()).resourceLogs[0]?.scopeLogs[0]?.logRecords.length
  );
  assertEquals(counts, [2, 1]);
});

Deno.test("splitRequest() cuts JSON, 64-bit numbers as they stand", () => {
  const span = (n: number) => ({ spanId: `${n}`, startTimeUnixNano: "1795251007101000001" });
  const document = {
    resourceSpans: [{ scopeSpans: [{ scope: { name: "s" }, spans: [span(1), span(2), span(3)] }] }],
  };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const halves = splitRequest(bytes, { signal: "traces", encoding: "json", items: 3 });
  const texts = halves.map((half) => new TextDecoder().decode(half.join()));
  assertEquals(texts.map((text) => JSON.parse(text).resourceSpans[0].scopeSpans[0].spans.length), [2, 1]);
  assert(texts.every((text) => text.includes('"1795251007101000001"') && text.includes('"name":"s"')));
});

Deno.test("splitRequest() refuses one item, and bytes that are no request", () => {
  assertThrows(
    () => splitRequest(metricsOf(1), { signal: "metrics", encoding: "protobuf", items: 1 }),
    RangeError,
  );
  const noise = new Uint8Array([0x0a, 0xff, 0xff]);
  assertThrows(() => splitRequest(noise, { signal: "metrics", encoding: "protobuf", items: 2 }), SyntaxError);
});

Deno.test("F16, F17: 413, or the Collector's 400, splits a batch, loses nothing and teaches the size", async () => {
  const count = 40_000;
  const plain = metricsOf(count);
  const body = await compress(plain);
  for (
    const refusal of [
      new Response(null, { status: 413 }),
      new Response("http: request body too large", { status: 400 }),
    ]
  ) {
    const rig = new LaneRig({ config: { batchBytesMax: 64 * 1024 * 1024, batchItemsMax: 1_000_000 } });
    const limit = 200 * 1024;
    const seen: string[] = [];
    rig.vendor.react = async ({ body, headers }) => {
      const gzip = headers["content-encoding"] === "gzip";
      const stream = new Blob([body]).stream();
      const bytes = gzip
        ? await new Response(stream.pipeThrough(new DecompressionStream("gzip"))).bytes()
        : body;
      if (bytes.length > limit) return refusal.clone();
      seen.push(...decode(bytes));
      return 200;
    };
    const now = rig.clock.wall();
    const header = {
      destination: "default",
      signal: "metrics",
      encoding: "protobuf",
      items: count,
      firstTimeMs: now,
      lastTimeMs: now,
      sequence: 1,
      uncompressedBytes: plain.length,
    } as const;
    rig.lane.accept({ header, body });
    await rig.runTo(10_000);
    assertEquals(seen.toSorted(), decode(plain).toSorted());
    assertEquals([rig.report.delivered, rig.report.queued], [count, 0]);
    const optimal = Math.ceil(plain.length / limit);
    const accepted = rig.vendor.accepted.length;
    assert(accepted <= 2 * optimal, `${accepted} requests for ${optimal}`);
    const refusals = rig.vendor.received.length - accepted;
    rig.lane.accept({ header: { ...header, sequence: 2 }, body });
    await rig.runTo(20_000);
    assertStrictEquals(rig.vendor.received.length - 2 * accepted, refusals, "the size was learned");
    await rig.stop();
  }
});

Deno.test("P8: a single item that is too large for the destination is dropped as oversize", async () => {
  const rig = new LaneRig();
  rig.vendor.react = () => 413;
  rig.give({ items: 1 });
  await rig.runTo(1_000);
  assertEquals([rig.report.dropped, rig.report.queued], [{ oversize: 1 }, 0]);
  await rig.stop();
});
