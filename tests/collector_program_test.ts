/**
 * The whole program against a real Collector: what sonde collected and sent is what the Collector passes on, the same
 * bytes going to a recording server beside it; and a token is needed where the Collector asks for one.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { plainBody } from "./decoded.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { type Collector, collectorAbsence, pipelineConfig, startCollector } from "./peers/collector.ts";
import { decodeExport, isSameExport } from "./peers/decode.ts";
import { peerTest } from "./peers/peer.ts";
import { type Sink, startSink } from "./peers/sink.ts";
import { inFolder, Program, sonde } from "./program.ts";

async function withCollector(
  token: string | undefined,
  use: (collector: Collector, sink: Sink) => Promise<void>,
) {
  const sink = startSink();
  try {
    const options = token === undefined ? {} : { token };
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

peerTest("run: a real Collector passes on every cycle equal to what was sent", collectorAbsence, async () => {
  await withCollector(undefined, async (collector, sink) => {
    await using server = new FaultServer(ok);
    await inFolder(async (folder) => {
      const env = {
        SONDE_DESTINATIONS: "real,recorded",
        SONDE_REAL_ENDPOINT: collector.endpoint,
        SONDE_RECORDED_ENDPOINT: server.url,
      };
      const program = new Program(folder, ["run", "--interval=500ms"], { env });
      await server.waitFor(3);
      const passed = await sink.received(3);
      program.signal("SIGTERM");
      const { code, stderr } = await program.finish();
      assertEquals(code, 0, stderr);
      for (const [at, { body }] of passed.slice(0, 3).entries()) {
        const sent = server.requests[at];
        assert(sent !== undefined);
        assert(isSameExport(decodeExport(body), decodeExport(await plainBody(sent))), `cycle ${at} differs`);
      }
    });
  });
});

peerTest("once: OTEL_EXPORTER_OTLP_ENDPOINT alone fills a real Collector", collectorAbsence, async () => {
  await withCollector(undefined, async (collector, sink) => {
    await inFolder(async (folder) => {
      const { code, stderr } = await sonde(folder, ["once"], {
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
      });
      assertEquals(code, 0, stderr);
      const [passed] = await sink.received(1);
      assert(passed !== undefined);
      const names = decodeExport(passed.body).resourceMetrics
        .flatMap((resource) => resource.scopeMetrics).flatMap((scope) => scope.metrics).map(({ name }) =>
          name
        );
      assert(names.includes("system.cpu.time"));
    });
  });
});

peerTest(
  "once: a Collector's bearer token is sent when set, and 401 without it is 77, once",
  collectorAbsence,
  async () => {
    await withCollector("let-me-in", async (collector, sink) => {
      await inFolder(async (folder) => {
        const endpoint = ["--endpoint", collector.endpoint];
        const refused = await sonde(folder, ["once", ...endpoint]);
        assertEquals(refused.code, 77, refused.stderr);
        assertMatch(refused.stderr, /401/);
        const env = { OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20let-me-in" };
        const accepted = await sonde(folder, ["once", ...endpoint], { env });
        assertEquals(accepted.code, 0, accepted.stderr);
        assertEquals((await sink.received(1)).length, 1);
      });
    });
  },
);
