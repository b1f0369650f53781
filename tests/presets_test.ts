/**
 * Every preset row against its golden file: the lanes that its sample settings give. `--update` after `--` rewrites
 * the files; review reads the diff.
 */
import { assert, assertEquals } from "@std/assert";
import type { Preset } from "../exporters/presets/preset.ts";
import { presetNamed, PRESETS } from "../exporters/presets/registry.ts";
import { fillHeaders, signalUrl } from "../exporters/presets/resolve.ts";
import { lines, load, settingsOf } from "./config_files.ts";

function sampleEnv(preset: Preset): Record<string, string> {
  const sample = Object.entries(preset.sample).map(([setting, text]) => [`SONDE_${setting}`, text]);
  return { SONDE_PRESET: preset.name, ...Object.fromEntries(sample) };
}

for (const preset of PRESETS) {
  Deno.test(`preset ${preset.name} gives the lanes of its golden file`, async () => {
    const { lanes } = settingsOf({ env: sampleEnv(preset) });
    const actual = `${JSON.stringify(lanes, null, 2)}\n`;
    const path = new URL(`fixtures/presets/${preset.name}.json`, import.meta.url);
    if (Deno.args.includes("--update")) await Deno.writeTextFile(path, actual);
    assertEquals(actual, await Deno.readTextFile(path));
  });

  Deno.test(`preset ${preset.name} says all a row must say`, () => {
    assert(preset.docs.startsWith("https://"), preset.docs);
    assert(preset.batchBytesMax > 0 && preset.batchItemsMax > 0 && preset.maxAgeMs >= 60_000);
    assert(preset.summary !== "" && !preset.summary.endsWith("."));
    for (const setting of preset.requires) {
      assert(preset.sample[setting] !== undefined, `no sample of ${setting}`);
    }
    for (const name of Object.keys(preset.headers)) assertEquals(name, name.toLowerCase());
  });

  Deno.test(`preset ${preset.name} names each required setting that is missing`, () => {
    const problems = lines(load({ env: { SONDE_PRESET: preset.name } }).problems);
    assertEquals(problems.length, preset.requires.length);
    for (const setting of preset.requires) {
      assert(
        problems.some((line) => line.startsWith(`configuration  SONDE_${setting}  is missing: preset`)),
        setting,
      );
    }
  });
}

/** Signal paths that are not OTLP's own. */
const PATHS: Readonly<Record<string, string>> = {
  prometheus: "/api/v1/otlp/v1/metrics",
  victoriametrics: "/opentelemetry/v1/metrics",
  mimir: "/otlp/v1/metrics",
  datadog_native: "/api/v2/series",
  splunk: "/v2/datapoint/otlp",
};

for (const preset of PRESETS.filter(({ signals }) => signals.metrics)) {
  Deno.test(`preset ${preset.name} keeps its signal path behind another endpoint`, () => {
    const url = "http://127.0.0.1:9999/base";
    const { lanes } = settingsOf({ env: { ...sampleEnv(preset), SONDE_ENDPOINT: url } });
    const lane = lanes.find(({ signal }) => signal === "metrics");
    assertEquals(lane?.url, url + (PATHS[preset.name] ?? "/v1/metrics"));
  });
}

const merged: readonly (readonly [preset: string, base: string, url: string])[] = [
  ["prometheus", "http://p:9090/api/v1/otlp", "http://p:9090/api/v1/otlp/v1/metrics"],
  ["prometheus", "http://p:9090/api/v1/otlp/v1/metrics", "http://p:9090/api/v1/otlp/v1/metrics"],
  ["prometheus", "http://p:9090/", "http://p:9090/api/v1/otlp/v1/metrics"],
  ["mimir", "http://m/otlp/", "http://m/otlp/v1/metrics"],
  ["victoriametrics", "http://v:8480/insert/0", "http://v:8480/insert/0/opentelemetry/v1/metrics"],
  ["dynatrace", "https://d/e/1/api/v2/otlp", "https://d/e/1/api/v2/otlp/v1/metrics"],
  ["dynatrace", "https://d/e/1/api/v2/otlp/v1/metrics", "https://d/e/1/api/v2/otlp/v1/metrics"],
];
for (const [name, url, expected] of merged) {
  Deno.test(`signalUrl() makes ${expected} of ${name} at ${url}`, () => {
    const preset = presetNamed(name);
    assert(preset !== undefined);
    assertEquals(signalUrl(preset, "metrics", { given: { url, kind: "base" }, fillings: {} }), expected);
  });
}

