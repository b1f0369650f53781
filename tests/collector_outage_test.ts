/**
 * A real Collector with memory limits as the backend, and a restart in the middle: what it refuses or misses comes
 * again, and every cycle passes through it (F46; otlp 4.4). Real processes, real time.
 * @module
 */
import { assert, assertEquals, assertNotMatch, assertStrictEquals } from "@std/assert";
import { decodeMetrics } from "./decoded.ts";
import { collectorAbsence, pipelineConfig, startCollector } from "./peers/collector.ts";
import { peerTest } from "./peers/peer.ts";
import { type Sink, startSink } from "./peers/sink.ts";
import { inFolder, Program } from "./program.ts";

const INTERVAL_MS = 200;

/** The usual pipeline behind a memory limiter; `address` overrides the port it was given. */
function limited(sink: string, address?: string): (listen: string) => string {
  const usual = pipelineConfig({ sink });
  return (listen) =>
    usual(address ?? listen)
      .replace(
        "exporters:\n",
        "processors:\n  memory_limiter: { check_interval: 100ms, limit_mib: 200 }\nexporters:\n",
      )
      .replaceAll("receivers: [otlp],", "receivers: [otlp], processors: [memory_limiter],");
}

async function timesIn({ requests }: Sink): Promise<number[]> {
  const times: number[] = [];
  for (const { body } of requests) {
    const { points } = await decodeMetrics({ headers: {}, body });
    times.push(...new Set(points.map(({ timeNs }) => Number(timeNs / 1_000_000n))));
  }
  return times;
}

peerTest(
  "F46: a Collector with memory limits that restarts in the middle gets every cycle",
  collectorAbsence,
  () =>
    inFolder(async (folder) => {
      const sink = startSink();
      const first = await startCollector({ config: limited(sink.url) });
      const { host } = new URL(first.endpoint);
      let collector = first;
      try {
        await using agent = new Program(folder, [
          "run",
          `--interval=${INTERVAL_MS}ms`,
          "--endpoint",
          first.endpoint,
        ]);
        await sink.received(5);
        await first.stop();
        await agent.waitFor(({ stderr }) => stderr.includes("delivery failing"));
        const before = sink.requests.length;
        collector = await startCollector({ config: limited(sink.url, host) });
        await sink.received(before + 10, 30_000);
        await agent.waitFor(({ stderr }) => stderr.includes("delivery resumed"), 60_000);
        agent.signal("SIGTERM");
        assertStrictEquals((await agent.finish()).code, 0);
        const times = await timesIn(sink);
        const turns = times.map((time) => Math.round((time - (times[0] ?? 0)) / INTERVAL_MS));
        // In order, and a cycle that the first Collector passed on without an answer may have come twice (otlp R15).
        const distinct = [...new Set(turns)];
        assertEquals(distinct, distinct.map((_, at) => at));
        assert(turns.length - distinct.length <= 1, `${turns.length - distinct.length} cycles came twice`);
        assertNotMatch(collector.log(), /\t(warn|error)\t/);
      } finally {
        await collector.stop().catch(() => {});
        await sink.stop();
      }
    }),
);
