/** Real senders and a real judge at the receiver: the Collector, OpenTelemetry's Python SDK, Python's strict decoder. */
import { assertEquals } from "@std/assert";
import type { Encoding, Signal } from "../exporters/batch.ts";
import { scanRequest } from "../exporters/received_scan.ts";
import { ResourceCompletion } from "../exporters/received_resource.ts";
import { joined } from "../exporters/received_wire.ts";
import { collectorAbsence, pipelineConfig, startCollector } from "./peers/collector.ts";
import { peerTest } from "./peers/peer.ts";
import { decodeWithPython, pythonAbsence, type PythonRequest, sendWithPython } from "./peers/python.ts";
import { mutations } from "./received_mutations.ts";
import { logs, metrics, readLogs, readMetrics, readSpans, spans } from "./received_samples.ts";
import { HOST, Rig } from "./receiver_rig.ts";

const SAMPLES = { logs: logs(20), traces: spans(20), metrics: metrics(2) };

const READ: Readonly<Record<Signal, (bytes: Uint8Array) => unknown>> = {
  logs: readLogs,
  traces: readSpans,
  metrics: readMetrics,
};

for (const encoding of ["protobuf", "json"] as const satisfies readonly Encoding[]) {
  peerTest(
    `the Collector sends ${encoding} to the receiver, which forwards it completed`,
    collectorAbsence,
    async () => {
      await using rig = new Rig();
      const options = {
        sink: `http://127.0.0.1:${rig.port}`,
        encoding: encoding === "json" ? "json" : "proto",
      } as const;
      const collector = await startCollector({ config: pipelineConfig(options) });
      try {
        const completion = new ResourceCompletion(HOST);
        for (const signal of ["logs", "traces", "metrics"] as const) {
          const response = await fetch(`${collector.endpoint}/v1/${signal}`, {
            method: "POST",
            headers: { "content-type": "application/x-protobuf" },
            body: SAMPLES[signal],
          });
          assertEquals(response.status, 200);
          await response.body?.cancel();
          rig.intake.sendAll();
          const sent = rig.batches.at(-1);
          assertEquals(sent?.headers[0]?.signal, signal);
          assertEquals(
            READ[signal](sent?.body ?? new Uint8Array()),
            READ[signal](joined(completion.complete(SAMPLES[signal]))),
          );
        }
        assertEquals(rig.report().requests, { "200": 3 });
      } finally {
        await collector.stop();
      }
    },
  );
}

peerTest(
  "OpenTelemetry's Python SDK sends all three signals without complaint",
  pythonAbsence(),
  async () => {
    await using rig = new Rig();
    assertEquals(await sendWithPython(`http://127.0.0.1:${rig.port}`, 100), "");
    rig.intake.sendAll();
    // A point per attribute set of the counter, one of the histogram.
    assertEquals(rig.report().received, { metrics: 101, logs: 100, traces: 100 });
    assertEquals(rig.report().refused, {});
    const trace = rig.batches.find((it) => it.headers[0]?.signal === "traces");
    const keys = readSpans(trace?.body ?? new Uint8Array()).resourceSpans[0]?.resource?.attributes.map((it) =>
      it.key
    );
    assertEquals(keys?.filter((key) => key in HOST || key === "service.name"), [
      "service.name",
      ...Object.keys(HOST),
    ]);
  },
);

peerTest(
  "what scanRequest() passes of 3,000 mutations, Python's strict decoder takes",
  pythonAbsence(),
  async () => {
    const completion = new ResourceCompletion(HOST);
    const passed: PythonRequest[] = [];
    for (
      const [signal, sample] of [["logs", logs(1)], ["traces", spans(1)], ["metrics", metrics(1)]] as const
    ) {
      for (const bytes of mutations(sample, { count: 1_000, seed: 1 })) {
        try {
          scanRequest(bytes, signal);
          passed.push({ signal, body: joined(completion.complete(bytes)) });
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
        }
      }
    }
    assertEquals((await decodeWithPython(passed)).length, passed.length);
    assertEquals(passed.length > 300, true);
  },
);