Deno.test("fillHeaders() adds a scheme word once and prefers basic authentication", () => {
  const templates = { authorization: ["Basic {basic}", "ApiKey {key}"] };
  assertEquals(fillHeaders(templates, { key: "k" }), { authorization: "ApiKey k" });
  assertEquals(fillHeaders(templates, { key: "apikey k" }), { authorization: "apikey k" });
  assertEquals(fillHeaders(templates, { key: "é", user: "u" }), { authorization: "Basic dTrDqQ==" });
  assertEquals(fillHeaders(templates, {}), {});
});

Deno.test("a preset's key header wins over a user's of any case", () => {
  const env = {
    SONDE_PRESET: "honeycomb",
    SONDE_API_KEY: "k",
    SONDE_DATASET: "d",
    SONDE_HEADERS: "X-Honeycomb-Team=evil,x=1",
  };
  assertEquals(settingsOf({ env }).lanes[0]?.headers, {
    "x-honeycomb-team": "k",
    x: "1",
    "x-honeycomb-dataset": "d",
  });
});

const regions: readonly (readonly [env: Record<string, string>, url: string])[] = [
  [{ SONDE_PRESET: "newrelic_otlp", SONDE_API_KEY: "k" }, "https://otlp.nr-data.net/v1/metrics"],
  [
    { SONDE_PRESET: "newrelic_otlp", SONDE_API_KEY: "k", SONDE_REGION: "EU" },
    "https://otlp.eu01.nr-data.net/v1/metrics",
  ],
  [
    { SONDE_PRESET: "newrelic_otlp", SONDE_API_KEY: "k", SONDE_REGION: "gov" },
    "https://gov-otlp.nr-data.net/v1/metrics",
  ],
  [
    { SONDE_PRESET: "honeycomb", SONDE_API_KEY: "k", SONDE_DATASET: "d", SONDE_REGION: "eu" },
    "https://api.eu1.honeycomb.io/v1/metrics",
  ],
];
for (const [env, url] of regions) {
  Deno.test(`${env["SONDE_PRESET"]} in region ${env["SONDE_REGION"] ?? "unset"} sends to ${url}`, () => {
    assertEquals(settingsOf({ env }).lanes[0]?.url, url);
  });
}

Deno.test("elastic refuses a service.name that its intake does not take", () => {
  const env = { SONDE_PRESET: "elastic", SONDE_ENDPOINT: "https://e", SONDE_API_KEY: "k" };
  const named = (name: string) =>
    load({ env: { ...env, SONDE_RESOURCE_ATTRIBUTES: `service.name=${name}` } }).problems;
  assertEquals(named("edge agent_1").length, 0);
  assertEquals(named("edge.agent").map(({ key }) => key), ["SONDE_RESOURCE_ATTRIBUTES"]);
});

Deno.test("an interval so short that the destination would keep one of two counts is a problem", () => {
  const env = { SONDE_REGION: "datadoghq.eu", SONDE_API_KEY: "0".repeat(32), SONDE_INTERVAL: "500ms" };
  for (const preset of ["datadog_otlp", "datadog_native"]) {
    assertEquals(load({ env: { ...env, SONDE_PRESET: preset } }).problems.map(({ key }) => key), [
      "SONDE_INTERVAL",
    ]);
    assertEquals(load({ env: { ...env, SONDE_PRESET: preset, SONDE_INTERVAL: "1s" } }).problems, []);
  }
  assertEquals(load({ env: { SONDE_ENDPOINT: "http://h", SONDE_INTERVAL: "500ms" } }).problems, []);
});

Deno.test("a signal's own age holds where the operator says none", () => {
  const env = {
    SONDE_PRESET: "dynatrace",
    SONDE_ENDPOINT: "https://d/api/v2/otlp",
    SONDE_API_KEY: "dt0c01.a",
  };
  const hours = (more: Record<string, string>) =>
    settingsOf({ env: { ...env, ...more } }).lanes.map(({ maxAgeMs }) => maxAgeMs / 3_600_000);
  assertEquals(hours({}), [1, 24, 1]);
  assertEquals(hours({ SONDE_SPOOL_MAX_AGE: "auto" }), [1, 24, 1]);
  assertEquals(hours({ SONDE_SPOOL_MAX_AGE: "2h" }), [2, 2, 2]);
});
