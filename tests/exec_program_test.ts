/** `sonde exec` with well-behaved jobs: what passes through it and what it sends (contract: exec). */
import { assert, assertEquals, assertGreaterOrEqual, assertLess, assertMatch } from "@std/assert";
import { hang, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { type JsonMetric, type JsonRequest, plainAttributes, readRequest } from "./otlp_json.ts";
import { inFolder, Program, type ProgramOptions, sonde } from "./program.ts";

const JSON_BODIES = { SONDE_PROTOCOL: "http/json" } as const;

const exec = (folder: string, args: readonly string[], options: ProgramOptions = {}) =>
  sonde(folder, ["exec", ...args], { ...options, env: { ...JSON_BODIES, ...options.env } });

/** Everything that arrived, whichever request brought it. */
async function all(server: FaultServer): Promise<JsonRequest> {
  const requests = await Promise.all(server.requests.map((request) => readRequest(request)));
  return {
    resource: requests[0]?.resource ?? {},
    metrics: requests.flatMap(({ metrics }) => metrics),
    spans: requests.flatMap(({ spans }) => spans),
    records: requests.flatMap(({ records }) => records),
  };
}

const named = (metrics: readonly JsonMetric[], name: string): JsonMetric | undefined =>
  metrics.find((metric) => metric.name === name);

Deno.test("exec: a job's output and code pass through, and a span, a duration and an outcome arrive", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const script = "echo out; echo err >&2; echo $TRACEPARENT > trace";
    const args = ["--name", "backup", "--endpoint", server.url, "--", "sh", "-c", script];
    const { code, stdout, stderr } = await exec(folder, args);
    assertEquals([code, stdout, stderr], [0, "out\n", "err\n"]);
    const { spans, metrics, records, resource } = await all(server);
    const [span] = spans;
    assert(span !== undefined && spans.length === 1);
    assertEquals([span.name, span.status], ["backup", undefined]);
    assertEquals(Deno.readTextFileSync(`${folder}/trace`), `00-${span.traceId}-${span.spanId}-01\n`);
    const { "process.pid": pid, ...attributes } = plainAttributes(span.attributes);
    assertMatch(String(pid), /^\d+$/);
    assertEquals(attributes, {
      "sonde.job.name": "backup",
      "sonde.job.outcome": "success",
      "process.executable.name": "sh",
      "process.exit.code": "0",
    });
    const [duration] = named(metrics, "sonde.job.duration")?.histogram.dataPoints ?? [];
    assert(duration !== undefined);
    assertEquals([named(metrics, "sonde.job.duration")?.unit, duration.count], ["s", "1"]);
    assertLess(duration.sum, 5);
    assertEquals(plainAttributes(duration.attributes)["sonde.job.name"], "backup");
    const [runs] = named(metrics, "sonde.job.runs")?.sum.dataPoints ?? [];
    assertEquals(runs?.asDouble, 1);
    const [success] = named(metrics, "sonde.job.last_success")?.gauge.dataPoints ?? [];
    assertLess(Math.abs((success?.asDouble ?? 0) - Date.now() / 1000), 60);
    assertEquals(records, []);
    assertEquals(resource["service.name"], "sonde");
  });
});

Deno.test("exec: a failed job's last output arrives in the trace of its span", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = { TRACEPARENT: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
    const args = ["--endpoint", server.url, "--", "sh", "-c", "echo begins; echo broke >&2; exit 3"];
    const { code } = await exec(folder, args, { env });
    assertEquals(code, 3);
    const { spans: [span], records: [record], metrics } = await all(server);
    assert(span !== undefined && record !== undefined);
    assertEquals([span.traceId, span.parentSpanId], ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"]);
    assertEquals([span.name, span.status], ["sh", { code: 2, message: "exit code 3" }]);
    assertEquals([record.traceId, record.spanId], [span.traceId, span.spanId]);
    assertMatch(record.body.stringValue, /begins/);
    assertMatch(record.body.stringValue, /broke/);
    assertEquals(named(metrics, "sonde.job.last_success"), undefined);
    const [runs] = named(metrics, "sonde.job.runs")?.sum.dataPoints ?? [];
    assertEquals(plainAttributes(runs?.attributes ?? [])["sonde.job.outcome"], "failure");
  });
});

for (
  const { capture, code, count } of [
    { capture: "never", code: 1, count: 0 },
    { capture: "always", code: 0, count: 1 },
    { capture: "fail", code: 0, count: 0 },
  ]
) {
  Deno.test(`exec --capture ${capture}: a job that ends with ${code} gives ${count} records`, async () => {
    await using server = new FaultServer(ok);
    await inFolder(async (folder) => {
      const script = `echo said; exit ${code}`;
      const args = ["--capture", capture, "--endpoint", server.url, "--", "sh", "-c", script];
      const found = await exec(folder, args);
      assertEquals([found.code, found.stdout], [code, "said\n"]);
    });
    assertEquals((await all(server)).records.length, count);
  });
}

