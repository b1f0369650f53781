/** `sonde emit` as scripts call it: what arrives, how series add up, how it ends (contract: emit). */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { plainBody } from "./decoded.ts";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer, type RecordedRequest } from "./fault_server.ts";
import { type JsonMetric, parseRequest, readRequest } from "./otlp_json.ts";
import { inFolder, Program, sonde } from "./program.ts";

const JSON_BODIES = { SONDE_PROTOCOL: "http/json" } as const;

async function metricOf(request: RecordedRequest | undefined): Promise<JsonMetric> {
  const [metric] = (await readRequest(request)).metrics;
  if (metric === undefined) throw new Error("no metric");
  return metric;
}

const only = <T>(list: readonly T[]): T => {
  const [one] = list;
  assert(one !== undefined && list.length === 1);
  return one;
};

const emit = (folder: string, args: readonly string[], env: Record<string, string> = {}) =>
  sonde(folder, ["emit", ...args], { env: { ...JSON_BODIES, ...env } });

Deno.test("emit histogram: values, unit, bounds, count and typed attributes arrive as given", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const { code, stdout, stderr } = await emit(folder, [
      ...[
        "histogram",
        "http.server.request.duration",
        "0.1",
        "0.25",
        "3",
        "--unit",
        "s",
        "--bounds",
        "0.1,0.5,1",
      ],
      ...["--attr", "http.response.status_code=200", "--attr", "route=/a", "--attr", "ok:bool=true"],
      ...["--attr", "tries:int=5", "--attr", "share:double=1.5", "--attr", "zip=01067"],
      ...["--count", "2", "--endpoint", server.url],
    ]);
    assertEquals([code, stdout, stderr], [0, "", ""]);
  });
  const { name, unit, histogram } = await metricOf(server.requests[0]);
  assertEquals([name, unit], ["http.server.request.duration", "s"]);
  const point = only(histogram.dataPoints);
  assertEquals([point.count, point.explicitBounds], ["6", [0.1, 0.5, 1]]);
  assertEquals(point.bucketCounts, ["2", "2", "0", "2"]);
  assertEquals([point.min, point.max], [0.1, 3]);
  assertEquals(point.attributes, [
    { key: "http.response.status_code", value: { intValue: "200" } },
    { key: "route", value: { stringValue: "/a" } },
    { key: "ok", value: { boolValue: true } },
    { key: "tries", value: { intValue: "5" } },
    { key: "share", value: { doubleValue: 1.5 } },
    { key: "zip", value: { stringValue: "01067" } },
  ]);
  assert(BigInt(point.startTimeUnixNano) < BigInt(point.timeUnixNano));
});

Deno.test("emit counter: adds up over calls for cumulative lanes, with one start", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    for (const value of ["2", "3.5"]) {
      const { code, stderr } = await emit(folder, ["counter", "jobs", value, "--endpoint", server.url]);
      assertEquals(code, 0, stderr);
    }
  });
  const metrics = await Promise.all(server.requests.map((request) => metricOf(request)));
  assertEquals(metrics.map(({ sum }) => sum.aggregationTemporality), [2, 2]);
  const points = metrics.map(({ sum }) => only(sum.dataPoints));
  assertEquals(points.map(({ asDouble }) => asDouble), [2, 5.5]);
  assertEquals(new Set(points.map(({ startTimeUnixNano }) => startTimeUnixNano)).size, 1);
});

Deno.test("emit histogram: delta lanes get increments whose intervals meet", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    for (const value of ["2", "3"]) {
      const args = ["histogram", "d", value, "--endpoint", server.url];
      assertEquals((await emit(folder, args, { SONDE_TEMPORALITY: "delta" })).code, 0);
    }
  });
  const metrics = await Promise.all(server.requests.map((request) => metricOf(request)));
  assertEquals(metrics.map(({ histogram }) => histogram.aggregationTemporality), [1, 1]);
  const points = metrics.map(({ histogram }) => only(histogram.dataPoints));
  assertEquals(points.map(({ count, sum }) => [count, sum]), [["1", 2], ["1", 3]]);
  assertEquals(points[0]?.timeUnixNano, points[1]?.startTimeUnixNano);
});

