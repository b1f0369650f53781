/**
 * Heka's tests of whole programs (heka.md 15, rows 36, 52, 54 to 56, 60 to 62) and its decisions K1 to K6 and X1 to X11
 * (heka.md 19), each marked kept, fixed, different or reversed; and that none of the list is without a test.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { overview } from "../collectors/overview.ts";
import { load, settingsOf } from "./config_files.ts";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { LaneRig } from "./lane_rig.ts";
import { readRequest } from "./otlp_json.ts";
import { inFolder, Program, sonde } from "./program.ts";

type Env = Readonly<Record<string, string>>;

const http = (server: FaultServer): Env => ({
  EXPORTER_TYPE: "otlp_http",
  OTLP_HTTP_ENDPOINT: `${server.url}/v1/metrics`,
});

const newRelic = (server: FaultServer): Env => ({
  EXPORTER_TYPE: "newrelic_otlp",
  NEWRELIC_OTLP_ENDPOINT: `${server.url}/v1/metrics`,
  NEWRELIC_API_KEY: "right",
  NEWRELIC_SERVICE_NAME: "svc",
});

Deno.test("heka 15 row 36 (different), X10: nothing is said about headers that are accepted", async () => {
  const rig = new LaneRig({ config: { headers: { "api-key": "k" } } });
  rig.give();
  await rig.runTo(10_000);
  assertEquals([rig.delivered, rig.events], [[1], []]);
  await rig.stop();
});

Deno.test("heka 15 row 52 (reversed): a histogram is supported", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const { code, stderr } = await sonde(folder, ["emit", "histogram", "took", "3"], { env: http(server) });
    assertEquals(code, 0, stderr);
  });
  const { metrics: [metric] } = await readRequest(server.requests[0]);
  assertEquals([metric?.name, metric?.histogram.dataPoints[0]?.count], ["took", "1"]);
});

/** What the wizard makes of an older file. */
async function imported(
  server: FaultServer,
  more: string,
): Promise<{ written: string; mode: number; shown: string }> {
  let found = { written: "", mode: 0, shown: "" };
  await inFolder(async (folder) => {
    const [older, path] = [`${folder}/.older`, `${folder}/sonde.env`];
    const { EXPORTER_TYPE, OTLP_HTTP_ENDPOINT } = http(server);
    const text =
      `EXPORTER_TYPE=${EXPORTER_TYPE}\nOTLP_HTTP_ENDPOINT=${OTLP_HTTP_ENDPOINT}\n${more}MINE=kept\n`;
    Deno.writeTextFileSync(older, text, { mode: 0o600 });
    const { code, stderr } = await sonde(folder, ["setup", "--yes", "-c", path, "--import", older]);
    assertEquals(code, 0, stderr);
    const mode = (Deno.statSync(path).mode ?? 0) & 0o777;
    found = { written: Deno.readTextFileSync(path), mode, shown: stderr };
  });
  return found;
}

Deno.test("heka 15 rows 54, 56 (kept), X11: setup keeps intelligence values and foreign keys, in a file of mode 0600", async () => {
  await using server = new FaultServer(ok);
  const lines = "HEKA_INTELLIGENCE_ENABLED=true\nHEKA_AGENT_ID=agent-7\nHEKA_API_KEY=heka-secret\n";
  const { written, mode, shown } = await imported(server, lines);
  assertStringIncludes(written, `${lines}MINE=kept\n`);
  assertEquals([mode, shown.includes("heka-secret")], [0o600, false]);
  const { headers } = server.requests[0] ?? {};
  assertEquals([headers?.["x-agent-id"], headers?.["x-api-key"]], ["agent-7", "heka-secret"]);
});

