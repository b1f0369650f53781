/**
 * The encoders of all signals: goldens in both encodings, the rules of OTLP/JSON, and what is left out (otlp E1 to E15,
 * M15, M16). `deno test -A tests/otlp_signals_test.ts -- --update` rewrites the goldens.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { SIGNALS } from "../exporters/batch.ts";
import type { HistogramPointData, MetricData, SpanData } from "../exporters/otlp_data.ts";
import { dumpRequest } from "../exporters/otlp_dump.ts";
import { encodeLogs } from "../exporters/otlp_logs.ts";
import { encodeMetrics } from "../exporters/otlp_metrics.ts";
import type { RequestOptions, Requests } from "../exporters/otlp_request.ts";
import { encodeTraces } from "../exporters/otlp_traces.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";
import { head, metrics, record, sample, span, SPAN_ID, TIME_NS, TRACE_ID } from "./otlp_samples.ts";

const protobuf: RequestOptions = { encoding: "protobuf", batchBytesMax: 1e9, batchItemsMax: 1e6 };
const json: RequestOptions = { ...protobuf, encoding: "json" };
const NONE = { invalid: 0, nonFinite: 0, oversize: 0, badIds: 0 };

function body(requests: Requests): Uint8Array<ArrayBuffer> {
  const [batch, ...more] = requests.batches;
  assert(batch !== undefined && more.length === 0);
  return batch.body;
}

function parsed(requests: Requests) {
  return JSON.parse(new TextDecoder().decode(body(requests)));
}

for (const signal of SIGNALS) {
  Deno.test(`the ${signal} sample is the golden request in both encodings`, async () => {
    const golden = (name: string) => new URL(`./fixtures/otlp/${signal}.${name}`, import.meta.url);
    const bytes = sample(signal, protobuf);
    const texts = {
      hex: (body(bytes).toHex().match(/.{1,96}/g) ?? []).join("\n") + "\n",
      json: JSON.stringify(parsed(sample(signal, json)), undefined, 2) + "\n",
    };
    for (const [name, text] of Object.entries(texts)) {
      if (Deno.args.includes("--update")) await Deno.writeTextFile(golden(name), text);
      assertEquals(text, await Deno.readTextFile(golden(name)));
    }
    assertEquals(bytes.leftOut, NONE);
    assertEquals(JSON.parse(dumpRequest(body(bytes), signal, "protobuf")), JSON.parse(texts.json));
  });

  Deno.test(`${signal} JSON keeps OTLP's rules for keys, enums, ids and 64-bit integers`, () => {
    const walk = (value: unknown, key: string): void => {
      if (Array.isArray(value)) return value.forEach((one) => walk(one, key));
      if (typeof value === "object" && value !== null) {
        for (const [inner, one] of Object.entries(value)) {
          assert(/^[a-z][A-Za-z]*$/.test(inner), inner);
          walk(one, inner);
        }
      } else if (/^(traceId|spanId|parentSpanId)$/.test(key)) {
        assert(typeof value === "string" && /^([0-9a-f]{16}|[0-9a-f]{32})$/.test(value), key);
      } else if (/UnixNano$|^(count|zeroCount|bucketCounts|asInt|intValue)$/.test(key)) {
        assert(typeof value === "string" && /^-?\d+$/.test(value), key);
      } else if (/^(kind|code|severityNumber|aggregationTemporality)$/.test(key)) {
        assert(typeof value === "number", key);
      }
    };
    walk(parsed(sample(signal, json)), "");
  });
}

Deno.test("encodeTraces() leaves out spans without valid ids or times", () => {
  const bad: SpanData[] = [
    { ...span, traceId: "0".repeat(32) },
    { ...span, traceId: TRACE_ID.slice(1) },
    { ...span, spanId: SPAN_ID + "00" },
    { ...span, spanId: "xyz19b7ec3c1b174" },
    { ...span, startNs: 0n },
    { ...span, endNs: 2n ** 64n },
  ];
  const requests = encodeTraces([...bad, span], head, protobuf);
  assertEquals(requests.leftOut, { ...NONE, invalid: bad.length });
  assertEquals(requests.batches.map((batch) => batch.items), [1]);
  assertEquals(encodeTraces(bad, head, protobuf).batches, []);
});

Deno.test("encodeTraces() drops a bad parent or link and keeps the span", () => {
  const requests = encodeTraces(
    [{ ...span, parentSpanId: "0".repeat(16), links: [{ traceId: "no", spanId: SPAN_ID }] }],
    head,
    json,
  );
  const [sent] = parsed(requests).resourceSpans[0].scopeSpans[0].spans;
  assertEquals([sent.parentSpanId, sent.links], [undefined, undefined]);
  assertEquals(requests.leftOut.badIds, 2);
});

Deno.test("encodeTraces() and encodeLogs() say the first and last time", () => {
  const later = { ...span, startNs: TIME_NS + 60_000_000_000n, endNs: TIME_NS + 90_000_000_000n };
  const [traces] = encodeTraces([later, span], head, protobuf).batches;
  const first = Number(TIME_NS / 1_000_000n);
  assertEquals([traces?.firstTimeMs, traces?.lastTimeMs, traces?.items], [first, first + 90_000, 2]);
  const { timeNs: _, ...untimed } = record;
  const [logs] =
    encodeLogs([{ ...untimed, observedNs: TIME_NS + 1_000_000_000n }, record], head, protobuf).batches;
  assertEquals([logs?.firstTimeMs, logs?.lastTimeMs, logs?.items], [first, first + 1_000, 2]);
});

Deno.test("encodeLogs() leaves out records without observation or with no severity of OTLP's", () => {
  const bad = [{ ...record, observedNs: 0n }, { ...record, severity: 25 }, { ...record, severity: 1.5 }];
  const requests = encodeLogs([...bad, record], head, protobuf);
  assertEquals(requests.leftOut, { ...NONE, invalid: 3 });
});

Deno.test("encodeLogs() keeps a trace without its span, and no span without its trace", () => {
  const { spanId: _span, ...traceOnly } = record;
  const { traceId: _trace, ...spanOnly } = record;
  const { logRecords } = parsed(encodeLogs([traceOnly, spanOnly], head, json)).resourceLogs[0].scopeLogs[0];
  const ids = logRecords.map((one: { traceId?: string; spanId?: string }) => [one.traceId, one.spanId]);
  assertEquals(ids, [[TRACE_ID, undefined], [undefined, undefined]]);
});

Deno.test("encoders write flags and counts that fit 32 bits, else 0", () => {
  const odd = { ...span, flags: -1, droppedAttributes: 2 ** 32, droppedLinks: 1.5 };
  const [sent] = parsed(encodeTraces([odd], head, json)).resourceSpans[0].scopeSpans[0].spans;
  assertEquals([sent.flags, sent.droppedAttributesCount, sent.droppedLinksCount], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("encoders cut at the limits and count what fits nowhere", () => {
  const spans = Array.from({ length: 100 }, (_, i) => ({ ...span, name: `span ${i}` }));
  const huge = { ...span, name: "x".repeat(5000) };
  const requests = encodeTraces([...spans, huge], head, {
    ...protobuf,
    batchBytesMax: 4096,
    batchItemsMax: 40,
  });
  assertEquals(requests.batches.reduce((sum, batch) => sum + batch.items, 0), 100);
  assert(requests.batches.every((batch) => batch.body.length <= 4096));
  assertEquals(requests.leftOut.oversize, 1);
  const zero = encodeTraces(spans, head, { ...protobuf, batchItemsMax: 0 });
  assertEquals(zero.batches.length, 100);
});

Deno.test("encodeMetrics() keeps one Metric for the points that share a request", () => {
  const points = Array.from({ length: 5 }, (_, i) => ({ timeNs: TIME_NS, value: i }));
  const gauge: MetricData = { kind: "gauge", name: "g", valueType: "int", points };
  const cut = encodeMetrics([gauge, ...metrics], head, { ...protobuf, batchItemsMax: 3 });
  const names = cut.batches.map(({ body }) =>
    fromBinary(ExportMetricsServiceRequestSchema, body).resourceMetrics[0]?.scopeMetrics[0]?.metrics.map((
      one,
    ) => one.name)
  );
  assertEquals(names.slice(0, 2), [["g"], ["g", "queue.depth"]]);
  assertEquals(cut.batches.map((batch) => batch.items), [3, 3, 3, 3, 1]);
});

/** The only histogram point of these, as JSON; undefined when it was left out. */
function histogramPoint(point: Omit<HistogramPointData, "timeNs">, leftOut = NONE) {
  const all = encodeMetrics(
    [{ kind: "histogram", name: "h", temporality: "delta", points: [{ timeNs: TIME_NS, ...point }] }],
    head,
    json,
  );
  assertEquals(all.leftOut, leftOut);
  return all.batches.length === 0
    ? undefined
    : parsed(all).resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[0];
}

