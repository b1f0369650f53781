/** What a running agent says of itself: `status`, `top --plain`, `tap`, SIGUSR1, and what happens without one. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { withAgent } from "./agent_rig.ts";
import { answer, partialSuccessJson } from "./fault_behaviours.ts";
import { inFolder, sonde } from "./program.ts";

Deno.test("status --json carries the account of every lane, collectors and omissions", async () => {
  await withAgent({}, async ({ folder, server, agent }) => {
    await server.waitFor(3);
    const { code, stdout, stderr } = await sonde(folder, ["status", "--json"]);
    assertEquals([code, stderr], [0, ""]);
    const status = JSON.parse(stdout);
    assertEquals([status.pid, status.healthy, status.intervalMs], [agent.pid, true, 300]);
    const lane = status.lanes.find((one: { signal: string }) => one.signal === "metrics");
    assert(lane.delivered > 0 && lane.produced >= lane.delivered);
    assertEquals([lane.rejected, lane.dropped, lane.breaker, lane.destination], [0, {}, "closed", "default"]);
    assertEquals(lane.spool.bytes, 0);
    assertMatch(lane.lastAccepted, /^20\d\d-.*Z$/);
    assert(status.collectors.length > 10 && Array.isArray(status.omitted));
    assertEquals(status.reaches, [new URL(server.url).host]);
  });
});

Deno.test("status --healthy says nothing while data is accepted, and ends with 77 for a refused key", async () => {
  await withAgent({}, async ({ folder }) => {
    assertEquals(await sonde(folder, ["status", "--healthy"]), { code: 0, stdout: "", stderr: "" });
  });
  await withAgent({ otherwise: answer(401) }, async ({ folder, agent }) => {
    await agent.waitFor(({ stderr }) => stderr.includes("401"));
    const ended = await sonde(folder, ["status", "--healthy"]);
    assertEquals([ended.code, ended.stdout], [77, ""]);
    assertMatch(ended.stderr, /^sonde: not healthy: metrics to default: 401 auth/);
  });
});

Deno.test("status for people names what is wrong within the terminal's words, without control characters", async () => {
  const words = "no \u001b[31msuch metric";
  await withAgent({ otherwise: partialSuccessJson(3, words) }, async ({ folder, server }) => {
    await server.waitFor(4);
    const ended = await sonde(folder, ["status"]);
    assertStringIncludes(ended.stdout, "backend says: no");
    assert(!ended.stdout.includes("\u001b"));
    assertMatch(ended.stdout, /^sonde \S+ {2}\S+ {2}up /);
  });
});

Deno.test("top in a pipe prints blocks with rates from the second on, tap decodes what leaves", async () => {
  await withAgent({}, async ({ folder, server }) => {
    await server.waitFor(2);
    const [top, tap] = await Promise.all([
      sonde(folder, ["top", "--count=2", "--interval=700ms"]),
      sonde(folder, ["tap", "--count=1", "--signal=metrics"]),
    ]);
    assertEquals([top.code, top.stderr], [0, ""]);
    assertEquals(top.stdout.match(/ITEMS\/MIN/g)?.length, 2);
    assert(!top.stdout.includes("\u001b"));
    assertEquals(tap.code, 0, tap.stderr);
    const document = JSON.parse(tap.stdout);
    assertEquals(Object.keys(document), ["resourceMetrics"]);
    assertMatch(tap.stderr, /^sonde: metrics to default: \d+ bytes, 200 accepted\n$/);
  });
});

Deno.test("SIGUSR1 makes the agent explain itself in its log", async () => {
  await withAgent({}, async ({ agent }) => {
    agent.signal("SIGUSR1");
    await agent.waitFor(({ stderr }) => stderr.includes("no permission left"));
    assertMatch(agent.stderr, /info SIGNAL\s+DESTINATION/);
  });
});

Deno.test("status, top and tap end with 69 and a next step when no agent runs", async () => {
  await inFolder(async (folder) => {
    for (const verb of ["status", "top", "tap"]) {
      const { code, stdout, stderr } = await sonde(folder, [verb]);
      assertEquals([code, stdout], [69, ""], verb);
      assertMatch(stderr, /^sonde: error: no agent answers on .*ctl.sock\nsonde: hint: Type sonde run/);
    }
  });
});
