/** Datadog's own series API: bodies byte by byte (vendors.md 1.3), and Heka's rows 12 and 18 to 21 (heka.md 15). */
import { assertEquals, assertThrows } from "@std/assert";
import type { Attributes, Point } from "../collectors/metric.ts";
import { exampleFile } from "../config/example.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import { presetNamed } from "../exporters/presets/registry.ts";
import { metricName, type SeriesVersion, tagOf } from "../exporters/presets/datadog_series.ts";
import { splitRequest } from "../exporters/split.ts";
import { lines, load, settingsOf } from "./config_files.ts";
import { descriptor, point, roomy, scope, snapshot } from "./metrics_model.ts";

const TIME_NS = 1_763_712_010_900_000_000n;
const KEY = "0".repeat(32);

const reads = descriptor("system.disk.io", "counter", "int");
const used = descriptor("system.memory.usage", "updowncounter", "int");

function points(): Point[] {
  return [
    point({ descriptor: reads, attributes: { "system.device": "sda" } }, 4096, TIME_NS - 2_600_000_000n),
    point({ descriptor: used, attributes: {} }, 2n ** 40n),
    { ...point({ descriptor: reads, attributes: { "system.device": "gone" } }, 0), ended: true },
  ];
}

function seriesOf(
  version: SeriesVersion,
  { resource = {}, prefix, given = points() }: { resource?: Attributes; prefix?: string; given?: Point[] },
): unknown[] {
  const native = { format: `datadog_series_${version}`, options: prefix === undefined ? {} : { prefix } };
  const encoder = createMetricsEncoder({
    naming: "collector",
    encoding: "native",
    native,
    temporality: "delta",
  });
  const input = { resource, scope, snapshot: snapshot(given, TIME_NS) };
  const [encoded] = encoder.encode(input, roomy);
  assertEquals(encoded?.items, given.filter(({ ended }) => ended !== true).length);
  return JSON.parse(new TextDecoder().decode(encoded?.body)).series;
}

Deno.test("heka 15 rows 19, 21 (kept), X2: version 1 writes counts with their real interval, and gauges", () => {
  const resource = { "datadog.host.name": "web-1", "host.name": "kernel-name", env: "prod" };
  assertEquals(seriesOf("v1", { resource, prefix: "acme" }), [
    {
      metric: "acme.system.disk.io",
      points: [[1_763_712_010, 4096]],
      type: "count",
      interval: 3,
      host: "web-1",
      tags: ["device:sda", "env:prod"],
    },
    {
      metric: "acme.system.memory.usage",
      points: [[1_763_712_010, 2 ** 40]],
      type: "gauge",
      host: "web-1",
      tags: ["env:prod"],
    },
  ]);
});

Deno.test("version 2 writes types as numbers and the host as a resource", () => {
  assertEquals(seriesOf("v2", { resource: { "host.name": "h1", "service.name": "sonde" } }), [
    {
      metric: "system.disk.io",
      type: 1,
      points: [{ timestamp: 1_763_712_010, value: 4096 }],
      interval: 3,
      resources: [{ type: "host", name: "h1" }],
      tags: ["device:sda", "service:sonde"],
      unit: "byte",
    },
    {
      metric: "system.memory.usage",
      type: 3,
      points: [{ timestamp: 1_763_712_010, value: 2 ** 40 }],
      resources: [{ type: "host", name: "h1" }],
      tags: ["service:sonde"],
      unit: "byte",
    },
  ]);
});

Deno.test("heka 15 row 19 (kept): a tag of the host wins over the point's own of one key", () => {
  const [first] = seriesOf("v1", { resource: { device: "all" } });
  assertEquals(first, {
    metric: "system.disk.io",
    points: [[1_763_712_010, 4096]],
    type: "count",
    interval: 3,
    tags: ["device:all"],
  });
});

Deno.test("heka 15 row 20 (kept): the host is a point's label when none is configured, and stays a tag", () => {
  const given = [point({ descriptor: used, attributes: { host: "label-host" } }, 1)];
  const [series] = seriesOf("v1", { resource: { "host.name": "found" }, given });
  assertEquals(series, {
    metric: "system.memory.usage",
    points: [[1_763_712_010, 1]],
    type: "gauge",
    host: "label-host",
    tags: ["host:label-host"],
  });
});

Deno.test("a count of less than a second has an interval of one", () => {
  const given = [point({ descriptor: reads, attributes: {} }, 1, TIME_NS - 1n)];
  assertEquals(
    seriesOf("v2", { given }).map((one) => Object.entries(Object(one)).find(([key]) => key === "interval")),
    [
      ["interval", 1],
    ],
  );
});

Deno.test("metricName() puts the prefix in front once and keeps to the characters that are taken", () => {
  const cases: readonly (readonly [name: string, prefix: string | undefined, expected: string])[] = [
    ["heka_cpu_usage_percent", "heka", "heka.heka_cpu_usage_percent"],
    ["heka.cpu", "heka", "heka.cpu"],
    ["system.cpu.time", undefined, "system.cpu.time"],
    ["9 lives/é", undefined, "lives__"],
    ["x".repeat(300), undefined, "x".repeat(200)],
  ];
  for (const [name, prefix, expected] of cases) assertEquals(metricName(name, prefix), expected);
});

