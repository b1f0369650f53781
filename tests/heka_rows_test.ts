/**
 * Heka's own list of tests about configuration (heka.md 15; mapping and sending are in heka_sending_test.ts, the native
 * API in native_series_test.ts), each marked kept, fixed or different. docs/migration.md has the whole table.
 */
import { assert, assertEquals } from "@std/assert";
import { type Given, lines, load, settingsOf } from "./config_files.ts";

const HTTP = { EXPORTER_TYPE: "otlp_http", OTLP_HTTP_ENDPOINT: "http://h:1234/v1/metrics" } as const;
const DATADOG = {
  EXPORTER_TYPE: "datadog_otlp",
  DATADOG_SITE: "us5.datadoghq.com",
  DATADOG_API_KEY: "0123456789abcdef0123456789abcdef",
} as const;
const NEW_RELIC = {
  EXPORTER_TYPE: "newrelic_otlp",
  NEWRELIC_OTLP_ENDPOINT: "https://otlp.nr-data.net/v1/metrics",
  NEWRELIC_API_KEY: "k",
  NEWRELIC_SERVICE_NAME: "svc",
} as const;

type Env = Readonly<Record<string, string>>;

function laneOf(env: Env) {
  const lane = settingsOf({ env }).lanes.find(({ signal }) => signal === "metrics");
  if (lane === undefined) throw new Error("no metrics lane");
  return lane;
}

interface Good {
  readonly title: string;
  readonly env: Env;
  readonly found: (env: Env) => unknown;
  readonly expected: unknown;
}

const headersOf = (env: Env) => laneOf(env).headers;
const attributesOf = (env: Env) => settingsOf({ env }).resourceAttributes;

const GOOD: readonly Good[] = [
  {
    title: "row 1 (kept): two headers, a value with a space",
    env: { ...HTTP, OTLP_HTTP_HEADERS: "authorization=Bearer x y, x-tenant=t" },
    found: headersOf,
    expected: { authorization: "Bearer x y", "x-tenant": "t" },
  },
  {
    title: "row 2 (kept): attributes with dots in their keys",
    env: { ...HTTP, OTLP_RESOURCE_ATTRIBUTES: "service.name=s,host.name=h" },
    found: attributesOf,
    expected: { "service.name": "s", "host.name": "h" },
  },
  {
    title: "row 3 (kept): nothing set gives no headers and no attributes",
    env: HTTP,
    found: (env) => [headersOf(env), attributesOf(env), settingsOf({ env }).heka.agent],
    expected: [{}, {}, {}],
  },
  {
    title: "rows 5, 30 (kept): intelligence adds both headers, and its key beats a user's",
    env: {
      ...HTTP,
      OTLP_HTTP_HEADERS: "x-api-key=mine",
      HEKA_AGENT_ID: "a",
      HEKA_API_KEY: "k",
      HEKA_INTELLIGENCE_ENABLED: "on",
    },
    found: headersOf,
    expected: { "x-agent-id": "a", "x-api-key": "k" },
  },
  {
    title: "row 30 (kept): intelligence is otlp_http's: nobody else is sent its key, or asked for it",
    env: { ...NEW_RELIC, HEKA_INTELLIGENCE_ENABLED: "1", HEKA_API_KEY: "secret" },
    found: headersOf,
    expected: { "api-key": "k" },
  },
  {
    title:
      "row 34 (different): headers that describe the body are sonde's own, whatever OTLP_HTTP_HEADERS says",
    env: { ...HTTP, OTLP_HTTP_HEADERS: "Content-Type=text/plain,x=1,host=h" },
    found: headersOf,
    expected: { x: "1" },
  },
  {
    title: "row 17 (different): us5's URL, the key's header and the one that makes attributes tags",
    env: {
      ...DATADOG,
      DATADOG_HOSTNAME: "h",
      DATADOG_TAGS: "env:prod",
      OTLP_HTTP_HEADERS: "dd-api-key=wrong",
    },
    found: (env) => [laneOf(env).url, Object.keys(headersOf(env)).sort(), headersOf(env)["dd-api-key"]],
    expected: [
      "https://otlp.us5.datadoghq.com/v1/metrics",
      ["dd-api-key", "dd-otel-metric-config"],
      DATADOG.DATADOG_API_KEY,
    ],
  },
  {
    title: "row 18 (kept): datadog_native is an exporter",
    env: { ...DATADOG, EXPORTER_TYPE: "datadog_native" },
    found: (env) => laneOf(env).encoding,
    expected: "native",
  },
  {
    title: "rows 26, 29 (kept): otlp_http with its headers and attributes",
    env: { ...HTTP, OTLP_HTTP_HEADERS: "a=1,b=2", OTLP_RESOURCE_ATTRIBUTES: "z=1,a=2" },
    found: (
      env,
    ) => [laneOf(env).preset, Object.keys(headersOf(env)).length, Object.keys(attributesOf(env)).length],
    expected: ["otlp_http", 2, 2],
  },
  {
    title: "row 53 (different): values of the environment stay strings",
    env: { ...HTTP, OTLP_RESOURCE_ATTRIBUTES: "count=12" },
    found: attributesOf,
    expected: { count: "12" },
  },
  {
    title: "an unused variable (kept): DATADOG_ENABLED is taken and means nothing",
    env: { ...HTTP, DATADOG_ENABLED: "true" },
    found: (env) => lines(load({ env }).warnings),
    expected: [],
  },
  {
    title: "X1 (different): HEKA_AGENT_ID is sent where it is set, and not needed otherwise",
    env: { ...NEW_RELIC, HEKA_AGENT_ID: "me" },
    found: headersOf,
    expected: { "api-key": "k", "x-agent-id": "me" },
  },
  {
    title: "K1 (kept): an exporter's name in any case, booleans in any case",
    env: { ...HTTP, EXPORTER_TYPE: "OTLP_HTTP", HEKA_INTELLIGENCE_ENABLED: "Off" },
    found: (env) => laneOf(env).preset,
    expected: "otlp_http",
  },
  {
    title: "W22 (fixed): a value with a comma can be written percent-encoded in sonde's own key",
    env: { ...HTTP, SONDE_HEADERS: "x=a%2Cb" },
    found: headersOf,
    expected: { x: "a,b" },
  },
];
for (const { title, env, found, expected } of GOOD) {
  Deno.test(`heka 15 ${title}`, () => assertEquals(found(env), expected));
}