Deno.test("emit: beside a running agent series add up there, and its connection carries them", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = JSON_BODIES;
    await using _agent = new Program(folder, ["run", "--interval", "1h", "--endpoint", server.url], { env });
    await server.waitFor(1);
    for (const value of ["2", "3"]) {
      const { code, stderr } = await emit(folder, ["counter", "jobs", value, "--endpoint", server.url]);
      assertEquals(code, 0, stderr);
    }
  });
  assertEquals(server.connections, 1);
  const points = await Promise.all(
    server.requests.slice(1).map(async (each) => only((await metricOf(each)).sum.dataPoints)),
  );
  assertEquals(points.map(({ asDouble }) => asDouble), [2, 5]);
});

Deno.test("emit histogram --exponential: buckets by powers", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const args = ["histogram", "d", "1", "2", "4", "0", "--exponential", "--endpoint", server.url];
    assertEquals((await emit(folder, args)).code, 0);
  });
  const point = only((await metricOf(server.requests[0])).exponentialHistogram.dataPoints);
  assertEquals([point.count, point.zeroCount, point.sum], ["4", "1", 7]);
});

Deno.test("emit gauge and log: - reads lines", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    for (const [kind, name] of [["gauge", "temp"], ["log"]] as const) {
      const args = ["emit", kind, ...(name === undefined ? [] : [name]), "-", "--endpoint", server.url];
      await using program = new Program(folder, args, { env: JSON_BODIES, stdin: "piped" });
      await program.write("1.5\n-2\n");
      assertEquals((await program.finish()).code, 0, program.stderr);
    }
  });
  assertEquals(only((await metricOf(server.requests[0])).gauge.dataPoints).asDouble, -2);
  const { records } = await readRequest(server.requests[1]);
  assertEquals(records.map(({ body }) => body.stringValue), ["1.5", "-2"]);
});

Deno.test("emit span and log: take part in the trace of the environment", async () => {
  await using server = new FaultServer(ok);
  const [trace, parent] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const env = { TRACEPARENT: `00-${trace}-${parent}-01` };
  await inFolder(async (folder) => {
    const times = ["--start", "2026-11-21T10:00:00Z", "--end", "1795255201.25"];
    const span = ["span", "deploy", ...times, "--status", "error", "--endpoint", server.url];
    assertEquals((await emit(folder, span, env)).code, 0);
    const log = ["log", "it", "broke", "--severity", "error", "--endpoint", server.url];
    assertEquals((await emit(folder, log, env)).code, 0);
  });
  const span = only((await readRequest(server.requests[0])).spans);
  assertEquals([span.traceId, span.parentSpanId, span.name, span.status?.code], [trace, parent, "deploy", 2]);
  assertNotEquals(span.spanId, parent);
  assertEquals([span.startTimeUnixNano, span.endTimeUnixNano], [
    "1795255200000000000",
    "1795255201250000000",
  ]);
  const record = only((await readRequest(server.requests[1])).records);
  assertEquals([record.traceId, record.severityNumber, record.body], [trace, 17, {
    stringValue: "it broke",
  }]);
});

for (
  const { status, code, spoolOk } of [
    { status: 503, code: 75, spoolOk: false },
    { status: 503, code: 0, spoolOk: true },
    { status: 400, code: 69, spoolOk: false },
    { status: 401, code: 77, spoolOk: false },
  ]
) {
  Deno.test(`emit: ${status} ends with ${code}${spoolOk ? " by --spool-ok" : ""}`, async () => {
    await using server = new FaultServer(answer(status));
    await inFolder(async (folder) => {
      const args = ["counter", "jobs", "1", "--endpoint", server.url, ...(spoolOk ? ["--spool-ok"] : [])];
      const found = await emit(folder, args, { SONDE_SHUTDOWN_TIMEOUT: "500ms" });
      assertEquals(found.code, code, found.stderr);
    });
  });
}