Deno.test("encodeMetrics() leaves out histograms whose buckets contradict themselves", () => {
  const bad: readonly Omit<HistogramPointData, "timeNs">[] = [
    { bounds: [1, 2], bucketCounts: [1, 2] },
    { bounds: [2, 1], bucketCounts: [1, 2, 3] },
    { bounds: [1, 1], bucketCounts: [1, 2, 3] },
    { bounds: [NaN], bucketCounts: [1, 2] },
    { bounds: [1], bucketCounts: [-1, 2] },
    { bounds: [1], bucketCounts: [0.5, 2] },
    { bounds: [1], bucketCounts: [1, 2], count: 4 },
    { bounds: [], bucketCounts: [] },
  ];
  for (const point of bad) assertEquals(histogramPoint(point, { ...NONE, invalid: 1 }), undefined);
});

Deno.test("encodeMetrics() says of a distribution only what it may", () => {
  const buckets = { bounds: [1], bucketCounts: [1, 1] };
  const negative = histogramPoint({ ...buckets, sum: 5, min: -1, max: 6 });
  assertEquals([negative.sum, negative.min, negative.max], [undefined, -1, 6]);
  const odd = histogramPoint({ ...buckets, sum: NaN, min: -Infinity, max: Infinity });
  assertEquals([odd.sum, odd.min, odd.max], [undefined, undefined, undefined]);
  const empty = histogramPoint({ bounds: [1], bucketCounts: [0, 0], sum: 5, min: 1, max: 2 });
  assertEquals([empty.sum, empty.min, empty.max, empty.count], [0, undefined, undefined, undefined]);
});

