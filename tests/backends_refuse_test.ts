/**
 * The enforcing fakes themselves: each refuses what the real backend refuses, with its status (vendors.md 10), and
 * `once` turns such refusals into exit codes and words.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Encoding, Temporality } from "../exporters/batch.ts";
import { createMetricsEncoder } from "../exporters/metrics_encoder.ts";
import { enforcing, JSON_TYPE, judge, type Judged, PROTOBUF } from "./backend_request.ts";
import { backendOf } from "./backends.ts";
import { FaultServer } from "./fault_server.ts";
import { descriptor, hostPoints, input, point, roomy, snapshot } from "./metrics_model.ts";
import { inFolder, sonde } from "./program.ts";

const NOW_NS = BigInt(Date.now()) * 1_000_000n;
const KEY = "0123456789abcdef0123456789abcdef";

/** A request of a host's points as the encoder writes it. */
function request(
  path: string,
  headers: Readonly<Record<string, string>>,
  { encoding = "protobuf", temporality = "delta", copies = 1 }: {
    encoding?: Encoding;
    temporality?: Temporality;
    copies?: number;
  } = {},
): Judged {
  const one = hostPoints().map((each) => ({
    ...each,
    startNs: each.startNs === 0n ? 0n : NOW_NS - 10n ** 10n,
  }));
  const points = Array.from({ length: copies }, () => one).flat();
  const encoder = createMetricsEncoder({
    ...{ naming: "collector", encoding, temporality },
    ...(encoding === "native" && { native: { format: "datadog_series_v2", options: {} } }),
  });
  const [encoded] = encoder.encode(input(snapshot(points, NOW_NS)), roomy);
  if (encoded === undefined) throw new Error("nothing to send");
  const type = encoding === "protobuf" ? PROTOBUF : JSON_TYPE;
  const length = String(encoded.body.length);
  return {
    path,
    headers: { "content-type": type, "content-length": length, ...headers },
    plain: encoded.body,
  };
}

const DYNATRACE = { authorization: "Api-Token dt0c01.a" };
const DATADOG = {
  "dd-api-key": KEY,
  "dd-otel-metric-config": '{"resource_attributes_as_tags":true,"histograms":{"mode":"distributions"}}',
};
const AXIOM = { authorization: "Bearer sample-token" };
const MIMIR = { "x-scope-orgid": "team-a" };

interface Case {
  readonly title: string;
  readonly backend: string;
  readonly request: Judged;
  /** Undefined: taken. */
  readonly status: number | undefined;
  readonly body?: RegExp;
}

const CASES: readonly Case[] = [
  {
    title: "V1: cumulative to Datadog",
    backend: "datadog_otlp",
    request: request("/v1/metrics", DATADOG, { temporality: "cumulative" }),
    status: 200,
    body: /rejectedDataPoints.*does not accept cumulative/,
  },
  {
    title: "V1: delta to Datadog",
    backend: "datadog_otlp",
    request: request("/v1/metrics", DATADOG),
    status: undefined,
  },
  {
    title: "more than 500 KB to Datadog",
    backend: "datadog_otlp",
    request: request("/v1/metrics", DATADOG, { copies: 50 }),
    status: 413,
  },
  {
    title: "no tag configuration to Datadog",
    backend: "datadog_otlp",
    request: request("/v1/metrics", { "dd-api-key": KEY }),
    status: 400,
  },
  {
    title: "V2: JSON to Dynatrace",
    backend: "dynatrace",
    request: request("/v1/metrics", DYNATRACE, { encoding: "json" }),
    status: 415,
  },
  {
    title: "V2: more than 15,000 points to Dynatrace",
    backend: "dynatrace",
    request: request("/v1/metrics", DYNATRACE, { copies: 80 }),
    status: 413,
  },
  {
    title: "V2: more than 4 MB to Dynatrace",
    backend: "dynatrace",
    request: { ...request("/v1/metrics", DYNATRACE), plain: new Uint8Array(4_000_001) },
    status: 413,
  },
  {
    title: "cumulative to Dynatrace",
    backend: "dynatrace",
    request: request("/v1/metrics", DYNATRACE, { temporality: "cumulative" }),
    status: 200,
    body: /UNSUPPORTED_METRIC_TYPE/,
  },
  {
    title: "V3: no key to New Relic",
    backend: "newrelic_otlp",
    request: request("/v1/metrics", {}),
    status: 401,
  },
  {
    title: "V3: more than 1 MB to New Relic",
    backend: "newrelic_otlp",
    request: request("/v1/metrics", { "api-key": "sample-licence-key" }, { copies: 100 }),
    status: 413,
  },
  {
    title: "V4: delta to Prometheus",
    backend: "prometheus",
    request: request("/api/v1/otlp/v1/metrics", {}),
    status: 500,
    body: /invalid temporality/,
  },
  {
    title: "V4: a content type with parameters to Prometheus",
    backend: "prometheus",
    request: request("/api/v1/otlp/v1/metrics", { "content-type": `${PROTOBUF}; charset=utf-8` }),
    status: 415,
  },
  { title: "V5: delta to Mimir", backend: "mimir", request: request("/otlp/v1/metrics", MIMIR), status: 400 },
  {
    title: "V5: no tenant to Mimir",
    backend: "mimir",
    request: request("/otlp/v1/metrics", {}),
    status: 401,
  },
  {
    title: "V6: JSON to VictoriaMetrics",
    backend: "victoriametrics",
    request: request("/opentelemetry/v1/metrics", {}, { encoding: "json" }),
    status: 400,
  },
  {
    title: "V7: the usual path to Splunk",
    backend: "splunk",
    request: request("/v1/metrics", { "x-sf-token": "sample-token" }),
    status: 404,
  },
  { title: "V8: no dataset to Axiom", backend: "axiom", request: request("/v1/metrics", AXIOM), status: 400 },
  {
    title: "V8: another header's dataset to Axiom",
    backend: "axiom",
    request: request("/v1/metrics", { ...AXIOM, "x-axiom-dataset": "d" }),
    status: 400,
  },
  {
    title: "V11: series to Datadog's version 2",
    backend: "datadog_native",
    request: request("/api/v2/series", { "dd-api-key": KEY }, { encoding: "native" }),
    status: undefined,
  },
  {
    title: "V11: series of version 2 to version 1",
    backend: "datadog_native",
    request: request("/api/v1/series", { "dd-api-key": KEY }, { encoding: "native" }),
    status: 400,
  },
  {
    title: "V11: more than 512,000 bytes on the wire",
    backend: "datadog_native",
    request: request("/api/v2/series", { "dd-api-key": KEY, "content-length": "512001" }, {
      encoding: "native",
    }),
    status: 413,
  },
];
for (const { title, backend, request, status, body } of CASES) {
  Deno.test(`a fake backend: ${title} is ${status === undefined ? "taken" : `answered with ${status}`}`, () => {
    const verdict = judge(backendOf(backend).rules, request);
    assertEquals(verdict?.status, status, String(verdict?.body));
    if (body !== undefined) assertMatch(String(verdict?.body), body);
  });
}

