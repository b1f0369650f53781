/** `sonde run` as a process: first cycle at once, a steady grid, and a clean end whatever the backend does. */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeMetrics } from "./decoded.ts";
import { answer, hang, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, Program, sonde } from "./program.ts";

Deno.test("run: delivers at once, then every interval, and ends with 0 within 2 s of SIGTERM", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const program = new Program(folder, ["run", "--interval=500ms", "--endpoint", server.url]);
    await server.waitFor(4);
    const before = performance.now();
    program.signal("SIGTERM");
    const { code, stdout, stderr } = await program.finish();
    assertLess(performance.now() - before, 2000);
    assertEquals(code, 0, stderr);
    assertEquals(stdout, "");
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    assertMatch(stderr, /started version=\S+ destination=http:\/\/127.0.0.1:\d+ interval=0.5s sandbox=/);
  });
  const [first, , third, fourth] = server.requests;
  assert(first && third && fourth);
  // Real time: the grid is what is tested, with room for a loaded machine.
  assertLess(Math.abs(fourth.arrivedMs - first.arrivedMs - 1500), 400);
  const decoded = await decodeMetrics(third);
  assertEquals(new Set(decoded.points.map((point) => point.timeNs)).size, 1);
  assertEquals(first.connection, fourth.connection);
});

Deno.test("run: SIGINT ends it with 0 as well", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const program = new Program(folder, ["run", "--interval=1s", "--endpoint", server.url]);
    await server.waitFor(1);
    program.signal("SIGINT");
    assertEquals((await program.finish()).code, 0);
  });
});

Deno.test("run: a hanging backend delays the end no longer than 5.5 s, and the data is spooled", async () => {
  await using server = new FaultServer(hang);
  await inFolder(async (folder) => {
    const program = new Program(folder, ["run", "--interval=1s", "--endpoint", server.url]);
    await server.waitFor(1);
    const before = performance.now();
    program.signal("SIGTERM");
    const { code, stderr } = await program.finish();
    assertLess(performance.now() - before, 5500);
    assertEquals(code, 0, stderr);
    const spool = [...Deno.readDirSync(`${folder}/state/spool`)];
    assert(spool.length > 0);
  });
});

Deno.test("run: a second signal does not wait for the network", async () => {
  await using server = new FaultServer(hang);
  await inFolder(async (folder) => {
    const program = new Program(folder, ["run", "--interval=1s", "--endpoint", server.url]);
    await server.waitFor(1);
    program.signal("SIGTERM");
    const before = performance.now();
    // Another one: the kernel merges equal signals that are pending.
    program.signal("SIGINT");
    const { code } = await program.finish();
    assertLess(performance.now() - before, 1500);
    assertEquals(code, 0);
  });
});

Deno.test("run: 401 degrades it and does not end it", async () => {
  await using server = new FaultServer(answer(401));
  await inFolder(async (folder) => {
    await using program = new Program(folder, ["run", "--interval=500ms", "--endpoint", server.url]);
    await program.waitFor(({ stderr }) => /401/.test(stderr));
    program.signal("SIGTERM");
    assertEquals((await program.finish()).code, 0);
  });
});

Deno.test("run: without a destination a pipe gets Prometheus text every interval", async () => {
  await inFolder(async (folder) => {
    await using program = new Program(folder, ["run", "--interval=500ms"]);
    const scrapes = ({ stdout }: Program) => stdout.split("# TYPE system_uptime").length - 1;
    await program.waitFor((each) => scrapes(each) >= 3);
    program.signal("SIGTERM");
    const { code, stdout } = await program.finish();
    assertEquals(code, 0);
    assertStringIncludes(stdout, "system_cpu_time_seconds_total{");
  });
});

Deno.test("run: a missing permission is a clear line and 78", async () => {
  await inFolder(async (folder) => {
    const main = new URL("../main.ts", import.meta.url).pathname;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--no-prompt", "--allow-env", "--allow-read", main, "run"],
      env: { DENO_NO_UPDATE_CHECK: "1" },
      cwd: folder,
    });
    const { code, stderr } = await command.output();
    assertEquals(code, 78);
    assertMatch(new TextDecoder().decode(stderr), /permission .* is missing.*\n.*deno run -A --no-prompt/);
  });
});

Deno.test("run and once: a bad endpoint is refused before anything is opened", async () => {
  await inFolder(async (folder) => {
    for (const verb of ["run", "once"]) {
      const { code, stderr } = await sonde(folder, [verb, "--endpoint", "localhost:4318"]);
      assertEquals(code, 78);
      assertMatch(stderr, /--endpoint/);
      assertEquals([...Deno.readDirSync(folder)].length, 0);
    }
  });
});
