/** `sonde once` as a process against a vendor that misbehaves: every answer, its exit code and its words (contract). */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  answer,
  type Behaviour,
  hang,
  html,
  large,
  ok,
  partialSuccess,
  redirect,
  reset,
} from "./fault_behaviours.ts";
import { throttle } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { decodeMetrics } from "./decoded.ts";
import { type Finished, inFolder, sonde } from "./program.ts";

interface Case {
  readonly title: string;
  readonly behaviour: Behaviour;
  readonly code: number;
  readonly stderr?: RegExp;
  /** Requests the server must have seen; absent: any number. */
  readonly requests?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const SHORT = { SONDE_SHUTDOWN_TIMEOUT: "1s", SONDE_TIMEOUT: "500ms" } as const;

const cases: readonly Case[] = [
  { title: "200 with an empty body", behaviour: ok, code: 0, requests: 1 },
  { title: "202", behaviour: answer(202), code: 0, requests: 1 },
  { title: "204", behaviour: answer(204), code: 0, requests: 1 },
  { title: "200 with garbage", behaviour: answer(200, { body: "\xff\xfe garbage" }), code: 0, requests: 1 },
  {
    title: "200 with a warning",
    behaviour: partialSuccess(0, "deprecated attribute"),
    code: 0,
    stderr: /deprecated attribute/,
    requests: 1,
  },
  {
    title: "partial success",
    behaviour: partialSuccess(9, "nine too old"),
    code: 76,
    stderr: /9.*nine too old/,
    requests: 1,
  },
  {
    title: "400",
    behaviour: answer(400, { body: "bad unit" }),
    code: 69,
    stderr: /400.*bad unit/,
    requests: 1,
  },
  { title: "401", behaviour: answer(401), code: 77, stderr: /401/, requests: 1 },
  { title: "403", behaviour: answer(403), code: 77, stderr: /403/, requests: 1 },
  { title: "500", behaviour: answer(500), code: 69, stderr: /500/, requests: 1 },
  { title: "503", behaviour: answer(503), code: 75, stderr: /503/, env: SHORT },
  { title: "429 that asks for an hour", behaviour: throttle(429, "3600"), code: 75, requests: 1, env: SHORT },
  { title: "a hanging server", behaviour: hang, code: 75, env: SHORT, stderr: /timeout/ },
  { title: "a reset", behaviour: reset, code: 75, env: SHORT },
  { title: "200 with HTML", behaviour: html, code: 75, stderr: /html/, env: SHORT },
  { title: "an answer of 5 MiB", behaviour: large(200, 5 << 20), code: 69, requests: 1, stderr: /response/ },
];

for (const { title, behaviour, code, stderr, requests, env } of cases) {
  Deno.test(`once: ${title} ends with ${code}`, async () => {
    await using server = new FaultServer(behaviour);
    let finished: Finished | undefined;
    await inFolder(async (folder) => {
      finished = await sonde(folder, ["once", "--endpoint", server.url], { env: env ?? {} });
    });
    assertEquals(finished?.code, code, finished?.stderr);
    if (stderr !== undefined) assertMatch(finished?.stderr ?? "", stderr);
    if (code !== 0) assertMatch(finished?.stderr ?? "", /\S/);
    if (requests !== undefined) assertEquals(server.requests.length, requests);
  });
}

Deno.test("once: a redirect to another port is not followed, and no header leaks", async () => {
  await using target = new FaultServer(ok);
  await using server = new FaultServer(redirect(307, `${target.url}/v1/metrics`));
  await inFolder(async (folder) => {
    const env = { ...SHORT, SONDE_HEADERS: "x-api-key=planted-secret" };
    const { code, stderr } = await sonde(folder, ["once", "--endpoint", server.url], { env });
    assertEquals(code, 75, stderr);
    assertMatch(stderr, /redirect/);
    assertEquals(stderr.includes("planted-secret"), false);
  });
  assertEquals(target.requests.length, 0);
  assertEquals(server.requests[0]?.headers["x-api-key"], "planted-secret");
});

Deno.test("once: what arrives is this host's metrics, with the headers OTLP asks for", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const { code, stderr } = await sonde(folder, ["once", "--endpoint", server.url]);
    assertEquals(code, 0, stderr);
  });
  const [request] = server.requests;
  if (request === undefined) throw new Error("no request");
  assertEquals(request.path, "/v1/metrics");
  assertEquals(request.headers["content-type"], "application/x-protobuf");
  assertEquals(request.headers["content-encoding"], "gzip");
  assertMatch(request.headers["user-agent"] ?? "", /^sonde\/\S+ OTel-OTLP-Exporter-TypeScript\/\S+$/);
  assertEquals(request.headers["content-length"], String(request.body.length));
  const decoded = await decodeMetrics(request);
  const names = new Set(decoded.points.map((point) => point.name));
  for (const name of ["system.cpu.time", "system.memory.usage", "system.uptime", "process.cpu.time"]) {
    assertEquals(names.has(name), true, `${name} is missing`);
  }
  assertStringIncludes(String(decoded.resource["service.instance.id"]), "-");
});

Deno.test("once: nothing listening ends with 75 and the cause", async () => {
  const server = new FaultServer(ok);
  await server.down();
  await inFolder(async (folder) => {
    const { code, stderr } = await sonde(folder, ["once", "--endpoint", server.url], { env: SHORT });
    assertEquals(code, 75, stderr);
    assertMatch(stderr, /refused/);
  });
});

Deno.test("once --dry-run --format json prints one document and sends nothing", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const { code, stdout } = await sonde(folder, [
      "once",
      "--dry-run",
      "--format",
      "json",
      "--endpoint",
      server.url,
    ]);
    assertEquals(code, 0);
    const document = JSON.parse(stdout);
    assertEquals(Object.keys(document), ["resource", "points", "omitted"]);
    const memory = document.points.find((point: { name: string }) => point.name === "system.memory.usage");
    assertEquals(memory.type, "sum");
    assertEquals(memory.temporality, "cumulative");
    assertEquals(typeof memory.timeUnixNano, "string");
    assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name), []);
  });
  assertEquals(server.requests.length, 0);
});
