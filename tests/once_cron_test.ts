/** `once` as cron runs it: silent when all is well, several at a time, increments that meet and never overlap. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { readRequest } from "./otlp_json.ts";
import { inFolder, sonde } from "./program.ts";

const DELTA = {
  SONDE_PROTOCOL: "http/json",
  SONDE_TEMPORALITY: "delta",
  SONDE_COLLECTORS: "-process",
} as const;

Deno.test("once -q prints nothing when all is well, and what is wrong all the same", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const args = ["once", "-q", "--spool-ok", "--jitter", "1ms", "--endpoint", server.url];
    assertEquals(await sonde(folder, args), { code: 0, stdout: "", stderr: "" });
    server.otherwise = answer(403);
    const refused = await sonde(folder, args);
    assertEquals([refused.code, refused.stdout], [77, ""]);
    assertMatch(refused.stderr, /403.*\nsonde: hint: Type sonde doctor/);
  });
});

interface Span {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

/** Intervals of one counter, by when they begin. */
async function intervalsOf(server: FaultServer): Promise<Span[]> {
  const requests = await Promise.all(server.requests.map((request) => readRequest(request)));
  return requests.flatMap(({ metrics }) => metrics.filter(({ name }) => name === "system.cpu.time"))
    .flatMap(({ sum }) => sum.dataPoints.slice(0, 1))
    .map(({ startTimeUnixNano, timeUnixNano }) => ({
      fromNs: BigInt(startTimeUnixNano),
      toNs: BigInt(timeUnixNano),
    }))
    .sort((a, b) => a.fromNs < b.fromNs ? -1 : 1);
}

Deno.test("once: several at the same time deliver all, and increments never overlap", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const once = () => sonde(folder, ["once", "--endpoint", server.url], { env: DELTA });
    await once();
    for (let round = 0; round < 2; round++) {
      const ended = await Promise.all([once(), once(), once()]);
      for (const { code, stderr } of ended) assertEquals(code, 0, stderr);
    }
    await once();
  });
  const intervals = await intervalsOf(server);
  assert(intervals.length >= 2, `${intervals.length} intervals`);
  for (const [n, { fromNs, toNs }] of intervals.entries()) {
    assert(fromNs < toNs);
    const before = intervals[n - 1];
    if (before !== undefined) assertEquals(fromNs, before.toNs, "one begins where the other ended");
  }
});

Deno.test("once -v logs logfmt with the time, without it under a journal, and JSON by switch", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const logged = async (args: readonly string[], env: Record<string, string> = {}) => {
      const line = ["once", "-v", "--endpoint", server.url, ...args];
      const { stderr } = await sonde(folder, line, { env });
      return stderr.split("\n").find((text) => text.includes("once ended")) ?? stderr;
    };
    assertMatch(await logged([]), /^20\d\d-\d\d-\d\dT[\d:.]+Z info "?once ended"? delivered=\d+ code=0$/);
    assertMatch(await logged([], { JOURNAL_STREAM: "8:42" }), /^info "?once ended"? delivered=\d+ code=0$/);
    const { event, level, time, code } = JSON.parse(await logged(["--log-format", "json"]));
    assertEquals([event, level, code, typeof time], ["once ended", "info", 0, "string"]);
  });
});
