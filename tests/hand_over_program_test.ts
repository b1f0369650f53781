/** `sonde once` beside a running agent, beside another's lock, and after both (design 2: hand-over). */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { askControl } from "../commands/control.ts";
import { decodeMetrics } from "./decoded.ts";
import { answer, type Behaviour, ok, partialSuccess } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, Program, sonde } from "./program.ts";

/** Long enough that only the first cycle and what is handed over reaches the server. */
const SLOW = ["--interval", "1h"] as const;

const inboxOf = (folder: string): string[] =>
  [...Deno.readDirSync(`${folder}/state/spool/inbox`)].map(({ name }) => name);

Deno.test("once: beside a running agent its data goes out by the agent's connection", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    await using agent = new Program(folder, ["run", ...SLOW, "--endpoint", server.url]);
    await server.waitFor(1);
    const { code, stderr } = await sonde(folder, ["once", "--endpoint", server.url]);
    assertEquals(code, 0, stderr);
    assertEquals(server.requests.map(({ connection }) => connection), [1, 1]);
    const [first, second] = await Promise.all(server.requests.map((request) => decodeMetrics(request)));
    assertEquals(first?.resource, second?.resource);
    agent.signal("SIGTERM");
    assertEquals((await agent.finish()).code, 0);
  });
});

const codes: readonly { title: string; behaviour: Behaviour; code: number; stderr: RegExp }[] = [
  { title: "503", behaviour: answer(503), code: 75, stderr: /kept in the spool: 503/ },
  { title: "401", behaviour: answer(401), code: 77, stderr: /401/ },
  { title: "400", behaviour: answer(400, { body: "bad unit" }), code: 69, stderr: /400.*bad unit/ },
  {
    title: "partial success",
    behaviour: partialSuccess(3, "three too old"),
    code: 76,
    stderr: /3.*three too old/,
  },
];

for (const { title, behaviour, code, stderr } of codes) {
  Deno.test(`once: beside a running agent ${title} ends with ${code}`, async () => {
    await using server = new FaultServer(ok);
    await inFolder(async (folder) => {
      await using _agent = new Program(folder, ["run", ...SLOW, "--endpoint", server.url]);
      await server.waitFor(1);
      server.otherwise = behaviour;
      const env = { SONDE_SHUTDOWN_TIMEOUT: "1s" };
      const finished = await sonde(folder, ["once", "--endpoint", server.url], { env });
      assertEquals(finished.code, code, finished.stderr);
      assertMatch(finished.stderr, stderr);
    });
  });
}

Deno.test("once: an agent with another destination is not asked, and its spool is left alone", async () => {
  await using theirs = new FaultServer(ok);
  await using ours = new FaultServer(ok);
  await inFolder(async (folder) => {
    await using _agent = new Program(folder, ["run", ...SLOW, "--endpoint", theirs.url]);
    await theirs.waitFor(1);
    const { code, stderr } = await sonde(folder, ["once", "--endpoint", ours.url]);
    assertEquals(code, 0, stderr);
    assertEquals([theirs.requests.length, ours.requests.length], [1, 1]);
    await ours.down();
    const env = { SONDE_SHUTDOWN_TIMEOUT: "500ms" };
    const failed = await sonde(folder, ["once", "--endpoint", ours.url], { env });
    assertEquals(failed.code, 75, failed.stderr);
    assertMatch(failed.stderr, /kept in the spool: refused/);
    assertEquals(inboxOf(folder).length, 1);
  });
  // The agent's sweep has passed the file by: it is for another endpoint.
  assertEquals(theirs.requests.length, 1);
});

Deno.test("once: what was left in the inbox goes out with the next run", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/state/spool`, { recursive: true });
    {
      using lock = Deno.openSync(`${folder}/state/spool/spool.lock`, { write: true, create: true });
      lock.lockSync(true);
      await server.down();
      const env = { SONDE_SHUTDOWN_TIMEOUT: "500ms" };
      const held = await sonde(folder, ["once", "--spool-ok", "--endpoint", server.url], { env });
      assertEquals(held.code, 0, held.stderr);
    }
    assertEquals(inboxOf(folder).length, 1);
    server.up();
    const { code, stderr } = await sonde(folder, ["once", "--endpoint", server.url]);
    assertEquals(code, 0, stderr);
    assertEquals(inboxOf(folder), []);
  });
  const times = await Promise.all(
    server.requests.map(async (request) => (await decodeMetrics(request)).points[0]),
  );
  assertEquals(times.length, 2);
  assert(times[0] !== undefined && times[1] !== undefined);
  assertLess(times[0].timeNs, times[1].timeNs);
});

Deno.test("once --jitter waits before it looks, and refuses what is no time", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const { code, stderr } = await sonde(folder, ["once", "--jitter", "50ms", "--endpoint", server.url]);
    assertEquals(code, 0, stderr);
    const refused = await sonde(folder, ["once", "--jitter", "soon", "--endpoint", server.url]);
    assertEquals(refused.code, 64);
    assertMatch(refused.stderr, /"--jitter".*not a duration/);
  });
});

Deno.test("once: without a right to the state directory a user's own spool takes it, with one warning", async () => {
  await using server = new FaultServer(ok);
  await server.down();
  await inFolder(async (folder) => {
    // Nobody, root included, can make folders below a file.
    Deno.writeTextFileSync(`${folder}/taken`, "");
    const options = {
      env: {
        SONDE_SHUTDOWN_TIMEOUT: "300ms",
        HOME: folder,
        DENO_DIR: Deno.env.get("DENO_DIR") ?? denoFolder(),
      },
      stateDir: `${folder}/taken/state`,
    };
    const kept = await sonde(folder, ["once", "--endpoint", server.url], options);
    assertEquals(kept.code, 75, kept.stderr);
    assertEquals(
      kept.stderr.split("\n").filter((line) => line.includes("state directory")).length,
      1,
      kept.stderr,
    );
    server.up();
    const { code } = await sonde(folder, ["once", "--endpoint", server.url], options);
    assertEquals([code, server.requests.length], [0, 2]);
  });
});

/** The cache stays where it is when HOME does not. */
function denoFolder(): string {
  return `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
}

Deno.test("control: what is no batch, measurement or time of ours is refused in words, and the agent goes on", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    await using _agent = new Program(folder, ["run", ...SLOW, "--endpoint", server.url]);
    await server.waitFor(1);
    const header = { destination: "other", signal: "metrics", encoding: "protobuf", items: 1 };
    const times = { firstTimeMs: 1, lastTimeMs: 1, sequence: 1, uncompressedBytes: 1 };
    const stranger = { headers: [{ ...header, ...times }], body: "", gzipped: false };
    const questions = [
      { verb: "submit", waitMs: 0, batches: [stranger] },
      { verb: "submit", waitMs: 0, batches: [{}] },
      { verb: "submit", waitMs: "long", batches: [] },
      { verb: "record", measurements: [{ kind: "counter" }] },
      { verb: "record" },
      { verb: "drain", maxMs: -1 },
      { verb: "drop" },
      { verb: "nothing" },
    ];
    for (const question of questions) {
      const answer = await askControl(`${folder}/ctl.sock`, question);
      assertMatch(String(answer?.["error"]), /^Cannot (serve|take) /);
    }
    const { code } = await sonde(folder, ["once", "--endpoint", server.url]);
    assertEquals([code, server.requests.length], [0, 2]);
  });
});