interface Bad {
  readonly title: string;
  readonly env: Env;
  /** Variable that the problem names. */
  readonly key: string;
  readonly words: RegExp;
}

const BAD: readonly Bad[] = [
  {
    title: "row 4 (kept): a pair without =",
    env: { ...HTTP, OTLP_HTTP_HEADERS: "a=1,b" },
    key: "OTLP_HTTP_HEADERS",
    words: /entry 2/,
  },
  {
    title: "row 4 (kept): an empty value",
    env: { ...HTTP, OTLP_HTTP_HEADERS: "a=" },
    key: "OTLP_HTTP_HEADERS",
    words: /entry 1/,
  },
  {
    title: "row 6 (fixed): intelligence without an id",
    env: { ...HTTP, HEKA_INTELLIGENCE_ENABLED: "1", HEKA_API_KEY: "k" },
    key: "HEKA_INTELLIGENCE_ENABLED",
    words: /HEKA_AGENT_ID/,
  },
  {
    title: "rows 6, 31 (fixed): intelligence without a key",
    env: { ...HTTP, HEKA_INTELLIGENCE_ENABLED: "1", HEKA_AGENT_ID: "a" },
    key: "HEKA_INTELLIGENCE_ENABLED",
    words: /HEKA_API_KEY/,
  },
  {
    title: "row 8 (kept): New Relic without a key",
    env: { ...NEW_RELIC, NEWRELIC_API_KEY: "" },
    key: "SONDE_API_KEY",
    words: /NEWRELIC_API_KEY/,
  },
  {
    title: "row 8 (kept): New Relic without an endpoint",
    env: { ...NEW_RELIC, NEWRELIC_OTLP_ENDPOINT: "" },
    key: "NEWRELIC_OTLP_ENDPOINT",
    words: /EXPORTER_TYPE=newrelic_otlp needs it/,
  },
  {
    title: "row 8 (kept): New Relic without a service name",
    env: { ...NEW_RELIC, NEWRELIC_SERVICE_NAME: " " },
    key: "NEWRELIC_SERVICE_NAME",
    words: /EXPORTER_TYPE=newrelic_otlp needs it/,
  },
  {
    title: "row 9 (kept): New Relic with a word for an endpoint",
    env: { ...NEW_RELIC, NEWRELIC_OTLP_ENDPOINT: "relative" },
    key: "NEWRELIC_OTLP_ENDPOINT",
    words: /not an absolute/,
  },
  {
    title: "row 11 (kept): a site that is none",
    env: { ...DATADOG, DATADOG_SITE: "us1.datadoghq.com" },
    key: "DATADOG_SITE",
    words: /ap1\.datadoghq\.com, ap2/,
  },
  {
    title: "row 13 (kept): a tag without a colon",
    env: { ...DATADOG, DATADOG_TAGS: "prod" },
    key: "DATADOG_TAGS",
    words: /entry 1/,
  },
  {
    title: "row 14 (kept): a key of blanks",
    env: { ...DATADOG, DATADOG_API_KEY: "  " },
    key: "SONDE_API_KEY",
    words: /DATADOG_API_KEY/,
  },
  {
    title: "row 27 (kept): no endpoint",
    env: { EXPORTER_TYPE: "otlp_http" },
    key: "SONDE_ENDPOINT",
    words: /OTLP_HTTP_ENDPOINT/,
  },
  {
    title: "row 32 (kept): headers that are no list",
    env: { ...HTTP, OTLP_HTTP_HEADERS: "nonsense" },
    key: "OTLP_HTTP_HEADERS",
    words: /key=value/,
  },
  {
    title: "row 33 (kept): attributes that are no list",
    env: { ...HTTP, OTLP_RESOURCE_ATTRIBUTES: "nonsense" },
    key: "OTLP_RESOURCE_ATTRIBUTES",
    words: /key=value/,
  },
  {
    title: "row 48 (kept): a host without a scheme",
    env: { ...HTTP, OTLP_HTTP_ENDPOINT: "h:4318/v1/metrics" },
    key: "OTLP_HTTP_ENDPOINT",
    words: /absolute/,
  },
  {
    title: "K1 (kept): an exporter that does not exist is told which do",
    env: { EXPORTER_TYPE: "kafka" },
    key: "EXPORTER_TYPE",
    words: /datadog_native.*newrelic_otlp/,
  },
  {
    title: "X3 (kept): a log file that is not absolute",
    env: { ...HTTP, LOG_LOCATION: "agent.log" },
    key: "LOG_LOCATION",
    words: /absolute/,
  },
];
for (const { title, env, key, words } of BAD) {
  Deno.test(`heka 15 ${title} ends the start`, () => {
    const [only, ...others] = load({ env }).problems;
    assertEquals([only?.key, others], [key, []]);
    assert(words.test(`${only?.what} ${only?.next}`), `${only?.what} ${only?.next}`);
  });
}

