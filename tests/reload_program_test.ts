/** SIGHUP and `SONDE_LISTEN` on a running agent: what changes live, what asks for a restart, what is refused. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { KEYS } from "../config/keys.ts";
import { type AgentRig, withAgent } from "./agent_rig.ts";
import { decodeMetrics } from "./decoded.ts";
import { sonde } from "./program.ts";

function rewrite({ folder, server }: AgentRig, text: string): void {
  const path = `${folder}/sonde.env`;
  Deno.writeTextFileSync(`${path}.new`, text.replaceAll("{url}", server.url), { mode: 0o600 });
  Deno.renameSync(`${path}.new`, path);
}

Deno.test("SIGHUP applies a live key and says which", async () => {
  await withAgent({}, async (rig) => {
    rewrite(rig, "SONDE_ENDPOINT={url}\nSONDE_INTERVAL=900ms\nSONDE_METRICS=-system.network.*\n");
    rig.agent.signal("SIGHUP");
    await rig.agent.waitFor(({ stderr }) => stderr.includes("configuration applied"));
    assertMatch(rig.agent.stderr, /configuration applied keys="SONDE_INTERVAL SONDE_METRICS"/);
    const { stdout } = await sonde(rig.folder, ["status", "--json"]);
    assertEquals(JSON.parse(stdout).intervalMs, 900);
  });
});

/** Another value for every key that the table calls live. */
const LIVE: Readonly<Record<string, string>> = {
  SONDE_INTERVAL: "900ms",
  SONDE_COLLECTORS: "-uptime",
  SONDE_METRICS: "-system.network.*",
  SONDE_NAMING: "collector",
  SONDE_PER_CPU: "true",
  SONDE_DISK_EXCLUDE: "x*",
  SONDE_NETWORK_EXCLUDE: "x*",
  SONDE_FILESYSTEM_EXCLUDE: "/x",
  SONDE_FILESYSTEM_TYPES: "tmpfs",
  SONDE_LOG_LEVEL: "debug",
  SONDE_OPAMP_POLL_INTERVAL: "7s",
};

Deno.test("SIGHUP applies every key that is said to take effect without a restart", async () => {
  const names = KEYS.filter(({ live }) => live === true).map(({ name }) => name);
  assertEquals(Object.keys(LIVE).sort(), names.sort());
  await withAgent({}, async (rig) => {
    const lines = Object.entries(LIVE).map(([name, value]) => `${name}=${value}`);
    rewrite(rig, ["SONDE_ENDPOINT={url}", ...lines, ""].join("\n"));
    rig.agent.signal("SIGHUP");
    await rig.agent.waitFor(({ stderr }) => /configuration (applied|refused|needs)/.test(stderr));
    const [, keys = ""] = /configuration applied keys="([^"]*)"/.exec(rig.agent.stderr) ?? [];
    assertEquals(keys.split(" ").sort(), names.sort());
  });
});

Deno.test("SIGHUP with another naming changes the names of metrics, deltas going on where they stood", async () => {
  const file = "SONDE_ENDPOINT={url}\nSONDE_INTERVAL=300ms\nSONDE_TEMPORALITY=delta\n";
  await withAgent({ file }, async (rig) => {
    rewrite(rig, `${file}SONDE_NAMING=collector\n`);
    rig.agent.signal("SIGHUP");
    await rig.agent.waitFor(({ stderr }) => stderr.includes("configuration applied"));
    await rig.server.waitFor(rig.server.requests.length + 3);
    const decoded = await Promise.all(rig.server.requests.map(decodeMetrics));
    const states = decoded.map(({ points }) =>
      points.some(({ name, attributes }) => name === "system.memory.usage" && "state" in attributes)
    );
    assertEquals([states[0], states.at(-1)], [false, true]);
    const switches = decoded.flatMap(({ points }) =>
      points.filter(({ name }) => name.endsWith("context_switches"))
    );
    assertEquals(switches.length, decoded.length - 1, "the first look at a counter is no interval yet");
    for (const [at, point] of switches.slice(1).entries()) assertEquals(point.startNs, switches[at]?.timeNs);
  });
});

