/** Heka's and the histogram sender's variables (heka.md sections 3, 4, 8, 9, 15, 16) as settings of sonde. */
import { assertEquals, assertThrows } from "@std/assert";
import { parsePairs, parseSeconds, parseWhole } from "../config/older.ts";
import { lines, load, settingsOf } from "./config_files.ts";

const HTTP = { EXPORTER_TYPE: "otlp_http", OTLP_HTTP_ENDPOINT: "http://h:1234/any/path" };

function metricsLane(env: Readonly<Record<string, string>>) {
  const lane = settingsOf({ env }).lanes.find(({ signal }) => signal === "metrics");
  if (lane === undefined) throw new Error("no metrics lane");
  return lane;
}

Deno.test("Heka's otlp_http keeps its URL, JSON, retry profile, names and interval", () => {
  const { url, encoding, retry } = metricsLane(HTTP);
  assertEquals([url, encoding, retry.profile], ["http://h:1234/any/path", "json", "heka"]);
  const { overviewPrefix, intervalMs, heka } = settingsOf({ env: HTTP });
  assertEquals([overviewPrefix, intervalMs, heka.isOn], ["heka_", 5000, true]);
});

Deno.test("Heka's defaults give way to sonde's own keys", () => {
  const env = {
    ...HTTP,
    SONDE_INTERVAL: "20s",
    SONDE_RETRY_PROFILE: "otlp",
    SONDE_COMPAT_HEKA: "no",
    SONDE_PROTOCOL: "http/protobuf",
  };
  const settings = settingsOf({ env });
  assertEquals([settings.intervalMs, settings.overviewPrefix], [20_000, undefined]);
  assertEquals([settings.lanes[0]?.retry.profile, settings.lanes[0]?.encoding], ["otlp", "protobuf"]);
});

Deno.test("Heka's file turns its mode on and needs no EXPORTER_TYPE", () => {
  const files = {
    "/etc/heka-insights-agent/.env":
      "LOG_LOCATION=~/heka.log\nA line without equals\nOTLP_HTTP_TIMEOUT_SECONDS=9",
  };
  const settings = settingsOf({ files, env: { HOME: "/home/me" } });
  assertEquals([settings.isConsole, settings.intervalMs, settings.heka.logFile], [
    true,
    5000,
    "/home/me/heka.log",
  ]);
});

Deno.test("LOG_LOCATION means nothing outside Heka's mode", () => {
  assertEquals(settingsOf({ env: { LOG_LOCATION: "relative" } }).heka.logFile, undefined);
});

Deno.test("heka 15 rows 1, 5, 30 (kept): user headers, then agent id and key", () => {
  const env = {
    ...HTTP,
    OTLP_HTTP_HEADERS: "x-tenant=a b, X-Api-Key=user",
    HEKA_AGENT_ID: "me",
    HEKA_INTELLIGENCE_ENABLED: "YES",
    HEKA_API_KEY: "k",
  };
  assertEquals(metricsLane(env).headers, { "x-tenant": "a b", "x-api-key": "k", "x-agent-id": "me" });
});

Deno.test("heka 15 row 7 (kept), K4: New Relic's key, names and whole URL", () => {
  const env = {
    EXPORTER_TYPE: "newrelic_otlp",
    NEWRELIC_OTLP_ENDPOINT: "https://otlp.eu01.nr-data.net/v1/metrics",
    NEWRELIC_API_KEY: "right",
    NEWRELIC_SERVICE_NAME: "svc",
    NEWRELIC_ENVIRONMENT: "prod",
    NEWRELIC_HOST_NAME: "h1",
    OTLP_HTTP_HEADERS: "Api-Key=wrong,x-tenant=t",
    OTLP_RESOURCE_ATTRIBUTES: "service.name=old,team=core",
  };
  const settings = settingsOf({ env });
  assertEquals(settings.resourceAttributes, {
    "service.name": "svc",
    team: "core",
    "deployment.environment": "prod",
    "host.name": "h1",
  });
  assertEquals(
    settings.lanes.map(({ url }) => url),
    ["metrics", "logs", "traces"].map((each) => `https://otlp.eu01.nr-data.net/v1/${each}`),
  );
  assertEquals(settings.lanes[0]?.headers, { "api-key": "right", "x-tenant": "t" });
});

