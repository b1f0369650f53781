/** OTEL_* variables by otlp.md section 2: endpoints (P3), headers (F45), numbers and words. */
import { assertEquals, assertThrows } from "@std/assert";
import { parseAttributes, parseHeaders } from "../config/header_list.ts";
import { lines, load, settingsOf } from "./config_files.ts";

function urls(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(settingsOf({ env }).lanes.map(({ signal, url }) => [signal, url]));
}

const BASE = "OTEL_EXPORTER_OTLP_ENDPOINT";
const METRICS = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

const endpoints: readonly (readonly [env: Readonly<Record<string, string>>, metrics: string])[] = [
  [{ OTEL_METRICS_EXPORTER: "otlp" }, "http://localhost:4318/v1/metrics"],
  [{ [BASE]: "http://c:4318" }, "http://c:4318/v1/metrics"],
  [{ [BASE]: "http://c:4318/" }, "http://c:4318/v1/metrics"],
  [{ [BASE]: "http://c:4318/my" }, "http://c:4318/my/v1/metrics"],
  [{ [BASE]: "http://c:4318/my/" }, "http://c:4318/my/v1/metrics"],
  [{ [BASE]: "https://c" }, "https://c/v1/metrics"],
  [{ [BASE]: "HTTP://C:80/A%20b/" }, "HTTP://C:80/A%20b/v1/metrics"],
  [{ [BASE]: "http://[::1]:4318" }, "http://[::1]:4318/v1/metrics"],
  [{ [BASE]: "http://c:4318//" }, "http://c:4318//v1/metrics"],
  [{ [METRICS]: "http://c:4318" }, "http://c:4318/"],
  [{ [METRICS]: "http://c:4318/" }, "http://c:4318/"],
  [{ [METRICS]: "http://c:4318/my/path" }, "http://c:4318/my/path"],
  [{ [METRICS]: "http://m:4318/v1/metrics", [BASE]: "http://c:4318" }, "http://m:4318/v1/metrics"],
];

for (const [env, expected] of endpoints) {
  Deno.test(`otlp P3: ${JSON.stringify(env)} sends metrics to ${expected}`, () => {
    assertEquals(urls(env)["metrics"], expected);
  });
}

Deno.test("otlp P3: a signal's endpoint leaves the other signals where they were", () => {
  assertEquals(urls({ [METRICS]: "http://m/x", [BASE]: "http://c:4318/b" }), {
    metrics: "http://m/x",
    logs: "http://c:4318/b/v1/logs",
    traces: "http://c:4318/b/v1/traces",
  });
});

const headers:
  readonly (readonly [text: string, headers: Readonly<Record<string, string>>, warnings: number])[] = [
    ["a=1", { a: "1" }, 0],
    ["a=1,b=2", { a: "1", b: "2" }, 0],
    [" a = 1 , b=2 ", { a: "1", b: "2" }, 0],
    ["a=1,,b=2,", { a: "1", b: "2" }, 0],
    ["authorization=Basic dXNlcjpwdw==", { authorization: "Basic dXNlcjpwdw==" }, 0],
    ["authorization=Basic%20dXNlcjpwdw==", { authorization: "Basic dXNlcjpwdw==" }, 0],
    ["a=b%2Cc%3Dd", { a: "b,c=d" }, 0],
    ["a=b+c", { a: "b+c" }, 0],
    ["Api-Key=x", { "api-key": "x" }, 0],
    ["a=", { a: "" }, 0],
    ["a=100%", { a: "100%" }, 1],
    ["a=%zz", { a: "%zz" }, 1],
    ["a=1;meta=2", { a: "1;meta=2" }, 1],
    ["a=1,A=2", { a: "2" }, 1],
    ["a%20=1", { "a%20": "1" }, 0],
    ["a=%C3%A9", { a: "é" }, 0],
  ];
for (const [text, expected, warnings] of headers) {
  Deno.test(`otlp F45: parseHeaders() reads ${text}`, () => {
    const list = parseHeaders(text);
    assertEquals(list.headers, expected);
    assertEquals(list.warnings.length, warnings);
  });
}

const injections = [
  "a=x%0d%0aEvil: 1",
  "a=x%0A",
  "a=x%00",
  "a=x\r\nb",
  "a",
  "=x",
  "a b=x",
  "é=x",
  "content-length=1",
  "Host=x",
  "a=%E2%82%AC",
];
for (const text of injections) {
  Deno.test(`otlp F45: parseHeaders() refuses ${JSON.stringify(text)} without quoting its value`, () => {
    const error = assertThrows(() => parseHeaders(text));
    assertEquals(error instanceof Error && error.message.includes("x%"), false);
  });
}

