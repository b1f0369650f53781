/** Request bytes decoded by OpenTelemetry's own Python types: the judge that shares no code with the encoder. */
import { fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { type Point, series } from "../collectors/metric.ts";
import { type Signal, SIGNALS } from "../exporters/batch.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import { ExportMetricsServiceRequestSchema } from "../proto_gen/metrics_service_pb.ts";
import { hexIds } from "./hex_ids.ts";
import * as model from "./metrics_model.ts";
import { peerTest } from "./peers/peer.ts";
import { decodeWithPython, pythonAbsence } from "./peers/python.ts";

/** Python's JSON of a request, in the lines of the model. */
function lines(json: unknown): string[] {
  const request = fromJson(ExportMetricsServiceRequestSchema, asJson(json));
  return model.decodedLines(toBinary(ExportMetricsServiceRequestSchema, request));
}

function asJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value));
}

peerTest("encode() fresh and patched: Python decodes the values of the model", pythonAbsence(), async () => {
  const counter = series(model.descriptor("c", "counter", "int"), {
    text: "ü\ud800",
    whole: 7,
    part: 0.5,
    yes: true,
  });
  const extremes = [0, 2 ** 53, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, -1].map((value, i): Point =>
    model.point(series(model.descriptor("u", "updowncounter", "int"), { i }), value)
  );
  const points = [...model.hostPoints(), model.point(counter, 2n ** 60n + 1n), ...extremes];
  const ended: Point = { ...model.point(series(counter.descriptor, { gone: true }), 5), ended: true };
  const first = model.snapshot([...points, ended]);
  const grown = first.points.map((point) => ({ ...point, startNs: point.startNs && point.startNs + 3n }));
  const second = model.snapshot(
    grown.map((point, i) => i < 210 ? { ...point, value: i * 3 } : point),
    2n ** 62n + 1n,
  );

  const encoder = createMetricsEncoder({ naming: "semconv", encoding: "protobuf", temporality: "delta" });
  const batches = [first, second].flatMap((snapshot) => encoder.encode(model.input(snapshot), model.roomy));
  const decoded = await decodeWithPython(batches.map(({ body }) => ({ signal: "metrics", body })));
  assertEquals(decoded.length, 2);
  const wanted = [first, second].map((snapshot) => model.expectedLines(snapshot, "semconv", "delta"));
  assertEquals(decoded.map(lines), wanted.map((all) => all.map((line) => line.toWellFormed())));
  assert(JSON.stringify(decoded[0]).includes('"asInt":"9223372036854775807"'));
});

peerTest(
  "the samples of all signals: Python decodes the golden JSON from the golden bytes",
  pythonAbsence(),
  async () => {
    const golden = (signal: Signal, name: string) =>
      Deno.readTextFile(new URL(`./fixtures/otlp/${signal}.${name}`, import.meta.url));
    const bodies = await Promise.all(SIGNALS.map(async (signal) => {
      const hex = await golden(signal, "hex");
      return { signal, body: Uint8Array.fromHex(hex.replaceAll("\n", "")) };
    }));
    const decoded = await decodeWithPython(bodies);
    for (const [i, signal] of SIGNALS.entries()) {
      assertEquals(hexIds(asJson(decoded[i])), JSON.parse(await golden(signal, "json")));
    }
  },
);