Deno.test("emit histogram --demo http --loop: round after round, and 0 after SIGTERM", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const args = [
      "emit",
      "histogram",
      "--demo",
      "http",
      "--loop",
      "--interval",
      "1",
      "--endpoint",
      server.url,
    ];
    await using program = new Program(folder, args, { env: { ...JSON_BODIES, SONDE_TEMPORALITY: "delta" } });
    await server.waitFor(2);
    program.signal("SIGTERM");
    assertEquals((await program.finish()).code, 0, program.stderr);
  });
  const { resource, metrics } = await readRequest(server.requests[0]);
  assertEquals([resource["service.name"], resource["deployment.environment"]], ["my-service", "prod"]);
  const { name, unit, histogram } = only(metrics);
  assertEquals([name, unit], ["http.server.duration", "ms"]);
  const points = histogram.dataPoints;
  assertEquals(points.map(({ count }) => count), ["3", "1", "1"]);
  assertEquals(points[1]?.attributes, [
    { key: "http.method", value: { stringValue: "POST" } },
    { key: "http.status_code", value: { intValue: "201" } },
  ]);
});

const refusals: readonly (readonly [readonly string[], RegExp])[] = [
  [["counter", "jobs", "-1"], /cannot fall/],
  [["counter", "jobs"], /needs a value/],
  [["gauge", "temp", "warm"], /"warm".*not a number/],
  [["histogram", "d", "1", "--bounds", "3,2"], /do not rise/],
  [["histogram", "d", "1", "--count", "0"], /no count/],
  [["histogram", "d", "1", "--bounds", "1", "--exponential"], /own bounds/],
  [["gauge", "d", "1", "--bounds", "1,2"], /does not take "--bounds"/],
  [["log"], /needs a text/],
  [["log", "x", "--severity", "loud"], /Unknown severity "loud"/],
  [["span", "x"], /needs a name and --start/],
  [["span", "x", "--start", "yesterday"], /no time: "yesterday"/],
  [["counter", "jobs", "1", "--attr", "novalue"], /has no value/],
  [["counter", "jobs", "1", "--attr", "a:int=x"], /no integer/],
  [["histogram", "d", "1", "--loop"], /--loop needs --demo/],
  [["meter", "d", "1"], /Unknown verb "emit meter"/],
];

Deno.test("emit: what cannot be understood ends with 64 and says what to write", async () => {
  await inFolder(async (folder) => {
    const found = await Promise.all(refusals.map(([args]) => emit(folder, args)));
    for (const [index, { code, stderr }] of found.entries()) {
      assertEquals(code, 64, stderr);
      assertMatch(stderr, refusals[index]?.[1] ?? /^$/);
      assertMatch(stderr, /sonde: hint: /);
    }
  });
});

Deno.test("emit: without a destination prints OTLP in JSON", async () => {
  await inFolder(async (folder) => {
    const { code, stdout, stderr } = await emit(folder, ["gauge", "temp", "21.5"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(only(only(parseRequest(stdout).metrics).gauge.dataPoints).asDouble, 21.5);
  });
});

Deno.test("emit: a destination with an interface of its own gets metrics of every kind, and nothing else", async () => {
  await using server = new FaultServer(answer(202));
  await inFolder(async (folder) => {
    const env = {
      SONDE_PRESET: "datadog_native",
      SONDE_API_KEY: "0123456789abcdef0123456789abcdef",
      SONDE_PROTOCOL: "",
    };
    const args = ["counter", "jobs", "3", "--attr", "queue=a", "--endpoint", server.url];
    const { code, stderr } = await emit(folder, args, env);
    assertEquals(code, 0, stderr);
    assertEquals((await emit(folder, ["histogram", "d", "1", "--endpoint", server.url], env)).code, 0);
    const refused = await emit(folder, ["log", "said", "--endpoint", server.url], env);
    assertEquals(refused.code, 78);
    assertMatch(refused.stderr, /no configured destination takes this kind of data/);
  });
  const bodies = await Promise.all(server.requests.map(plainBody));
  const all = bodies.flatMap((body) => JSON.parse(new TextDecoder().decode(body)).series);
  assertEquals(all.map(({ metric, points: [{ value }] }) => [metric, value]), [
    ["jobs", 3],
    ...["d.count", "d.sum", "d.min", "d.max"].map((name) => [name, 1]),
  ]);
});