Deno.test("tagOf() keeps to the characters that are taken and drops empty values", () => {
  const cases: readonly (readonly [key: string, value: string, expected: string | undefined])[] = [
    ["Device", "/dev/SDA 1", "device:/dev/sda_1"],
    ["role", "db:main", "role:db:main"],
    ["9mode", "x", "mode:x"],
    ["empty", "", undefined],
    ["deployment.environment", "prod", "env:prod"],
    ["k", "v".repeat(300), `k:${"v".repeat(198)}`],
  ];
  for (const [key, value, expected] of cases) assertEquals(tagOf(key, value), expected);
});

Deno.test("splitRequest() halves a body of a destination's own by its list", () => {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ series: [1, 2, 3].map((n) => ({ metric: `m${n}` })) }),
  );
  const halves = splitRequest(bytes, { signal: "metrics", encoding: "native", items: 3 });
  assertEquals(halves.map(({ join, items }) => [items, new TextDecoder().decode(join())]), [
    [2, '{"series":[{"metric":"m1"},{"metric":"m2"}]}'],
    [1, '{"series":[{"metric":"m3"}]}'],
  ]);
});

const ENV = { DATADOG_SITE: "AP1.datadoghq.com", DATADOG_API_KEY: KEY } as const;
const URLS: readonly (readonly [env: Readonly<Record<string, string>>, path: string])[] = [
  [{ EXPORTER_TYPE: "datadog_native" }, "/api/v1/series"],
  [{ EXPORTER_TYPE: "datadog_native", DATADOG_API: "V2" }, "/api/v2/series"],
  [{ SONDE_PRESET: "datadog_native" }, "/api/v2/series"],
  [{ SONDE_PRESET: "datadog_native", DATADOG_API: "v1" }, "/api/v1/series"],
  [{ SONDE_PRESET: "datadog_native", EXPORTER_TYPE: "console" }, "/api/v2/series"],
];
for (const [env, path] of URLS) {
  Deno.test(`heka 15 row 12 (kept): ${JSON.stringify(env)} sends to ${path}`, () => {
    const settings = settingsOf({
      env: { ...ENV, ...env, DATADOG_HOSTNAME: "h", DATADOG_TAGS: "a:b", DATADOG_METRIC_PREFIX: ".acme." },
    });
    const [lane] = settings.lanes;
    assertEquals(lane?.url, `https://api.ap1.datadoghq.com${path}`);
    assertEquals(lane?.native, {
      format: path.includes("v1") ? "datadog_series_v1" : "datadog_series_v2",
      options: { prefix: "acme" },
    });
    assertEquals([lane?.batchBytesMax, lane?.temporality], [
      path.includes("v1") ? 3_000_000 : 450_000,
      "delta",
    ]);
    assertEquals(lane?.headers, { "dd-api-key": KEY });
    assertEquals(settings.resourceAttributes, { "host.name": "h", "datadog.host.name": "h", a: "b" });
  });
}

const wrong: readonly (readonly [env: Readonly<Record<string, string>>, key: string])[] = [
  [{ DATADOG_METRIC_PREFIX: "..." }, "DATADOG_METRIC_PREFIX"],
  [{ DATADOG_API: "v3" }, "DATADOG_API"],
  [{ DATADOG_SITE: "us5" }, "DATADOG_SITE"],
  [{ DATADOG_TAGS: "novalue:" }, "DATADOG_TAGS"],
];
for (const [env, key] of wrong) {
  Deno.test(`datadog_native refuses ${JSON.stringify(env)}`, () => {
    const { problems } = load({ env: { SONDE_PRESET: "datadog_native", ...ENV, ...env } });
    assertEquals(lines(problems).map((line) => line.split("  ")[1]), [key]);
  });
}

for (const site of ["uk1.datadoghq.com", "ddog-gov.com", "us2.ddog-gov.com"]) {
  Deno.test(`datadog_native takes the site ${site}, which has no OTLP intake`, () => {
    const env = { SONDE_PRESET: "datadog_native", DATADOG_API_KEY: KEY, DATADOG_SITE: site };
    assertEquals(settingsOf({ env }).lanes[0]?.url, `https://api.${site}/api/v2/series`);
    const refused = load({ env: { ...env, SONDE_PRESET: "datadog_otlp" } }).problems;
    assertEquals(refused.map(({ next }) => next.includes("datadog_native")), [true]);
  });
}

Deno.test("an encoder that no row has is our mistake", () => {
  const native = { format: "none", options: {} };
  assertThrows(
    () => createMetricsEncoder({ naming: "collector", encoding: "native", native }),
    Error,
    "BUG:",
  );
});

Deno.test("config example names the row's own variables, and loads", () => {
  const preset = presetNamed("datadog_native");
  if (preset === undefined) throw new Error("no row");
  const text = exampleFile(preset);
  for (const name of ["DATADOG_API", "DATADOG_METRIC_PREFIX"]) {
    assertEquals(text.includes(`\n#${name}=\n`), true);
  }
  assertEquals(load({ files: { "/etc/sonde/sonde.env": text } }).problems, []);
});
