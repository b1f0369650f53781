/**
 * F46: the real Collector takes what the library's client sends, three signals, protobuf and JSON, every kind of metric,
 * and passes it on with the content it was given and without a warning.
 * @module
 */
import { type DescMessage, equals, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { assert, assertEquals, assertNotMatch } from "@std/assert";
import { type Encoding, type Signal, SIGNALS } from "../exporters/batch.ts";
import { openOtlpClient } from "../exporters/otlp.ts";
import { ExportLogsServiceRequestSchema } from "../proto_gen/logs_service_pb.ts";
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from "../proto_gen/metrics_service_pb.ts";
import { ExportTraceServiceRequestSchema } from "../proto_gen/trace_service_pb.ts";
import { head, metrics, record, sample, span } from "./otlp_samples.ts";
import { collectorAbsence, pipelineConfig, startCollector } from "./peers/collector.ts";
import { peerTest } from "./peers/peer.ts";
import { startSink } from "./peers/sink.ts";

/** Compares two bodies as messages of one type. */
function comparer<D extends DescMessage>(
  schema: D,
  tidy: (message: MessageShape<D>) => void = () => {},
): (a: Uint8Array, b: Uint8Array) => boolean {
  const decode = (body: Uint8Array): MessageShape<D> => {
    const message = fromBinary(schema, body);
    tidy(message);
    return message;
  };
  return (a, b) => equals(schema, decode(a), decode(b));
}

/** The Collector writes the buckets that an exponential point does not have as empty ones: the same content. */
function withoutEmptyBuckets({ resourceMetrics }: ExportMetricsServiceRequest): void {
  const all = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics);
  for (const { data } of all) {
    if (data.case !== "exponentialHistogram") continue;
    for (const point of data.value.dataPoints) {
      if (point.negative?.bucketCounts.length === 0) delete point.negative;
    }
  }
}

const IS_SAME: Readonly<Record<Signal, (a: Uint8Array, b: Uint8Array) => boolean>> = {
  metrics: comparer(ExportMetricsServiceRequestSchema, withoutEmptyBuckets),
  logs: comparer(ExportLogsServiceRequestSchema),
  traces: comparer(ExportTraceServiceRequestSchema),
};

/** The sample of a signal as one protobuf body. */
function expected(signal: Signal): Uint8Array {
  const [batch] = sample(signal, { encoding: "protobuf", batchBytesMax: 1e6, batchItemsMax: 1e6 }).batches;
  assert(batch !== undefined);
  return batch.body;
}

for (const encoding of ["protobuf", "json"] as const satisfies readonly Encoding[]) {
  peerTest(
    `F46: the Collector takes metrics, logs and traces of the library in ${encoding}, and says the same`,
    collectorAbsence,
    async () => {
      const sink = startSink();
      const collector = await startCollector({ config: pipelineConfig({ sink: sink.url }) });
      try {
        const client = await openOtlpClient({ endpoint: collector.endpoint, encoding, ...head });
        client.metrics.add(...metrics);
        client.logs.add(record);
        client.traces.add(span);
        assert(await client.shutdown());
        assertEquals(client.report().map(({ rejected, dropped }) => [rejected, dropped]), [[0, {}], [0, {}], [
          0,
          {},
        ]]);
        const requests = await sink.received(3);
        for (const signal of SIGNALS) {
          const request = requests.find(({ path }) => path === `/v1/${signal}`);
          assert(request !== undefined, signal);
          assert(IS_SAME[signal](request.body, expected(signal)), `${signal} differ`);
        }
        assertNotMatch(collector.log(), /\t(warn|error)\t/);
      } finally {
        await collector.stop();
        await sink.stop();
      }
    },
  );
}