Deno.test("a fake backend refuses a metric without points and a delta that may fall", () => {
  const used = descriptor("system.memory.usage", "updowncounter", "int");
  const encoder = createMetricsEncoder({ naming: "semconv", encoding: "json" });
  const [encoded] = encoder.encode(
    input(snapshot([point({ descriptor: used, attributes: {} }, 1)], NOW_NS)),
    roomy,
  );
  const document = new TextDecoder().decode(encoded?.body);
  const of = (text: string): Judged => ({
    path: "/v1/metrics",
    headers: { "content-type": JSON_TYPE, "api-key": "sample-licence-key" },
    plain: new TextEncoder().encode(text),
  });
  const { rules } = backendOf("newrelic_otlp");
  assertEquals(judge(rules, of(document)), undefined);
  assertEquals(judge(rules, of(document.replace(/"dataPoints":\[.*?\}\]/, '"dataPoints":[]')))?.status, 500);
  assertEquals(
    judge(rules, of(document.replace('"aggregationTemporality":2', '"aggregationTemporality":1')))?.status,
    400,
  );
});

interface Wrong {
  readonly title: string;
  readonly backend: string;
  readonly env: Readonly<Record<string, string>>;
  readonly code: number;
  readonly words: RegExp;
}

const WRONG: readonly Wrong[] = [
  {
    title: "V1: cumulative to Datadog ends with 76 and its words",
    backend: "datadog_otlp",
    env: { SONDE_PRESET: "otlp", SONDE_HEADERS: headerText(DATADOG) },
    code: 76,
    words: /does not accept cumulative/,
  },
  {
    title: "V3: a wrong key to New Relic ends with 77 and what 403 means there",
    backend: "newrelic_otlp",
    env: { SONDE_PRESET: "newrelic_otlp", SONDE_API_KEY: "wrong" },
    code: 77,
    words: /403.*belongs to another region/,
  },
  {
    title: "V2: JSON to Dynatrace ends with 69 and what 415 means there",
    backend: "dynatrace",
    env: { SONDE_PRESET: "otlp", SONDE_PROTOCOL: "http/json", SONDE_HEADERS: headerText(DYNATRACE) },
    code: 69,
    words: /415/,
  },
];

function headerText(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join(",");
}

for (const { title, backend, env, code, words } of WRONG) {
  Deno.test(`once: ${title}`, async () => {
    const { rules, taken } = backendOf(backend);
    await using server = new FaultServer(enforcing(rules, taken));
    await inFolder(async (folder) => {
      const all = { ...env, SONDE_ENDPOINT: server.url, SONDE_SHUTDOWN_TIMEOUT: "1s" };
      const { code: found, stderr } = await sonde(folder, ["once"], { env: all });
      assertEquals(found, code, stderr);
      assertMatch(stderr, words);
    });
    assert(server.requests.length >= 1);
  });
}