Deno.test("heka 15 row 55 (kept): with intelligence off its credentials are neither asked for nor sent", async () => {
  await using server = new FaultServer(ok);
  const { written } = await imported(server, "HEKA_INTELLIGENCE_ENABLED=false\n");
  assertStringIncludes(written, "HEKA_INTELLIGENCE_ENABLED=false\n");
  assertEquals(server.requests[0]?.headers["x-api-key"], undefined);
});

Deno.test("heka 15 rows 60, 61 (kept), K4: New Relic's key is injected and beats a header of any case", async () => {
  await using server = new FaultServer(ok);
  const env = { ...newRelic(server), OTLP_HTTP_HEADERS: "Api-Key=wrong,x-tenant=t" };
  await inFolder(async (folder) => {
    assertEquals((await sonde(folder, ["once"], { env })).code, 0);
  });
  const { headers } = server.requests[0] ?? {};
  assertEquals([headers?.["api-key"], headers?.["x-tenant"]], ["right", "t"]);
});

Deno.test("heka 15 row 62 (kept), X8: an invalid key is tried once and ends with 77", async () => {
  await using server = new FaultServer(answer(401));
  await inFolder(async (folder) => {
    const { code, stderr } = await sonde(folder, ["once"], { env: newRelic(server) });
    assertEquals(code, 77, stderr);
  });
  assertEquals(server.requests.length, 1);
});

/** Heka's variables (heka.md section 3) with a text that changes something, beside what the exporter needs. */
const VARIABLES: readonly (readonly [variable: string, text: string, exporter: "otlp" | "relic" | "dog"])[] =
  [
    ["LOG_LOCATION", "/var/log/agent.log", "otlp"],
    ["CPU_POLL_INTERVAL_SECONDS", "7", "otlp"],
    ["EXPORTER_TYPE", "console", "otlp"],
    ["OTLP_HTTP_ENDPOINT", "http://other/v1/metrics", "otlp"],
    ["OTLP_HTTP_HEADERS", "x=1", "otlp"],
    ["OTLP_RESOURCE_ATTRIBUTES", "a=1", "otlp"],
    ["OTLP_HTTP_TIMEOUT_SECONDS", "7", "otlp"],
    ["OTLP_HTTP_RETRY_MAX_ATTEMPTS", "7", "otlp"],
    ["OTLP_HTTP_RETRY_INITIAL_BACKOFF_SECONDS", "2", "otlp"],
    ["OTLP_HTTP_RETRY_MAX_BACKOFF_SECONDS", "7", "otlp"],
    ["OTLP_RETRY_AFTER_DEFAULT_SECONDS", "7", "otlp"],
    ["OTLP_RETRY_AFTER_MAX_SECONDS", "77", "otlp"],
    ["HEKA_AGENT_ID", "me", "otlp"],
    ["HEKA_INTELLIGENCE_ENABLED", "true", "otlp"],
    ["HEKA_API_KEY", "other", "otlp"],
    ["NEWRELIC_OTLP_ENDPOINT", "http://other/v1/metrics", "relic"],
    ["NEWRELIC_API_KEY", "other", "relic"],
    ["NEWRELIC_SERVICE_NAME", "other", "relic"],
    ["NEWRELIC_ENVIRONMENT", "prod", "relic"],
    ["NEWRELIC_HOST_NAME", "h", "relic"],
    ["DATADOG_SITE", "us5.datadoghq.com", "dog"],
    ["DATADOG_API_KEY", "1".repeat(32), "dog"],
    ["DATADOG_HOSTNAME", "h", "dog"],
    ["DATADOG_TAGS", "a:b", "dog"],
    ["DATADOG_METRIC_PREFIX", "p", "dog"],
    ["DATADOG_ENABLED", "true", "dog"],
  ];