Deno.test("exec: a backend that is away holds the job back by little, and the data is kept", async () => {
  const server = new FaultServer(ok);
  await server.down();
  await inFolder(async (folder) => {
    const begunMs = performance.now();
    const { code, stderr } = await exec(folder, ["--endpoint", server.url, "--", "sh", "-c", "exit 7"]);
    assertLess(performance.now() - begunMs, 2_000);
    assertEquals([code, stderr], [7, ""]);
    const { stdout } = await sonde(folder, ["spool", "ls"]);
    assertEquals(stdout.trimEnd().split("\n").length - 1, 2, stdout);
  });
});

Deno.test("exec: a backend that hangs holds the job back for 2 s at most", async () => {
  await using server = new FaultServer(hang);
  await inFolder(async (folder) => {
    const begunMs = performance.now();
    assertEquals((await exec(folder, ["--endpoint", server.url, "--", "false"])).code, 1);
    // The start of the program comes on top of the two seconds.
    assertLess(performance.now() - begunMs, 2_600);
    const { stdout } = await sonde(folder, ["spool", "ls"]);
    assertGreaterOrEqual(stdout.trimEnd().split("\n").length, 3, stdout);
  });
});

Deno.test("exec: beside a running agent the agent delivers, and nobody waits for it", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = JSON_BODIES;
    await using _agent = new Program(folder, ["run", "--interval", "1h", "--endpoint", server.url], { env });
    await server.waitFor(1);
    server.otherwise = hang;
    const begunMs = performance.now();
    assertEquals((await exec(folder, ["--endpoint", server.url, "--", "true"])).code, 0);
    assertLess(performance.now() - begunMs, 1_000);
    await server.waitFor(3);
  });
  assertEquals(
    new Set(server.requests.slice(1).map(({ path }) => path)),
    new Set(["/v1/metrics", "/v1/traces"]),
  );
});

Deno.test("exec: runs without a destination and with a wrong configuration", async () => {
  await inFolder(async (folder) => {
    const plain = await exec(folder, ["--", "sh", "-c", "echo fine"]);
    assertEquals([plain.code, plain.stdout, plain.stderr], [0, "fine\n", ""]);
    const wrong = await exec(folder, ["--", "sh", "-c", "echo fine; exit 4"], {
      env: { SONDE_INTERVAL: "often" },
    });
    assertEquals([wrong.code, wrong.stdout], [4, "fine\n"]);
    assertMatch(wrong.stderr, /SONDE_INTERVAL[^]*the job runs/);
  });
});

Deno.test("exec --name: a second run of the same job ends with 75 and is not begun", async () => {
  await inFolder(async (folder) => {
    const args = ["exec", "--name", "nightly", "--", "sh", "-c", "echo on; read line; echo $line"];
    await using first = new Program(folder, args, { stdin: "piped" });
    await first.waitFor(({ stdout }) => stdout.includes("on"));
    const second = await exec(folder, ["--name", "nightly", "--", "touch", "began"]);
    assertEquals(second.code, 75);
    assertMatch(second.stderr, new RegExp(`"nightly" is still running: process ${first.pid} has its lock`));
    const other = await exec(folder, ["--name", "nightly", "--overlap", "--", "true"]);
    assertEquals(other.code, 0, other.stderr);
    await first.write("over\n");
    assertEquals([(await first.finish()).code, first.stdout], [0, "on\nover\n"]);
    assertEquals([...Deno.readDirSync(folder)].some(({ name }) => name === "began"), false);
    assertEquals((await exec(folder, ["--name", "nightly", "--", "true"])).code, 0);
  });
});

Deno.test("exec --ping: tells a monitor the start and the end", async () => {
  await using monitor = new FaultServer(ok);
  await inFolder(async (folder) => {
    const url = `${monitor.url}/ping/secret?r=1`;
    const script = "read line; echo broke; exit 2";
    await using program = new Program(folder, ["exec", "--ping", url, "--", "sh", "-c", script], {
      stdin: "piped",
    });
    await monitor.waitFor(1);
    await program.write("go\n");
    assertEquals((await program.finish()).code, 2);
    assertEquals(program.stderr, "");
  });
  assertEquals(monitor.requests.map(({ path }) => path), ["/ping/secret/start?r=1", "/ping/secret/fail?r=1"]);
  assertEquals(new TextDecoder().decode(monitor.requests[1]?.body), "broke");
});

Deno.test("exec: without a command ends with 64", async () => {
  await inFolder(async (folder) => {
    for (const args of [[], ["--timeout", "soon", "--", "true"], ["--ping", "nowhere", "--", "true"]]) {
      const { code, stderr } = await exec(folder, args);
      assertEquals(code, 64);
      assertMatch(stderr, /sonde: hint: /);
    }
  });
});