Deno.test("parseAttributes() decodes names and values, and refuses the whole text for one bad entry", () => {
  assertEquals(parseAttributes("a=1, b%2Cc = d%3De ,"), { a: "1", "b,c": "d=e" });
  for (const text of ["a=1,b", "a=1,b=%zz", "a=1=2", "=1"]) {
    assertThrows(() => parseAttributes(text), SyntaxError);
  }
});

Deno.test("loadConfig() replaces general OTEL headers by the signal's", () => {
  const { lanes } = settingsOf({
    env: { [BASE]: "http://c", OTEL_EXPORTER_OTLP_HEADERS: "a=1", OTEL_EXPORTER_OTLP_METRICS_HEADERS: "b=2" },
  });
  assertEquals(lanes.map(({ signal, headers }) => [signal, headers]), [
    ["metrics", { b: "2" }],
    ["logs", { a: "1" }],
    ["traces", { a: "1" }],
  ]);
});

Deno.test("loadConfig() reads OTEL timeouts in milliseconds, 0 as no limit", () => {
  const timeout = (text: string) =>
    settingsOf({ env: { [BASE]: "http://c", OTEL_EXPORTER_OTLP_TIMEOUT: text } }).lanes[0]?.timeoutMs;
  assertEquals([timeout("2500"), timeout("0"), timeout("-1"), timeout("5s")], [
    2500,
    600_000,
    10_000,
    10_000,
  ]);
});

const ignored: readonly (readonly [name: string, text: string])[] = [
  ["OTEL_EXPORTER_OTLP_TIMEOUT", "ten"],
  ["OTEL_EXPORTER_OTLP_PROTOCOL", "http/xml"],
  ["OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"],
  ["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sideways"],
  ["OTEL_METRIC_EXPORT_INTERVAL", "1e3"],
  ["OTEL_METRIC_EXPORT_INTERVAL", "0"],
  ["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "constructor"],
  ["OTEL_RESOURCE_ATTRIBUTES", "a=1,b"],
  ["OTEL_LOG_LEVEL", "loud"],
  ["OTEL_METRICS_EXPORTER", "prometheus"],
  ["OTEL_CONFIG_FILE", "/x.yaml"],
];
for (const [name, text] of ignored) {
  Deno.test(`loadConfig() warns of ${name}=${text} and ignores it`, () => {
    const loaded = load({ env: { [name]: text } });
    assertEquals(loaded.problems, []);
    assertEquals(lines(loaded.warnings).length, 1);
    assertEquals(lines(loaded.warnings)[0]?.startsWith(`environment  ${name}  `), true);
  });
}

Deno.test("loadConfig() maps the remaining OTEL variables", () => {
  const settings = settingsOf({
    env: {
      [BASE]: "http://c",
      OTEL_EXPORTER_OTLP_PROTOCOL: "HTTP/JSON",
      OTEL_EXPORTER_OTLP_COMPRESSION: "none",
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "Delta",
      OTEL_METRIC_EXPORT_INTERVAL: "2500",
      OTEL_LOG_LEVEL: "DEBUG",
      OTEL_SDK_DISABLED: "TRUE",
      OTEL_LOGS_EXPORTER: "none",
    },
  });
  const [lane] = settings.lanes;
  assertEquals([lane?.encoding, lane?.compression, lane?.temporality], ["json", "none", "delta"]);
  assertEquals(settings.lanes.map(({ signal }) => signal), ["metrics", "traces"]);
  assertEquals([settings.intervalMs, settings.log.level, settings.hasSelfTelemetry], [2500, "debug", false]);
});

Deno.test("loadConfig() keeps host counters cumulative for the low-memory preference", () => {
  const env = { [BASE]: "http://c", OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "LowMemory" };
  assertEquals(settingsOf({ env }).lanes[0]?.temporality, "cumulative");
});

Deno.test("loadConfig() prints for OTEL_METRICS_EXPORTER=console and sends nothing", () => {
  const settings = settingsOf({ env: { OTEL_METRICS_EXPORTER: "console", [BASE]: "http://c" } });
  assertEquals([settings.isConsole, settings.lanes.length], [true, 0]);
});