const EXPORTERS: Readonly<Record<"otlp" | "relic" | "dog", Env>> = {
  otlp: {
    ...{
      EXPORTER_TYPE: "otlp_http",
      OTLP_HTTP_ENDPOINT: "http://h/v1/metrics",
      HEKA_AGENT_ID: "a",
      HEKA_API_KEY: "k",
    },
    HEKA_INTELLIGENCE_ENABLED: "1",
  },
  relic: {
    ...{
      EXPORTER_TYPE: "newrelic_otlp",
      NEWRELIC_OTLP_ENDPOINT: "http://h/v1/metrics",
      NEWRELIC_API_KEY: "k",
    },
    NEWRELIC_SERVICE_NAME: "svc",
  },
  dog: { EXPORTER_TYPE: "datadog_native", DATADOG_SITE: "datadoghq.eu", DATADOG_API_KEY: "0".repeat(32) },
};

Deno.test("K1 (kept): each of the 26 variables changes something, but for the one that never did", () => {
  assertEquals(new Set(VARIABLES.map(([variable]) => variable)).size, 26);
  for (const [variable, text, exporter] of VARIABLES) {
    const env = EXPORTERS[exporter];
    const [before, { settings, problems }] = [
      settingsOf({ env }),
      load({ env: { ...env, [variable]: text } }),
    ];
    assertEquals(problems, [], variable);
    // Intelligence is on already; off is what changes something.
    const after = variable === "HEKA_INTELLIGENCE_ENABLED"
      ? settingsOf({ env: { ...env, [variable]: "off" } })
      : settings;
    const isSame = JSON.stringify(after) === JSON.stringify(before);
    assertEquals(isSame, variable === "DATADOG_ENABLED", variable);
  }
});

Deno.test("K1 (different): sonde's own words do for what EXPORTER_TYPE needs", () => {
  const env = { EXPORTER_TYPE: "newrelic_otlp", NEWRELIC_API_KEY: "k", SONDE_REGION: "eu" };
  const named = { ...env, SONDE_RESOURCE_ATTRIBUTES: "service.name=s" };
  assertEquals(settingsOf({ env: named }).lanes[0]?.url, "https://otlp.eu01.nr-data.net/v1/metrics");
  assertEquals(load({ env }).problems.map(({ key }) => key), ["NEWRELIC_SERVICE_NAME"]);
  assertEquals(load({ env: { SONDE_PRESET: "newrelic_otlp", SONDE_API_KEY: "k" } }).problems, []);
});

Deno.test("W22 (fixed): a cap that is raised is said", () => {
  const env = {
    ...{ EXPORTER_TYPE: "otlp_http", OTLP_HTTP_ENDPOINT: "http://h/v1/metrics" },
    OTLP_HTTP_RETRY_INITIAL_BACKOFF_SECONDS: "9",
    OTLP_HTTP_RETRY_MAX_BACKOFF_SECONDS: "4",
    OTLP_RETRY_AFTER_DEFAULT_SECONDS: "7",
    OTLP_RETRY_AFTER_MAX_SECONDS: "3",
  };
  const { settings, warnings } = load({ env });
  assertEquals(warnings.map(({ key, next }) => `${key}: ${next}`).toSorted(), [
    "OTLP_HTTP_RETRY_MAX_BACKOFF_SECONDS: 9 is used",
    "OTLP_RETRY_AFTER_MAX_SECONDS: 7 is used",
  ]);
  assertEquals([settings?.heka.retry.maxBackoffMs, settings?.lanes[0]?.retry.retryAfterMaxMs], [9000, 7000]);
});

Deno.test("X9 (different): OTLP_HTTP_PROTOCOL chooses, JSON is otlp_http's default in Heka's mode", () => {
  const env = { EXPORTER_TYPE: "otlp_http", OTLP_HTTP_ENDPOINT: "http://h/v1/metrics" };
  const encodingOf = (more: Env) => settingsOf({ env: { ...env, ...more } }).lanes[0]?.encoding;
  assertEquals(encodingOf({}), "json");
  assertEquals(encodingOf({ OTLP_HTTP_PROTOCOL: "HTTP/protobuf" }), "protobuf");
  assertEquals(encodingOf({ EXPORTER_TYPE: "otlp_http", OTLP_HTTP_PROTOCOL: "http/json" }), "json");
});

