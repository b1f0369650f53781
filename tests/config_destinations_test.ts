/** Destinations of design 7: which preset is implied, several at once, and no credential sent to another origin. */
import { assert, assertEquals } from "@std/assert";
import { type Given, lines, load, settingsOf } from "./config_files.ts";

const implied: readonly (readonly [title: string, given: Given, preset: string])[] = [
  ["nothing", {}, "console"],
  ["an endpoint", { env: { SONDE_ENDPOINT: "http://h" } }, "otlp"],
  ["OTEL's endpoint", { env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://h" } }, "otlp"],
  ["a signal's endpoint", { env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://h" } }, "otlp"],
  ["OTEL_METRICS_EXPORTER=otlp", { env: { OTEL_METRICS_EXPORTER: "otlp" } }, "otlp"],
  ["DT_ENDPOINT", { env: { DT_ENDPOINT: "https://d", DT_API_TOKEN: "dt0c01.x" } }, "dynatrace"],
  ["a preset beside DT_ENDPOINT", { env: { DT_ENDPOINT: "https://d", SONDE_PRESET: "console" } }, "console"],
  ["EXPORTER_TYPE", { env: { EXPORTER_TYPE: "OTLP_HTTP", OTLP_HTTP_ENDPOINT: "http://h/x" } }, "otlp_http"],
  ["a preset in capitals", { env: { SONDE_PRESET: "OTLP" } }, "otlp"],
];
for (const [title, given, preset] of implied) {
  Deno.test(`loadConfig() follows preset ${preset} for ${title}`, () => {
    const settings = settingsOf(given);
    assertEquals(settings.destinations, [{ name: "default", preset }]);
    assertEquals(settings.isConsole, preset === "console");
  });
}

Deno.test("loadConfig() keeps named destinations apart from the unnamed one", () => {
  const { lanes } = settingsOf({
    env: {
      SONDE_DESTINATIONS: "default,a,b2",
      SONDE_ENDPOINT: "http://u",
      SONDE_API_KEY: "key-u",
      SONDE_HEADERS: "x=u",
      SONDE_TIMEOUT: "7s",
      SONDE_TEMPORALITY: "cumulative",
      SONDE_A_PRESET: "splunk",
      SONDE_A_REGION: "eu0",
      SONDE_A_API_KEY: "key-a",
      SONDE_B2_ENDPOINT: "http://b",
      SONDE_B2_TIMEOUT: "3s",
      SONDE_B2_TEMPORALITY: "delta",
    },
  });
  const metrics = lanes.filter(({ signal }) => signal === "metrics")
    .map(({ destination, url, headers, timeoutMs, temporality }) => ({
      destination,
      url,
      headers,
      timeoutMs,
      temporality,
    }));
  assertEquals(metrics, [
    {
      destination: "default",
      url: "http://u/v1/metrics",
      headers: { x: "u", authorization: "Bearer key-u" },
      timeoutMs: 7000,
      temporality: "cumulative",
    },
    {
      destination: "a",
      url: "https://ingest.eu0.signalfx.com/v2/datapoint/otlp",
      headers: { "x-sf-token": "key-a" },
      timeoutMs: 7000,
      temporality: "cumulative",
    },
    { destination: "b2", url: "http://b/v1/metrics", headers: {}, timeoutMs: 3000, temporality: "delta" },
  ]);
});

Deno.test("loadConfig() reads a named destination's key from its file", () => {
  const { lanes } = settingsOf({
    env: { SONDE_DESTINATIONS: "a", SONDE_A_ENDPOINT: "http://a", SONDE_A_API_KEY_FILE: "/k" },
    files: { "/k": "secret\n" },
  });
  assertEquals(lanes[0]?.headers, { authorization: "Bearer secret" });
});

const FILE = "/etc/sonde/sonde.env";
const inFile = {
  [FILE]:
    "SONDE_ENDPOINT=https://a.example:4318\nSONDE_API_KEY=topsecret\nSONDE_HEADERS=x=topsecret\nSONDE_INSECURE_SSL=true",
};

const moved: readonly (readonly [title: string, given: Given])[] = [
  ["a flag", { files: inFile, flags: { SONDE_ENDPOINT: "http://b.example" } }],
  ["the environment", { files: inFile, env: { SONDE_ENDPOINT: "http://b.example" } }],
  ["OTEL in the environment", { files: inFile, env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://b.example" } }],
  ["another port", { files: inFile, flags: { SONDE_ENDPOINT: "https://a.example:4319" } }],
  ["another scheme", { files: inFile, flags: { SONDE_ENDPOINT: "http://a.example:4318" } }],
];
for (const [title, given] of moved) {
  Deno.test(`loadConfig() drops the file's credentials when ${title} moves the endpoint, and says so`, () => {
    const { settings, warnings } = load(given);
    assertEquals(settings?.lanes.map(({ headers }) => headers), [{}, {}, {}]);
    assertEquals(settings?.lanes[0]?.transport.insecure, false);
    const texts = lines(warnings);
    assertEquals(texts.length, 3);
    assert(
      texts.every((line) => line.startsWith(`${FILE}:`) && line.includes("is not used: ")),
      texts.join("\n"),
    );
    assert(!texts.join().includes("topsecret"));
  });
}

Deno.test("loadConfig() keeps credentials when a higher layer only changes the path", () => {
  const { lanes } = settingsOf({ files: inFile, flags: { SONDE_ENDPOINT: "https://a.example:4318/other" } });
  assertEquals(lanes[0]?.headers, { x: "topsecret", authorization: "Bearer topsecret" });
});

Deno.test("loadConfig() keeps credentials that stand beside the endpoint or above it", () => {
  const env = { SONDE_ENDPOINT: "http://b.example", SONDE_API_KEY_FILE: "/k" };
  const { lanes } = settingsOf({ files: { ...inFile, "/k": "mine" }, env });
  assertEquals(lanes[0]?.headers, { authorization: "Bearer mine" });
});

Deno.test("loadConfig() treats a preset chosen below as an address of its own", () => {
  const files = { [FILE]: "SONDE_PRESET=honeycomb\nSONDE_API_KEY=topsecret\nSONDE_DATASET=d" };
  const { problems } = load({ files, env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://b.example" } });
  assertEquals(lines(problems).map((line) => line.split("  ").slice(0, 2)), [[
    "configuration",
    "SONDE_API_KEY",
  ]]);
});

Deno.test("loadConfig() lets --endpoint try a preset's key elsewhere, as it was typed for this command", () => {
  const env = { SONDE_PRESET: "splunk", SONDE_API_KEY: "k", SONDE_REGION: "us0" };
  const { lanes } = settingsOf({ env, flags: { SONDE_ENDPOINT: "http://127.0.0.1:9999" } });
  assertEquals([lanes[0]?.url, lanes[0]?.headers], ["http://127.0.0.1:9999/v2/datapoint/otlp", {
    "x-sf-token": "k",
  }]);
});

Deno.test("loadConfig() reads certificates and keys as texts", () => {
  const cert = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
  const { lanes } = settingsOf({
    env: {
      SONDE_ENDPOINT: "https://h",
      SONDE_CA_FILE: "/ca",
      SONDE_CLIENT_CERT_FILE: "/c",
      SONDE_CLIENT_KEY_FILE: "/k",
      SONDE_PROXY: "http://u:p@proxy:3128",
    },
    files: { "/ca": `# a comment\n${cert}${cert}`, "/c": cert, "/k": key },
  });
  assertEquals(lanes[0]?.transport, {
    caCerts: [`# a comment\n${cert}${cert}`],
    clientCert: cert,
    clientKey: key,
    proxy: "http://u:p@proxy:3128",
    insecure: false,
  });
});

Deno.test("loadConfig() drops credentials only for the signal whose endpoint moved", () => {
  const { lanes } = settingsOf({
    files: inFile,
    env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://b.example/x" },
  });
  assertEquals(lanes.map(({ headers }) => Object.keys(headers).length), [0, 2, 2]);
});

const paths: readonly (readonly [env: Readonly<Record<string, string>>, warnings: number])[] = [
  [{ SONDE_ENDPOINT: "http://h/v1/metrics" }, 1],
  [{ SONDE_ENDPOINT: "http://h/v1/traces/" }, 1],
  [{ SONDE_ENDPOINT: "http://h/v1" }, 0],
  [{ SONDE_ENDPOINT: "http://h/api/v1/otlp/v1/metrics", SONDE_PRESET: "prometheus" }, 0],
  [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://h/v1/metrics" }, 0],
  [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://h:4318" }, 1],
  [{ EXPORTER_TYPE: "otlp_http", OTLP_HTTP_ENDPOINT: "http://h/" }, 1],
];
for (const [env, warnings] of paths) {
  Deno.test(`loadConfig() gives ${warnings} warnings of the path in ${JSON.stringify(env)}`, () => {
    assertEquals(lines(load({ env }).warnings).length, warnings);
  });
}

Deno.test("loadConfig() takes the retry profile of preset otlp_http even outside Heka's mode", () => {
  const env = { SONDE_PRESET: "otlp_http", SONDE_ENDPOINT: "http://h" };
  assertEquals(settingsOf({ env }).lanes[0]?.retry.profile, "heka");
});

Deno.test("loadConfig() puts accepted remote configuration below the file and above the preset", () => {
  const remote = { SONDE_INTERVAL: "3s", SONDE_TIMEOUT: "4s" };
  const settings = settingsOf({ files: { [FILE]: "SONDE_INTERVAL=2s\nSONDE_ENDPOINT=http://h" }, remote });
  assertEquals([settings.intervalMs, settings.lanes[0]?.timeoutMs], [2000, 4000]);
  assertEquals(lines(load({ remote: { SONDE_NOPE: "1" } }).problems), [
    "remote  SONDE_NOPE  unknown key  Did you mean SONDE_ROOT?",
  ]);
});
