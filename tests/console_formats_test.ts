/** Prometheus text, the JSON document, OTLP/JSON and the dump of a request's bytes. */
import { create, fromJsonString, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type Point, series } from "../collectors/metric.ts";
import { jsonDocument, otlpJson } from "../exporters/console_json.ts";
import { prometheusText } from "../exporters/console_prometheus.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import { dumpRequest } from "../exporters/otlp_dump.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";
import { ExportTraceServiceRequestSchema } from "../proto_gen/trace_service_pb.ts";
import * as model from "./metrics_model.ts";
import { namingSeries } from "./naming_snapshot.ts";
import { parsePrometheus } from "./prometheus_parser.ts";

const everything = model.input(model.snapshot(namingSeries.map((one, i) => model.point(one, i))));

function prometheus(points: readonly Point[]): string {
  return prometheusText(model.input(model.snapshot(points)), "semconv");
}

for (const naming of ["semconv", "collector", "dup"] as const) {
  Deno.test(`prometheusText() in ${naming} naming passes a strict parser and leaves nothing out`, () => {
    const text = prometheusText(everything, naming);
    parsePrometheus(text);
    assertEquals(text.includes("# left out"), false);
  });
}

Deno.test("prometheusText() names families by OpenTelemetry's rules", () => {
  const cases = [
    ["system.cpu.time", "s", "counter", "system_cpu_time_seconds_total"],
    ["system.memory.usage", "By", "updowncounter", "system_memory_usage_bytes"],
    ["system.memory.utilization", "1", "gauge", "system_memory_utilization_ratio"],
    ["some.thing", "1", "counter", "some_thing_total"],
    ["system.cpu.linux.pressure.total", "s", "counter", "system_cpu_linux_pressure_seconds_total"],
    ["system.process.created", "{process}", "counter", "system_process_created_total"],
    ["hw.network.bandwidth.limit", "By/s", "updowncounter", "hw_network_bandwidth_limit_bytes_per_second"],
    ["system.cpu.load_average.1m", "{thread}", "gauge", "system_cpu_load_average_1m"],
    ["disk.seconds", "s", "gauge", "disk_seconds"],
    ["9lives-of.a__cat", "{packet}/min", "gauge", "_9lives_of_a_cat_per_minute"],
    ["hw.temperature", "Cel", "gauge", "hw_temperature_celsius"],
    ["battery", "%", "gauge", "battery_percent"],
  ] as const;
  for (const [name, unit, kind, wanted] of cases) {
    const one = series({ ...model.descriptor(name, kind, "int"), unit });
    const families = parsePrometheus(prometheus([model.point(one, 1)]));
    assertEquals([...families.keys()], ["target_info", wanted]);
    assertEquals(families.get(wanted)?.type, kind === "counter" ? "counter" : "gauge");
  }
});

Deno.test("prometheusText() escapes help and label values", () => {
  const about = { ...model.descriptor("n", "gauge", "int"), description: 'a\\b\n"c"' };
  const families = parsePrometheus(prometheus([model.point(series(about, { path: 'x\\y\n"z"\\n' }), 1)]));
  assertEquals(families.get("n_bytes")?.help, 'a\\\\b\\n"c"');
  assertEquals(families.get("n_bytes")?.samples[0]?.labels, { path: 'x\\y\n"z"\\n' });
});

Deno.test("prometheusText() joins values of keys that become one label, once each", () => {
  const about = model.descriptor("n", "gauge", "int");
  const one = series(about, { "a.b": "x", "a-b": "y", "a_b": "x", "7": 1, "__name__": "q" });
  const [sample] = parsePrometheus(prometheus([model.point(one, 1)])).get("n_bytes")?.samples ?? [];
  assertEquals(sample?.labels, { a_b: "y;x", key_7: "1", _name_: "q" });
});

Deno.test("prometheusText() names what would repeat a series or contradict a type", () => {
  const text = prometheus([
    model.point(series(model.descriptor("a.b", "gauge", "int")), 1),
    model.point(series(model.descriptor("a_b", "gauge", "int")), 2),
    model.point(series(model.descriptor("c", "counter", "int")), 3),
    model.point(series(model.descriptor("c.bytes.total", "gauge", "int"), { x: 1 }), 4),
  ]);
  assertEquals(parsePrometheus(text).get("a_b_bytes")?.samples, [{ labels: {}, value: "1" }]);
  assert(text.includes("# left out: a_b "));
});

Deno.test("prometheusText() writes integers exactly and leaves out ended and non-finite points", () => {
  const about = model.descriptor("n", "gauge", "int");
  const values = [18446744073709551615n, 1e21, -0.5, NaN, Infinity];
  const points: Point[] = values.map((value, i) => model.point(series(about, { i }), value));
  points.push({ ...model.point(series(about, { i: 9 }), 1), ended: true });
  const samples = parsePrometheus(prometheus(points)).get("n_bytes")?.samples;
  assertEquals(samples?.map((sample) => sample.value), ["18446744073709551615", "1e+21", "-0.5"]);
});