Deno.test("K2 (kept): the eleven names with their units, gauges and counters as they were", () => {
  const [collector] = overview({ overviewPrefix: "heka_" });
  const found = collector?.descriptors.map(({ name, kind, unit }) => `${kind} ${name} ${unit}`).toSorted();
  assertEquals(found, [
    "gauge heka_cpu_time_percent percent",
    "gauge heka_cpu_usage_percent percent",
    "gauge heka_memory_swap_total_bytes bytes",
    "gauge heka_memory_swap_used_bytes bytes",
    "gauge heka_memory_virtual_available_bytes bytes",
    "gauge heka_memory_virtual_total_bytes bytes",
    "gauge heka_memory_virtual_used_bytes bytes",
    "sum heka_disk_read_bytes_total bytes",
    "sum heka_disk_reads_total count",
    "sum heka_disk_write_bytes_total bytes",
    "sum heka_disk_writes_total count",
  ]);
});

Deno.test("K5 (kept): the console prints Prometheus text to standard output, with log lines elsewhere", async () => {
  await inFolder(async (folder) => {
    const { code, stdout, stderr } = await sonde(folder, ["once"], { env: { EXPORTER_TYPE: "console" } });
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^# TYPE heka_memory_virtual_used_bytes gauge\nheka_memory_virtual_used_bytes \d+$/m);
    for (const line of stdout.trimEnd().split("\n")) {
      assertMatch(line, /^(?:# |[a-zA-Z_:][\w:]*(?:\{.*\})? \S+$)/);
    }
  });
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`X4, W6 (fixed): ${signal} with a dead backend ends with 0 and keeps everything`, async () => {
    await using server = new FaultServer(answer(503));
    await inFolder(async (folder) => {
      const env = { ...http(server), CPU_POLL_INTERVAL_SECONDS: "0.3", SONDE_SHUTDOWN_TIMEOUT: "1s" };
      await using program = new Program(folder, ["run"], { env });
      await server.waitFor(2);
      program.signal(signal);
      const { code, stderr } = await program.finish();
      assertEquals(code, 0, stderr);
      const { stdout } = await sonde(folder, ["spool", "ls"], { env });
      assert(stdout.trim().split("\n").length > 2, stdout);
    });
  });
}

Deno.test("every row of Heka's tests and every decision has a test that says what became of it", async () => {
  const texts = await Promise.all(
    [...Deno.readDirSync(new URL(".", import.meta.url))].filter(({ name }) => name.endsWith("_test.ts"))
      .map(({ name }) => Deno.readTextFile(new URL(name, import.meta.url))),
  );
  const all = texts.join("\n");
  const marked = all.matchAll(/\brows? (\d+(?:(?:, | and )\d+)*) \((?:kept|fixed|different|reversed)\)/g);
  const rows = new Set([...marked].flatMap(([, numbers = ""]) => numbers.split(/, | and /).map(Number)));
  // Two rows of one loop, whose title is a template.
  assertStringIncludes(all, "heka 15 row ${row} (kept): a 429 waits");
  assertStringIncludes(all, "of [[24, 2], [45, 20]] as const");
  const missing = Array.from({ length: 64 }, (_, at) => at + 1).filter((row) =>
    !rows.has(row) && row !== 24 && row !== 45
  );
  assertEquals(missing, []);
  const titles = [...all.matchAll(/(?:Deno\.test\(|peerTest\(|title:)\s*(["`])(.*?)\1/g)].map(([, , title]) =>
    title
  );
  const decisions = [["K", 6], ["X", 11]] as const;
  const ids = decisions.flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, at) => `${letter}${at + 1}`)
  );
  assertEquals(ids.filter((id) => !titles.some((title) => new RegExp(`\\b${id}\\b`).test(title ?? ""))), []);
});
