/**
 * Several destinations at once (issue 6.6): each has its own lane, health and spool, and one that swallows everything
 * never delays another. With the program as a process.
 */
import { assert, assertEquals } from "@std/assert";
import { hang, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { judged, metricsOf } from "./backend_request.ts";
import { seriesOf } from "./backend_series.ts";
import { inFolder, Program, sonde } from "./program.ts";

const KEY = "0123456789abcdef0123456789abcdef";

function destinations(good: string, dead: string): Record<string, string> {
  return {
    SONDE_DESTINATIONS: "good,dead",
    SONDE_GOOD_PRESET: "prometheus",
    SONDE_GOOD_ENDPOINT: good,
    SONDE_DEAD_PRESET: "datadog_native",
    SONDE_DEAD_REGION: "datadoghq.eu",
    SONDE_DEAD_API_KEY: KEY,
    SONDE_DEAD_ENDPOINT: dead,
    SONDE_INTERVAL: "1s",
    SONDE_TIMEOUT: "5s",
  };
}

Deno.test("run: a destination that swallows everything does not delay another", async () => {
  await using good = new FaultServer(ok);
  await using dead = new FaultServer(hang);
  await inFolder(async (folder) => {
    await using program = new Program(folder, ["run"], { env: destinations(good.url, dead.url) });
    await good.waitFor(7, 15_000);
    program.signal("SIGTERM");
    const { code, stderr } = await program.finish();
    assertEquals(code, 0, stderr);
    assertEquals(dead.requests.length <= 2, true, `${dead.requests.length} requests`);
    // The healthy lane keeps its second; the first cycle may come while the machine is busy with the start.
    const gaps = good.requests.slice(2).map(({ arrivedMs }, at) =>
      arrivedMs - (good.requests[at + 1]?.arrivedMs ?? 0)
    );
    assert(gaps.every((gap) => gap < 3_000), gaps.join());
    const folders = [...Deno.readDirSync(`${folder}/state/spool`)].filter(({ isDirectory }) => isDirectory);
    const kept = folders.filter(({ name }) =>
      [...Deno.readDirSync(`${folder}/state/spool/${name}`)].some((file) => file.isFile)
    );
    assert(kept.length >= 1, "the dead destination's batches are on disk");
  });
});

Deno.test("once: each destination gets its own form of the same cycle, and its own health", async () => {
  await using good = new FaultServer(ok);
  await using dead = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = { ...destinations(good.url, dead.url), SONDE_SHUTDOWN_TIMEOUT: "1s" };
    const first = await sonde(folder, ["once"], { env });
    assertEquals(first.code, 0, first.stderr);
    dead.otherwise = hang;
    const second = await sonde(folder, ["once"], { env });
    assertEquals(second.code, 75, second.stderr);
    assert(/metrics to dead: \d+ items kept in the spool/.test(second.stderr), second.stderr);
    assert(!second.stderr.includes("to good"), second.stderr);
    dead.otherwise = ok;
    const third = await sonde(folder, ["once"], { env });
    assertEquals(third.code, 0, third.stderr);
  });
  assertEquals(good.requests.map(({ path }) => path), Array(3).fill("/api/v1/otlp/v1/metrics"));
  const taken = await Promise.all(dead.requests.map(judged));
  const counts = taken.map((request) => seriesOf(request).filter(({ type }) => type === 1).length);
  // First cycle: no counts yet. Then the one that hung, again, and the third's own.
  assertEquals(dead.requests.map(({ path }) => path), Array(4).fill("/api/v2/series"));
  assertEquals([counts[0], counts[1] === counts[2], (counts[3] ?? 0) > 0], [0, true, true]);
  assert(metricsOf(await judged(good.requests[0] ?? raise())).length > 20);
});

function raise(): never {
  throw new Error("no request");
}