Deno.test("SIGHUP renews a rotated key without a restart, and never shows it", async () => {
  await withAgent(
    { file: "SONDE_ENDPOINT={url}\nSONDE_INTERVAL=300ms\nSONDE_HEADERS=x-k=one-secret\n" },
    async (rig) => {
      rewrite(rig, "SONDE_ENDPOINT={url}\nSONDE_INTERVAL=300ms\nSONDE_HEADERS=x-k=two-secret\n");
      rig.agent.signal("SIGHUP");
      await rig.agent.waitFor(({ stderr }) => stderr.includes("configuration applied"));
      const before = rig.server.requests.length;
      await rig.server.waitFor(before + 2);
      assertEquals(rig.server.requests.at(-1)?.headers["x-k"], "two-secret");
      assertStringIncludes(rig.agent.stderr, 'keys="a secret"');
      assert(!rig.agent.stderr.includes("two-secret"));
    },
  );
});

Deno.test("SIGHUP with a broken file changes nothing and says why", async () => {
  await withAgent({}, async (rig) => {
    rewrite(rig, "SONDE_ENDPOINT={url}\nSONDE_INTERVAL=soon\n");
    rig.agent.signal("SIGHUP");
    await rig.agent.waitFor(({ stderr }) => stderr.includes("broken"));
    assertMatch(
      rig.agent.stderr,
      /error configuration refused: it is broken, nothing has changed why=.*SONDE_INTERVAL/,
    );
    const before = rig.server.requests.length;
    await rig.server.waitFor(before + 2);
  });
});

Deno.test("SIGHUP with another host is refused without a supervisor and ends with 75 under one", async () => {
  const other = "SONDE_ENDPOINT=http://127.0.0.1:4399\nSONDE_INTERVAL=300ms\n";
  await withAgent({}, async (rig) => {
    rewrite(rig, other);
    rig.agent.signal("SIGHUP");
    await rig.agent.waitFor(({ stderr }) => stderr.includes("refused"));
    assertMatch(rig.agent.stderr, /needs a restart keys=SONDE_ENDPOINT why="SONDE_ENDPOINT cannot change/);
    const before = rig.server.requests.length;
    await rig.server.waitFor(before + 1);
  });
  await withAgent({ env: { SONDE_SUPERVISED: "true" } }, async (rig) => {
    rewrite(rig, other);
    rig.agent.signal("SIGHUP");
    const { code, stderr } = await rig.agent.finish();
    assertEquals(code, 75, stderr);
  });
});

Deno.test("SONDE_LISTEN serves health and Prometheus text to loopback names only", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const base = `http://127.0.0.1:${port}`;
  await withAgent({ env: { SONDE_LISTEN: `127.0.0.1:${port}` } }, async () => {
    const health = await fetch(`${base}/healthz`);
    assertEquals([health.status, await health.text()], [200, "ok\n"]);
    const metrics = await fetch(`${base}/metrics`);
    assertMatch(metrics.headers.get("content-type") ?? "", /version=0\.0\.4/);
    assertStringIncludes(await metrics.text(), "system_cpu_time");
    for (
      const [init, path, status] of [[{}, "/", 404], [
        { method: "POST", body: "x" },
        "/metrics",
        405,
      ]] as const
    ) {
      const answer = await fetch(base + path, init);
      assertEquals(answer.status, status);
      await answer.body?.cancel();
    }
    assertEquals(await statusFor(port, "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n"), "403");
    assertEquals(await statusFor(port, "nonsense\r\n\r\n"), "400");
  });
});

Deno.test("SONDE_LISTEN serves few connections at once and frees their places", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await withAgent({ env: { SONDE_LISTEN: `127.0.0.1:${port}` } }, async () => {
    const request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const silent: Deno.Conn[] = [];
    for (let at = 0; at < 8; at++) silent.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    assertEquals(await statusFor(port, request), undefined);
    for (const socket of silent) socket.close();
    let status: string | undefined;
    for (let tries = 0; status === undefined && tries < 100; tries++) status = await statusFor(port, request);
    assertEquals(status, "200");
  });
});

async function statusFor(port: number, request: string): Promise<string | undefined> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(200);
  // A connection that is turned away ends, or is reset with the request unread.
  const count = await socket.read(buffer).catch(() => 0) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, count)).split(" ")[1];
}
