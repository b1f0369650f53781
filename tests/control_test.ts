/** The control socket on a real unix socket: answers, limits, and what happens to a path in use. */
import { assertEquals, assertMatch } from "@std/assert";
import { askControl, ControlClient, ControlServer, listenControl } from "../commands/control.ts";

async function withServer(test: (path: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/run/ctl.sock`;
  const socket = await listenControl(path);
  if (socket.listener === undefined) throw new Error(socket.fault);
  const server = new ControlServer(socket.listener, (request) => {
    if (request.verb === "fail") throw new Error("Cannot serve this");
    return { echo: request["word"] ?? request.verb };
  });
  const served = server.serve();
  try {
    await test(path);
  } finally {
    server.close();
    await served;
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("askControl() gets the handler's answer, and its error as text", async () => {
  await withServer(async (path) => {
    assertEquals(await askControl(path, { verb: "say", word: "hello" }), { echo: "hello" });
    assertEquals(await askControl(path, { verb: "fail" }), { error: "Cannot serve this" });
  });
});

Deno.test("ControlServer answers garbage with an error and goes on", async () => {
  await withServer(async (path) => {
    const conn = await Deno.connect({ transport: "unix", path });
    await conn.write(new TextEncoder().encode("not json\n"));
    const answer = new Uint8Array(1000);
    const n = await conn.read(answer);
    conn.close();
    assertMatch(new TextDecoder().decode(answer.subarray(0, n ?? 0)), /"error"/);
    assertEquals(await askControl(path, { verb: "still" }), { echo: "still" });
  });
});

Deno.test("listenControl() does not take a path from a running agent, but replaces a dead one's", async () => {
  await withServer(async (path) => {
    assertMatch((await listenControl(path)).fault ?? "", /in use by a running agent/);
    assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o660);
  });
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/ctl.sock`;
  const dead = new Deno.Command("python3", {
    args: ["-c", `import socket;s=socket.socket(socket.AF_UNIX);s.bind(${JSON.stringify(path)})`],
  });
  assertEquals(dead.outputSync().success, true);
  const socket = await listenControl(path);
  assertEquals(socket.fault, undefined);
  socket.listener?.close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("askControl() gives undefined where nobody listens", async () => {
  assertEquals(await askControl("/nonexistent/ctl.sock", { verb: "hello" }), undefined);
});

Deno.test("ControlClient answers questions asked at once in their order", async () => {
  await withServer(async (path) => {
    using client = await ControlClient.connect(path);
    const words = Array.from({ length: 20 }, (_, i) => `${"x".repeat(i * 5_000)}${i}`);
    const answers = await Promise.all(words.map((word) => client?.ask({ verb: "say", word })));
    assertEquals(answers, words.map((word) => ({ echo: word })));
  });
});