const NUMBERS: readonly (readonly [variable: string, bad: readonly string[]])[] = [
  ["CPU_POLL_INTERVAL_SECONDS", ["0", "-1", "nan", "inf", "x"]],
  ["OTLP_HTTP_TIMEOUT_SECONDS", ["0", "10.0", "x"]],
  ["OTLP_HTTP_RETRY_MAX_ATTEMPTS", ["0", "-1", "1.5"]],
  ["OTLP_HTTP_RETRY_INITIAL_BACKOFF_SECONDS", ["0", "bad"]],
  ["OTLP_HTTP_RETRY_MAX_BACKOFF_SECONDS", ["0", "bad"]],
  ["OTLP_RETRY_AFTER_DEFAULT_SECONDS", ["-2", "1.5"]],
  ["OTLP_RETRY_AFTER_MAX_SECONDS", ["0", "bad"]],
];
for (const [variable, bad] of NUMBERS) {
  Deno.test(`heka 15 rows 16, 43 (kept): ${variable} that makes no sense warns and leaves the default`, () => {
    const usual = settingsOf({ env: HTTP });
    for (const text of bad) {
      const { settings, warnings } = load({ env: { ...HTTP, [variable]: text } });
      assertEquals(warnings.map(({ key }) => key), [variable], text);
      assertEquals(settings?.lanes, usual.lanes);
      assertEquals(settings?.intervalMs, usual.intervalMs);
    }
  });
}

Deno.test("K1 (kept): the environment wins over the file, also with an empty value", () => {
  const file = {
    "/etc/heka-insights-agent/.env": "EXPORTER_TYPE=otlp_http\nOTLP_HTTP_ENDPOINT=http://f/v1/metrics\n",
  };
  const both: Given = { files: file, env: { OTLP_HTTP_ENDPOINT: "http://e/v1/metrics" } };
  assertEquals(settingsOf(both).lanes[0]?.url, "http://e/v1/metrics");
  assertEquals(load({ files: file, env: { OTLP_HTTP_ENDPOINT: " " } }).problems.map(({ key }) => key), [
    "SONDE_ENDPOINT",
  ]);
});