Deno.test("heka 15 row 10 (kept), K4: Datadog's site, tags and host name", () => {
  const env = {
    EXPORTER_TYPE: "Datadog_OTLP",
    DATADOG_SITE: "US3.datadoghq.com",
    DATADOG_API_KEY: "0".repeat(32),
    DATADOG_HOSTNAME: "web-1",
    DATADOG_TAGS: "env:prod, role:db:main",
    OTLP_RESOURCE_ATTRIBUTES: "env=dev",
  };
  const settings = settingsOf({ env });
  assertEquals(settings.lanes[0]?.url, "https://otlp.us3.datadoghq.com/v1/metrics");
  assertEquals(settings.lanes[0]?.headers["dd-api-key"], "0".repeat(32));
  assertEquals(settings.resourceAttributes, {
    env: "prod",
    "host.name": "web-1",
    "datadog.host.name": "web-1",
    role: "db:main",
  });
});

const fatal: readonly (readonly [env: Readonly<Record<string, string>>, key: string])[] = [
  [{ EXPORTER_TYPE: "carrier_pigeon" }, "EXPORTER_TYPE"],
  [{ EXPORTER_TYPE: "otlp_http" }, "SONDE_ENDPOINT"],
  [{ ...HTTP, OTLP_HTTP_ENDPOINT: "host-without-scheme" }, "OTLP_HTTP_ENDPOINT"],
  [{ ...HTTP, OTLP_HTTP_HEADERS: "a=1,b" }, "OTLP_HTTP_HEADERS"],
  [{ ...HTTP, OTLP_HTTP_HEADERS: "a=1," }, "OTLP_HTTP_HEADERS"],
  [{ ...HTTP, OTLP_RESOURCE_ATTRIBUTES: "a=" }, "OTLP_RESOURCE_ATTRIBUTES"],
  [{ ...HTTP, HEKA_INTELLIGENCE_ENABLED: "maybe" }, "HEKA_INTELLIGENCE_ENABLED"],
  [{ ...HTTP, HEKA_INTELLIGENCE_ENABLED: "1", HEKA_API_KEY: "k" }, "HEKA_INTELLIGENCE_ENABLED"],
  [{ ...HTTP, HEKA_INTELLIGENCE_ENABLED: "1", HEKA_AGENT_ID: "me" }, "HEKA_INTELLIGENCE_ENABLED"],
  [{ ...HTTP, LOG_LOCATION: "relative.log" }, "LOG_LOCATION"],
  [{ EXPORTER_TYPE: "datadog_otlp", DATADOG_SITE: "us5", DATADOG_API_KEY: "0".repeat(32) }, "DATADOG_SITE"],
  [{ EXPORTER_TYPE: "datadog_otlp", DATADOG_SITE: "datadoghq.eu", DATADOG_API_KEY: " " }, "SONDE_API_KEY"],
  [{
    EXPORTER_TYPE: "datadog_otlp",
    DATADOG_SITE: "datadoghq.eu",
    DATADOG_API_KEY: "0".repeat(32),
    DATADOG_TAGS: "a",
  }, "DATADOG_TAGS"],
  [{ DT_ENDPOINT: "https://d" }, "SONDE_API_KEY"],
];
for (const [env, key] of fatal) {
  Deno.test(`a fatal error of Heka's stays one: ${key} in ${JSON.stringify(env).slice(0, 90)}`, () => {
    assertEquals(lines(load({ env }).problems).map((line) => line.split("  ")[1]), [key]);
  });
}