Deno.test("prometheusText() passes the strict parser whatever names and attributes say", () => {
  const key = fc.string({ unit: "grapheme", maxLength: 8 });
  const attributes = fc.dictionary(key, fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.boolean()));
  const one = fc.record({ name: key, unit: key, description: key, attributes, monotonic: fc.boolean() });
  fc.assert(
    fc.property(fc.array(one), (all) => {
      const points = all.map(({ name, unit, description, attributes, monotonic }) => {
        const about = model.descriptor(name, monotonic ? "counter" : "gauge", "int");
        return model.point(series({ ...about, unit, description }, attributes), 1);
      });
      parsePrometheus(prometheus(points));
    }),
    { seed: 5, numRuns: 500 },
  );
});

Deno.test("jsonDocument() gives the document of the contract", () => {
  const counter = series(model.descriptor("c", "counter", "int"), { a: "x", n: 1, b: true });
  const points = [
    model.point(counter, 2n ** 60n),
    model.point(series(model.descriptor("g", "gauge", "double")), 0.5),
  ];
  const snapshot = { ...model.snapshot(points), omitted: [{ what: "swap", why: "none" }] };
  const text = jsonDocument(model.input(snapshot), "semconv");
  assertEquals(JSON.parse(text), {
    resource: model.resource,
    points: [
      {
        name: "c",
        unit: "By",
        type: "sum",
        monotonic: true,
        temporality: "cumulative",
        startTimeUnixNano: model.BOOT_NS.toString(),
        timeUnixNano: model.TIME_NS.toString(),
        attributes: { a: "x", n: 1, b: true },
        value: "1152921504606846976",
      },
      {
        name: "g",
        unit: "By",
        type: "gauge",
        timeUnixNano: model.TIME_NS.toString(),
        attributes: {},
        value: 0.5,
      },
    ],
    omitted: [{ what: "swap", why: "none" }],
  });
  assertEquals(text.split("\n").length, 9);
});

Deno.test("jsonDocument() writes numbers where they are exact and text where not", () => {
  const about = model.descriptor("c", "updowncounter", "int");
  const values = [0, -5, 7n, 2 ** 53 - 1, 2n ** 53n, 2 ** 53, 0.1, NaN];
  const points = values.map((value, i) => model.point(series(about, { i }), value));
  const document = JSON.parse(jsonDocument(model.input(model.snapshot(points)), "semconv"));
  assertEquals(
    document.points.map((one: { value: unknown }) => one.value),
    [0, -5, 7, 9007199254740991, "9007199254740992", "9007199254740992", 0.1],
  );
});

Deno.test("jsonDocument() is one valid document when nothing was measured", () => {
  const empty = JSON.parse(jsonDocument(model.input(model.snapshot([])), "dup"));
  assertEquals([empty.points, empty.omitted], [[], []]);
});

Deno.test("otlpJson() and dumpRequest() print the same request", () => {
  const [batch] = createMetricsEncoder({ naming: "dup", encoding: "protobuf" }).encode(
    everything,
    model.roomy,
  );
  assert(batch !== undefined);
  const dumped = dumpRequest(batch.body, "metrics", "protobuf");
  const [own, theirs] = [otlpJson(everything, "dup"), dumped].map((text) =>
    model.decodedLines(
      toBinary(ExportMetricsServiceRequestSchema, fromJsonString(ExportMetricsServiceRequestSchema, text)),
    )
  );
  assertEquals(own, theirs);
  assert(dumped.includes('"aggregationTemporality":2'));
  assertEquals(otlpJson(model.input(model.snapshot([])), "semconv"), "{}\n");
});

Deno.test("dumpRequest() writes ids in hex and other bytes in base64", () => {
  const id = Uint8Array.from({ length: 16 }, (_, i) => i);
  const value = { value: { case: "bytesValue" as const, value: id } };
  const span = { traceId: id, spanId: id.slice(0, 8), attributes: [{ key: "traceId", value }] };
  const request = create(ExportTraceServiceRequestSchema, {
    resourceSpans: [{ scopeSpans: [{ spans: [span] }] }],
  });
  const body = toBinary(ExportTraceServiceRequestSchema, request);
  const dumped = JSON.parse(dumpRequest(body, "traces", "protobuf")).resourceSpans[0].scopeSpans[0].spans[0];
  assertEquals([dumped.traceId, dumped.spanId], [id.toHex(), id.slice(0, 8).toHex()]);
  assertEquals(dumped.attributes[0].value.bytesValue, id.toBase64());
});

Deno.test("dumpRequest() throws SyntaxError for bytes that are no request", () => {
  for (const encoding of ["protobuf", "json"] as const) {
    const body = new TextEncoder().encode("<html>");
    assertThrows(() => dumpRequest(body, "logs", encoding), SyntaxError, "expected a logs request");
  }
});
