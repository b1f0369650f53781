/** `sonde spool` as its users type it: beside a running agent, after one, and without any (contract: Spool). */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, Program, sonde } from "./program.ts";

const SHORT = { SONDE_SHUTDOWN_TIMEOUT: "300ms" } as const;

/** A spool with one batch of metrics for a server that is not there. */
async function fillSpool(folder: string, url: string): Promise<void> {
  const { code, stderr } = await sonde(folder, ["once", "--endpoint", url], { env: SHORT });
  assertEquals(code, 75, stderr);
}

const rows = (stdout: string): string[][] => stdout.trimEnd().split("\n").map((line) => line.split(/\s{2,}/));

Deno.test("spool: ls, cat and verify show what waits and change nothing", async () => {
  await using server = new FaultServer(ok);
  await server.down();
  await inFolder(async (folder) => {
    await fillSpool(folder, server.url);
    const listed = await sonde(folder, ["spool", "ls"]);
    assertEquals(listed.code, 0, listed.stderr);
    const [header, row, ...others] = rows(listed.stdout);
    assertEquals(header, ["ID", "DESTINATION", "SIGNAL", "ITEMS", "BYTES", "AGE", "STATE"]);
    assertEquals(others, []);
    assert(row?.[0] !== undefined);
    assertEquals([row[1], row[2], row[6]], ["default", "metrics", "queued"]);
    assertEquals(listed.stdout.split("\n").every((line) => line.length <= 80), true, listed.stdout);

    const shown = await sonde(folder, ["spool", "cat", row[0]]);
    assertEquals(shown.code, 0, shown.stderr);
    const request = JSON.parse(shown.stdout);
    assertEquals(Array.isArray(request.resourceMetrics), true);

    const verified = await sonde(folder, ["spool", "verify"]);
    assertEquals(
      [verified.code, verified.stdout],
      [0, "sound batches: 1, damaged places: 0\n"],
      verified.stderr,
    );
    assertEquals(rows((await sonde(folder, ["spool", "ls"])).stdout).length, 2);
  });
});

Deno.test("spool verify: damage ends with 74 and names the file", async () => {
  await using server = new FaultServer(ok);
  await server.down();
  await inFolder(async (folder) => {
    await fillSpool(folder, server.url);
    const find = (path: string): string[] =>
      [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
        isDirectory ? find(`${path}/${name}`) : name.endsWith(".seg") ? [`${path}/${name}`] : []
      );
    const [segment] = find(`${folder}/state/spool`);
    assert(segment !== undefined);
    const bytes = Deno.readFileSync(segment);
    bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
    Deno.writeFileSync(segment, bytes);
    const { code, stderr } = await sonde(folder, ["spool", "verify"]);
    assertEquals(code, 74);
    assertEquals(stderr.includes(segment), true, stderr);
  });
});

Deno.test("spool cat: an unknown id ends with 64 and says where ids are", async () => {
  await inFolder(async (folder) => {
    const { code, stderr } = await sonde(folder, ["spool", "cat", "nothing"]);
    assertEquals(code, 64);
    assertMatch(stderr, /No batch "nothing"[^]*the spool is empty/);
  });
});

Deno.test("spool drain: 75 while the backend is away, 0 when all is delivered", async () => {
  await using server = new FaultServer(ok);
  await server.down();
  await inFolder(async (folder) => {
    await fillSpool(folder, server.url);
    const args = ["spool", "drain", "--max", "1s", "--endpoint", server.url];
    const held = await sonde(folder, args);
    assertEquals(held.code, 75, held.stderr);
    assertMatch(held.stderr, /kept in the spool: refused/);
    server.up();
    const { code, stderr } = await sonde(folder, args);
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /the spool is empty, \d+ items delivered/);
    assertEquals(rows((await sonde(folder, ["spool", "ls"])).stdout).length, 1);
  });
  assertEquals(server.requests.length, 1);
});