Deno.test("heka 15 row 16 (kept): numbers that make no sense warn and leave the default", () => {
  const env = {
    ...HTTP,
    OTLP_HTTP_RETRY_MAX_ATTEMPTS: "0",
    OTLP_HTTP_TIMEOUT_SECONDS: "-1",
    OTLP_HTTP_RETRY_INITIAL_BACKOFF_SECONDS: "bad",
    OTLP_HTTP_RETRY_MAX_BACKOFF_SECONDS: "",
    OTLP_RETRY_AFTER_DEFAULT_SECONDS: "-2",
    OTLP_RETRY_AFTER_MAX_SECONDS: "bad",
    CPU_POLL_INTERVAL_SECONDS: "inf",
  };
  const { settings, warnings } = load({ env });
  assertEquals(warnings.length, 6);
  assertEquals(settings?.heka.retry, {
    attemptsMax: 5,
    initialBackoffMs: 1000,
    maxBackoffMs: 5000,
    retryAfterDefaultMs: 5000,
  });
  assertEquals([
    settings?.lanes[0]?.timeoutMs,
    settings?.lanes[0]?.retry.retryAfterMaxMs,
    settings?.intervalMs,
  ], [10_000, 300_000, 5000]);
});

Deno.test("heka 15 row 15 (kept): retry numbers are read, and a low cap is raised", () => {
  const env = {
    ...HTTP,
    OTLP_HTTP_RETRY_MAX_ATTEMPTS: "4",
    OTLP_HTTP_RETRY_INITIAL_BACKOFF_SECONDS: "0.5",
    OTLP_HTTP_RETRY_MAX_BACKOFF_SECONDS: "0.25",
    OTLP_RETRY_AFTER_DEFAULT_SECONDS: "0",
    OTLP_RETRY_AFTER_MAX_SECONDS: "1_20",
    OTLP_HTTP_TIMEOUT_SECONDS: "12",
  };
  const { heka, lanes } = settingsOf({ env });
  assertEquals(heka.retry, {
    attemptsMax: 4,
    initialBackoffMs: 500,
    maxBackoffMs: 500,
    retryAfterDefaultMs: 0,
  });
  assertEquals([lanes[0]?.timeoutMs, lanes[0]?.retry.retryAfterMaxMs], [12_000, 120_000]);
});

const dynatrace = [
  "https://d/api/v2/otlp",
  "https://d/api/v2/otlp/",
  "https://d/api/v2/otlp/v1/metrics",
  "https://d/api/v2/otlp/v1/metrics/",
];
for (const endpoint of dynatrace) {
  Deno.test(`K6 (kept): DT_ENDPOINT=${endpoint} alone sends delta protobuf to one path`, () => {
    const env = { DT_ENDPOINT: endpoint, DT_API_TOKEN: "dt0c01.x", INSECURE_SSL: "Yes", INTERVAL: "30" };
    const { url, headers, temporality, encoding, transport } = metricsLane(env);
    assertEquals(url, "https://d/api/v2/otlp/v1/metrics");
    assertEquals([headers["authorization"], temporality, encoding], [
      "Api-Token dt0c01.x",
      "delta",
      "protobuf",
    ]);
    assertEquals([transport.insecure, settingsOf({ env }).intervalMs], [true, 30_000]);
  });
}

Deno.test("INSECURE_SSL and INTERVAL of other programs mean nothing without DT_ENDPOINT", () => {
  const settings = settingsOf({ env: { SONDE_ENDPOINT: "http://h", INSECURE_SSL: "true", INTERVAL: "1" } });
  assertEquals([settings.lanes[0]?.transport.insecure, settings.intervalMs], [false, 10_000]);
});

Deno.test("each older variable gets one notice", () => {
  const notices = lines(load({ env: { DT_ENDPOINT: "https://d", DT_API_TOKEN: "dt0c01.x" } }).notices);
  assertEquals(notices, [
    "environment  DT_ENDPOINT  is read as SONDE_ENDPOINT",
    "environment  DT_API_TOKEN  is read as SONDE_API_KEY",
  ]);
});

Deno.test("parsePairs(), parseWhole() and parseSeconds() keep G1 to G4", () => {
  assertEquals(parsePairs(" a = 1 ,b=x=y", "="), [["a", "1"], ["b", "x=y"]]);
  assertEquals([parseWhole("+1_0"), parseSeconds("1e3"), parseSeconds(".5"), parseSeconds("2.")], [
    10,
    1000,
    0.5,
    2,
  ]);
  for (const text of ["10.0", "", "-1", "x"]) assertThrows(() => parseWhole(text), RangeError);
});
