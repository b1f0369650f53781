/**
 * The real OpenTelemetry Collector as judge of our bytes: what it passes on through its own exporter equals what was
 * encoded, without a warning in its log (otlp F46), and its authenticator lets in only the right token.
 * @module
 */
import { assert, assertEquals, assertNotMatch, assertStrictEquals } from "@std/assert";
import type { Point } from "../collectors/metric.ts";
import type { Encoding } from "../exporters/batch.ts";
import { compress } from "../exporters/gzip.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import type { Outcome } from "../exporters/outcome.ts";
import { createPoster, openTransport } from "../exporters/post.ts";
import { laneTo, realClock } from "./lane_fixture.ts";
import { descriptor, hostPoints, input, point, roomy, snapshot } from "./metrics_model.ts";
import { type Collector, collectorAbsence, pipelineConfig, startCollector } from "./peers/collector.ts";
import { decodeExport, decodeExportJson, isSameExport } from "./peers/decode.ts";
import { peerTest } from "./peers/peer.ts";
import { type Sink, startSink } from "./peers/sink.ts";

/** Runs `use` with a Collector that passes everything on to a sink, and ends both. */
async function withCollector(
  options: { token?: string; encoding?: "proto" | "json" },
  use: (collector: Collector, sink: Sink) => Promise<void>,
): Promise<void> {
  const sink = startSink();
  try {
    const collector = await startCollector({ config: pipelineConfig({ sink: sink.url, ...options }) });
    try {
      await use(collector, sink);
    } finally {
      await collector.stop();
    }
  } finally {
    await sink.stop();
  }
}

function encode(points: readonly Point[], encoding: Encoding): Uint8Array<ArrayBuffer> {
  const encoder = createMetricsEncoder({ naming: "semconv", encoding });
  const [encoded, ...others] = encoder.encode(input(snapshot(points)), roomy);
  assert(encoded !== undefined && others.length === 0);
  return encoded.body;
}

async function post(
  collector: Collector,
  body: Uint8Array<ArrayBuffer>,
  changes: Partial<LaneConfig> = {},
): Promise<Outcome> {
  const lane = laneTo(collector.endpoint, changes);
  const transport = await openTransport(lane.transport, lane.url);
  try {
    const poster = createPoster(lane, { product: "sonde/1.2.3", transport, clock: realClock });
    return await poster.post(await compress(body), new AbortController().signal);
  } finally {
    transport.close();
  }
}

/** Values, names and attributes at the edges of what the data model can hold. */
function edgePoints(): Point[] {
  const counter = descriptor("system.edge.count", "counter", "int");
  const ratio = descriptor("system.edge.ratio", "gauge", "double");
  const attributes = { "empty": "", "text": 'ü 漢 \u{1F600} " \\ \n', "yes": true, "whole": -7, "part": 0.1 };
  return [
    point({ descriptor: counter, attributes }, 2n ** 63n - 1n),
    point({ descriptor: counter, attributes: { "system.device": "sdb" } }, 0),
    point({ descriptor: ratio, attributes: {} }, 5e-324),
    point({ descriptor: ratio, attributes: { "cpu.mode": "user" } }, -1.7976931348623157e308),
    { ...point({ descriptor: counter, attributes: { "system.device": "gone" } }, 0), ended: true },
  ];
}

const accepted: Outcome["kind"] = "accepted";

for (const [title, points] of [["a host's points", hostPoints()], ["edge values", edgePoints()]] as const) {
  peerTest(
    `the Collector passes on protobuf of ${title} equal`,
    collectorAbsence,
    () =>
      withCollector({}, async (collector, sink) => {
        const body = encode(points, "protobuf");
        const outcome = await post(collector, body);
        assertStrictEquals(outcome.kind, accepted, JSON.stringify(outcome));
        const [request] = await sink.received(1);
        assertStrictEquals(request?.path, "/v1/metrics");
        assert(isSameExport(decodeExport(request.body), decodeExport(body)));
        assertNotMatch(collector.log(), /\t(warn|error)\t/);
      }),
  );

  peerTest(
    `the Collector reads JSON of ${title} as the same data`,
    collectorAbsence,
    () =>
      withCollector({}, async (collector, sink) => {
        const outcome = await post(collector, encode(points, "json"), { encoding: "json" });
        assertStrictEquals(outcome.kind, accepted, JSON.stringify(outcome));
        const [request] = await sink.received(1);
        assert(request !== undefined);
        assert(isSameExport(decodeExport(request.body), decodeExport(encode(points, "protobuf"))));
      }),
  );
}

peerTest(
  "the Collector's own JSON decodes to what our protobuf said",
  collectorAbsence,
  () =>
    withCollector({ encoding: "json" }, async (collector, sink) => {
      const body = encode(hostPoints(), "protobuf");
      await post(collector, body);
      const [request] = await sink.received(1);
      assert(request !== undefined);
      assert(isSameExport(decodeExportJson(request.body), decodeExport(body)));
    }),
);

peerTest(
  "heka 15 rows 57, 58, 59 (kept): the Collector's authenticator lets in the token and nothing else",
  collectorAbsence,
  () =>
    withCollector({ token: "right" }, async (collector, sink) => {
      const body = encode(hostPoints(), "protobuf");
      const outcomes: Outcome[] = [];
      for (const headers of [{ authorization: "Bearer right" }, { authorization: "Bearer wrong" }, {}]) {
        outcomes.push(await post(collector, body, { headers }));
      }
      assertEquals(outcomes.map(({ kind }) => kind), ["accepted", "refused", "refused"]);
      // Refused is never tried again with the same headers: the destination is at fault, the batch is kept.
      for (const outcome of outcomes.slice(1)) {
        assert(outcome.kind === "refused");
        assertEquals([outcome.class, outcome.status, outcome.cause], ["destination", 401, "auth"]);
      }
      assertStrictEquals(sink.requests.length, 1);
    }),
);