for (const { status, code } of [{ status: 401, code: 77 }, { status: 400, code: 69 }]) {
  Deno.test(`spool drain: ${status} ends with ${code}`, async () => {
    await using server = new FaultServer(answer(status));
    await server.down();
    await inFolder(async (folder) => {
      await fillSpool(folder, server.url);
      server.up();
      const { code: found, stderr } = await sonde(folder, [
        ...["spool", "drain", "--max", "1s", "--endpoint", server.url],
      ]);
      assertEquals(found, code, stderr);
    });
  });
}

Deno.test("spool drain: beside a running agent the agent does it, at once", async () => {
  await using server = new FaultServer(ok);
  await server.down();
  await inFolder(async (folder) => {
    await fillSpool(folder, server.url);
    await using agent = new Program(folder, ["run", "--interval", "1h", "--endpoint", server.url]);
    await agent.waitFor(({ stderr }) => /delivery|refused/.test(stderr));
    server.up();
    const { code, stderr } = await sonde(folder, ["spool", "drain", "--max", "25s"]);
    assertEquals(code, 78, stderr);
    const drained = await sonde(folder, ["spool", "drain", "--max", "25s", "--endpoint", server.url]);
    assertEquals(drained.code, 0, drained.stderr);
    assertEquals(server.requests.length, 2);
    assertEquals(server.connections, 1);
  });
});

Deno.test("spool drain --adopt: takes over what waited for an endpoint that was renamed", async () => {
  await using server = new FaultServer(ok);
  const former = new FaultServer(ok);
  await former.down();
  await inFolder(async (folder) => {
    await fillSpool(folder, former.url);
    const [, row] = rows((await sonde(folder, ["spool", "ls"])).stdout);
    const hash = row?.[0]?.slice(0, 8) ?? "";
    const plain = await sonde(folder, ["spool", "drain", "--endpoint", server.url]);
    assertEquals([plain.code, server.requests.length], [0, 0], plain.stderr);
    const wrong = await sonde(folder, ["spool", "drain", "--adopt", "0000", "--endpoint", server.url]);
    assertEquals(wrong.code, 69);
    assertMatch(wrong.stderr, /Cannot adopt "0000"/);
    const { code, stderr } = await sonde(folder, [
      "spool",
      "drain",
      "--adopt",
      hash,
      "--endpoint",
      server.url,
    ]);
    assertEquals([code, server.requests.length], [0, 1], stderr);
  });
});

Deno.test("spool drop: forgets old batches, with and without a running agent", async () => {
  await using server = new FaultServer(ok);
  await server.down();
  await inFolder(async (folder) => {
    await fillSpool(folder, server.url);
    const kept = await sonde(folder, ["spool", "drop", "--older", "1h"]);
    assertEquals([kept.code, kept.stderr], [0, "sonde: 0 batches dropped\n"]);
    const gone = await sonde(folder, ["spool", "drop", "--older", "0s"]);
    assertEquals([gone.code, gone.stderr], [0, "sonde: 1 batch dropped\n"]);
    await fillSpool(folder, server.url);
    await using agent = new Program(folder, ["run", "--interval", "1h", "--endpoint", server.url]);
    await agent.waitFor(({ stderr }) => /delivery|refused/.test(stderr));
    const asked = await sonde(folder, ["spool", "drop", "--older", "0s"]);
    assertEquals(asked.code, 0, asked.stderr);
    assertMatch(asked.stderr, /^sonde: [12] batch/);
    assertEquals(rows((await sonde(folder, ["spool", "ls"])).stdout).length, 1);
  });
});

Deno.test("spool drain: another process's lock ends with 75 and says so", async () => {
  await inFolder(async (folder) => {
    Deno.mkdirSync(`${folder}/state/spool`, { recursive: true });
    using lock = Deno.openSync(`${folder}/state/spool/spool.lock`, { write: true, create: true });
    lock.lockSync(true);
    const { code, stderr } = await sonde(folder, ["spool", "drain", "--endpoint", "http://127.0.0.1:4318"]);
    assertEquals(code, 75);
    assertMatch(stderr, /another process holds it/);
  });
});

Deno.test("spool drop: needs --older", async () => {
  await inFolder(async (folder) => {
    const { code, stderr } = await sonde(folder, ["spool", "drop"]);
    assertEquals(code, 64);
    assertMatch(stderr, /--older 1h/);
  });
});
