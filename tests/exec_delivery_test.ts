/** How `exec` delivers where no agent runs: at once and from its own process, and by the inbox when that fails. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { readRequest } from "./otlp_json.ts";
import { inFolder, sonde } from "./program.ts";

const JSON_BODIES = { SONDE_PROTOCOL: "http/json" } as const;

async function spanNames(server: FaultServer): Promise<string[]> {
  const requests = await Promise.all(server.requests.map((request) => readRequest(request)));
  return requests.flatMap(({ spans }) => spans.map(({ name }) => name)).sort();
}

function inboxOf(folder: string): number {
  try {
    return [...Deno.readDirSync(`${folder}/state/spool/inbox`)].length;
  } catch {
    return 0;
  }
}

Deno.test("exec: what an outage kept goes out with the next job, each once", async () => {
  await using server = new FaultServer(answer(503));
  await inFolder(async (folder) => {
    const job = (name: string) =>
      sonde(folder, ["exec", "--name", name, "--endpoint", server.url, "--", "true"], { env: JSON_BODIES });
    for (const name of ["first", "second"]) assertEquals((await job(name)).code, 0);
    const held = server.requests.length;
    assert(held >= 2);
    server.otherwise = ok;
    server.requests.splice(0);
    assertEquals(await job("third"), { code: 0, stdout: "", stderr: "" });
    assertEquals(await spanNames(server), ["first", "second", "third"]);
    assertEquals(inboxOf(folder), 0);
  });
});

Deno.test("exec: with nothing waiting the spool stays closed, and delta lanes are on disk before they leave", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const job = (more: Record<string, string> = {}) =>
      sonde(folder, ["exec", "--endpoint", server.url, "--", "true"], { env: { ...JSON_BODIES, ...more } });
    assertEquals((await job()).code, 0);
    const names = () => [...Deno.readDirSync(`${folder}/state/spool`)].map(({ name }) => name);
    assertEquals(names(), []);
    assertEquals((await job({ SONDE_TEMPORALITY: "delta" })).code, 0);
    assert(names().includes("spool.lock"), names().join());
    assertEquals((await spanNames(server)).length, 2);
  });
});

Deno.test("exec: increments of a delta lane meet from job to job", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = { ...JSON_BODIES, SONDE_TEMPORALITY: "delta" };
    for (let run = 0; run < 3; run++) {
      assertEquals((await sonde(folder, ["exec", "--endpoint", server.url, "--", "true"], { env })).code, 0);
    }
  });
  const requests = await Promise.all(server.requests.map((request) => readRequest(request)));
  const points = requests.flatMap(({ metrics }) => metrics.filter(({ name }) => name === "sonde.job.runs"))
    .flatMap(({ sum }) => sum.dataPoints)
    .sort((a, b) => BigInt(a.timeUnixNano) < BigInt(b.timeUnixNano) ? -1 : 1);
  assertEquals(points.map(({ asDouble }) => asDouble), [1, 1, 1]);
  assertEquals(points.slice(1).map(({ startTimeUnixNano }) => startTimeUnixNano), [
    points[0]?.timeUnixNano,
    points[1]?.timeUnixNano,
  ]);
});

Deno.test("dropAllBut() leaves what is named and nothing else", async () => {
  const drop = new URL("../commands/drop.ts", import.meta.url).href;
  const script = `import { dropAllBut, heldPermissions } from ${JSON.stringify(drop)};
    dropAllBut("net", "read", "write");
    console.log(heldPermissions().join());
    try { new Deno.Command("true").outputSync(); console.log("ran"); } catch { console.log("refused"); }`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", script],
    stderr: "null",
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "read,write,net\nrefused\n");
});

Deno.test("exec: many jobs at once deliver all of theirs", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const begunMs = performance.now();
    const jobs = ["a", "b", "c", "d"].map((name) =>
      sonde(folder, ["exec", "--name", name, "--endpoint", server.url, "--", "true"], { env: JSON_BODIES })
    );
    for (const { code, stderr } of await Promise.all(jobs)) assertEquals([code, stderr], [0, ""]);
    assertLess(performance.now() - begunMs, 10_000);
    assertEquals(await spanNames(server), ["a", "b", "c", "d"]);
  });
});
