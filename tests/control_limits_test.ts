/** What the control socket does not put up with: endless lines, too many connections; and what that does to others. */
import { assertEquals } from "@std/assert";
import { askControl, ControlServer, LINE_BYTES_MAX, listenControl } from "../commands/control.ts";
import { inFolder } from "./program.ts";

/** A server that echoes, while `test` runs. */
async function withServer(test: (path: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const { listener, path } = await listenControl(`${folder}/ctl.sock`);
    if (listener === undefined) throw new Error("BUG: no socket");
    const server = new ControlServer(
      listener,
      ({ verb, text }) => ({ verb, length: String(text ?? "").length }),
    );
    const serving = server.serve();
    try {
      await test(path);
    } finally {
      server.close();
      await serving;
    }
  });
}

/** True when the other side ends the connection. */
async function isClosed(connection: Deno.Conn): Promise<boolean> {
  try {
    return await connection.read(new Uint8Array(16)) === null;
  } catch {
    return true;
  }
}

Deno.test("ControlServer takes lines up to its limit and ends a connection that sends more", async () => {
  await withServer(async (path) => {
    const text = "x".repeat(LINE_BYTES_MAX - 100);
    assertEquals(await askControl(path, { verb: "long", text }), { verb: "long", length: text.length });
    using endless = await Deno.connect({ transport: "unix", path });
    const chunk = new Uint8Array(64 * 1024).fill(0x78);
    let sent = 0;
    try {
      for (; sent < 2 * LINE_BYTES_MAX; sent += chunk.length) await endless.write(chunk);
    } catch {
      // The server has had enough.
    }
    assertEquals(await isClosed(endless), true);
    assertEquals((await askControl(path, { verb: "after" }))?.["verb"], "after");
  });
});

Deno.test("ControlServer serves sixteen connections and closes further ones, until a place is free", async () => {
  await withServer(async (path) => {
    const connect = () => Deno.connect({ transport: "unix", path });
    const held = await Promise.all(Array.from({ length: 16 }, connect));
    try {
      // A connection counts once it has been accepted: the first sixteen answer.
      for (const each of held) {
        await each.write(new TextEncoder().encode('{"verb":"here"}\n'));
        await each.read(new Uint8Array(64));
      }
      using seventeenth = await connect();
      assertEquals(await isClosed(seventeenth), true);
    } finally {
      for (const each of held) each.close();
    }
    let answer;
    while (answer === undefined) answer = await askControl(path, { verb: "again" });
    assertEquals(answer["verb"], "again");
  });
});

Deno.test("a running agent's socket is for its user and group only, and survives garbage", async () => {
  await withServer(async (path) => {
    assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o660);
    for (
      const line of ["", "{}", "[]", "null", '{"verb":5}', "\u0000\u0001", '{"verb":"x"', "{".repeat(10_000)]
    ) {
      using connection = await Deno.connect({ transport: "unix", path });
      await connection.write(new TextEncoder().encode(`${line}\n`));
      const bytes = new Uint8Array(4096);
      const text = new TextDecoder().decode(bytes.subarray(0, await connection.read(bytes) ?? 0));
      assertEquals(typeof JSON.parse(text).error, "string", line.slice(0, 20));
    }
  });
});