Deno.test("encodeMetrics() leaves out exponential histograms and summaries that break a rule", () => {
  const at = { timeNs: TIME_NS };
  const exponential = { ...at, scale: 0, zeroCount: 1 };
  const summary = { ...at, count: 1, sum: 1, quantiles: [] };
  const requests = encodeMetrics(
    [
      {
        kind: "exponentialHistogram",
        name: "e",
        temporality: "delta",
        points: [
          { ...exponential, scale: 21 },
          { ...exponential, zeroCount: -1 },
          { ...exponential, zeroThreshold: NaN },
          { ...exponential, positive: { offset: 2 ** 31, bucketCounts: [1] } },
          { ...exponential, negative: { offset: 0, bucketCounts: [-1] } },
          { ...exponential, timeNs: 0n },
        ],
      },
      {
        kind: "summary",
        name: "s",
        points: [
          { ...summary, sum: NaN },
          { ...summary, count: -1 },
          { ...summary, quantiles: [{ quantile: 1.5, value: 1 }] },
        ],
      },
      {
        kind: "gauge",
        name: "g",
        valueType: "double",
        points: [{ ...at, value: NaN }, { ...at, value: Infinity }],
      },
    ],
    head,
    protobuf,
  );
  assertEquals(requests, { batches: [], leftOut: { ...NONE, invalid: 9, nonFinite: 2 } });
});
