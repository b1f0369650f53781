/**
 * Every destination's real rules as a fake that enforces them (vendors.md sections 1 to 7 and 10): what is sent
 * against a rule gets the answer that the real one gives.
 * @module
 */
import {
  accumulating,
  bytes,
  CUMULATIVE,
  DELTA,
  gzipOnly,
  header,
  JSON_TYPE,
  metricsOf,
  path,
  pointsOf,
  PROTOBUF,
  resourcesOf,
  type Rule,
  soundPoints,
  types,
  type Verdict,
} from "./backend_request.ts";
import type { Preset } from "../exporters/presets/preset.ts";
import { presetNamed } from "../exporters/presets/registry.ts";
import { seriesRules } from "./backend_series.ts";

/** A destination's rules for metrics and its answer to what it takes. */
export interface Backend {
  readonly rules: readonly Rule[];
  readonly taken?: Verdict;
}

/** 200 with a partial success that rejects the given metrics. */
function partly(rejected: number, errorMessage: string): Verdict {
  const body = JSON.stringify({ partialSuccess: { rejectedDataPoints: String(rejected), errorMessage } });
  return { status: 200, headers: { "content-type": "application/json" }, body };
}

const deltaOnly = (words: string): Rule => (request) => {
  const wrong = accumulating(request, CUMULATIVE);
  return wrong.length === 0 ? undefined : partly(wrong.length, `${words}: ${wrong[0]?.name}`);
};

const cumulativeOnly = (status: number): Rule => (request) =>
  accumulating(request, DELTA).length === 0
    ? undefined
    : { status, body: "invalid temporality and type combination" };

/** A delta that may fall would be taken for a count. */
const noFallingDelta: Rule = (request) => {
  const wrong = metricsOf(request).find(({ data }) =>
    data.case === "sum" && !data.value.isMonotonic && data.value.aggregationTemporality === DELTA
  );
  return wrong === undefined ? undefined : { status: 400, body: `${wrong.name} is a delta that may fall` };
};

const pointsMax = (max: number): Rule => (request) =>
  metricsOf(request).flatMap(pointsOf).length <= max ? undefined : { status: 413, body: "too many points" };

const dimensionsMax = (max: number): Rule => (request) =>
  metricsOf(request).flatMap(pointsOf).some(({ attributes }) => attributes.length > max)
    ? partly(1, "DIMENSION_COUNT_EXCEEDED")
    : undefined;

const noJson: Rule = ({ headers }) =>
  headers["content-type"] === JSON_TYPE
    ? { status: 400, body: "json is not supported, use protobuf" }
    : undefined;

const tagConfig: Rule = ({ headers }) => {
  const config = JSON.parse(headers["dd-otel-metric-config"] ?? "null");
  return config?.resource_attributes_as_tags === true && config.histograms?.mode === "distributions"
    ? undefined
    : { status: 400, body: "bad dd-otel-metric-config" };
};

/** The first of these keys is the host: a machine id there would be one nobody knows. */
const namedHost: Rule = (request) => {
  const wrong = resourcesOf(request).find((resource) =>
    resource.has("host.id") && resource.get("datadog.host.name") !== resource.get("host.name")
  );
  return wrong === undefined ? undefined : { status: 400, body: `host is ${wrong.get("host.id")}` };
};

const otlp = [types(PROTOBUF, JSON_TYPE), gzipOnly, soundPoints];
const protobuf = [types(PROTOBUF), gzipOnly, soundPoints];
const MB = 1_000_000;
const auth = { missing: 401, wrong: 403 };

const dynatrace = [
  header("authorization", /^Api-Token dt0c01\./, { missing: 401, wrong: 401 }),
  bytes(4 * MB),
  ...protobuf,
  pointsMax(15_000),
  dimensionsMax(50),
  deltaOnly("UNSUPPORTED_METRIC_TYPE_MONOTONIC_CUMULATIVE_SUM"),
];

/** By preset; a suffix tells another address of the same one. */
export const BACKENDS: Readonly<Record<string, Backend>> = {
  otlp: { rules: [path("/v1/metrics"), ...otlp] },
  collector: { rules: [path("/v1/metrics"), bytes(20 * 1024 * 1024), ...otlp] },
  otlp_http: { rules: [path("/v1/metrics"), ...otlp] },
  datadog_otlp: {
    rules: [
      path("/v1/metrics"),
      header("dd-api-key", /^[0-9a-f]{32}$/, { missing: 403, wrong: 403 }),
      bytes(500_000),
      tagConfig,
      ...otlp,
      noFallingDelta,
      deltaOnly("intake does not accept cumulative monotonic sums"),
      namedHost,
    ],
  },
  datadog_native: {
    rules: seriesRules,
    taken: { status: 202, headers: { "content-type": "application/json" }, body: '{"errors":[]}' },
  },
  newrelic_otlp: {
    rules: [
      path("/v1/metrics"),
      header("api-key", /^sample-licence-key$/, auth),
      bytes(MB),
      ...otlp,
      noFallingDelta,
    ],
    taken: { status: 200, headers: { "content-length": "0" } },
  },
  dynatrace: { rules: [path("/v1/metrics"), ...dynatrace] },
  dynatrace_saas: { rules: [path("/api/v2/otlp/v1/metrics"), ...dynatrace] },
  grafana_cloud: {
    rules: [
      path("/v1/metrics"),
      header("authorization", /^Basic MTIzNDU2OnNhbXBsZS10b2tlbg==$/, auth),
      ...protobuf,
      cumulativeOnly(400),
    ],
  },
  mimir: {
    rules: [
      path("/otlp/v1/metrics"),
      header("x-scope-orgid", /^team-a$/, auth),
      ...protobuf,
      cumulativeOnly(400),
    ],
  },
  prometheus: { rules: [path("/api/v1/otlp/v1/metrics"), ...otlp, cumulativeOnly(500)] },
  victoriametrics: {
    rules: [path("/opentelemetry/v1/metrics"), noJson, ...protobuf, cumulativeOnly(400)],
  },
  honeycomb: {
    rules: [
      path("/v1/metrics"),
      header("x-honeycomb-team", /^sample-key$/, { missing: 401, wrong: 401 }),
      header("x-honeycomb-dataset", /./, { missing: 400, wrong: 400 }),
      bytes(15 * MB),
      ...otlp,
    ],
  },
  elastic: {
    rules: [path("/v1/metrics"), header("authorization", /^ApiKey sample-key$/, auth), ...otlp],
  },
  splunk: {
    rules: [
      path("/v2/datapoint/otlp"),
      header("x-sf-token", /^sample-token$/, auth),
      ...protobuf,
      dimensionsMax(36),
    ],
  },
  signoz: {
    rules: [
      path("/v1/metrics"),
      header("signoz-ingestion-key", /^sample-key$/, auth),
      bytes(16 * MB),
      ...otlp,
    ],
  },
  axiom: {
    rules: [
      path("/v1/metrics"),
      header("authorization", /^Bearer sample-token$/, auth),
      header("x-axiom-metrics-dataset", /./, { missing: 400, wrong: 400 }),
      ...protobuf,
      pointsMax(8192),
    ],
  },
  oneuptime: {
    rules: [
      path("/v1/metrics"),
      header("x-oneuptime-token", /^sample-token$/, auth),
      types(JSON_TYPE),
      soundPoints,
    ],
  },
};

/** What a row says of its own backend: all that is known of one whose rules nobody has written down yet. */
function byRow(preset: Preset): Backend {
  const media = preset.encodings.map((encoding) => encoding === "protobuf" ? PROTOBUF : JSON_TYPE);
  const temporality = preset.temporalities[0] === "delta"
    ? deltaOnly("cumulative sums are not accepted")
    : cumulativeOnly(400);
  return {
    rules: [
      path(preset.signals.metrics?.path ?? "/"),
      ...(preset.requires.includes("API_KEY")
        ? Object.keys(preset.headers).map((name) => header(name, /./, auth))
        : []),
      bytes(preset.batchBytesMax),
      types(...media),
      gzipOnly,
      soundPoints,
      pointsMax(preset.batchItemsMax),
      temporality,
    ],
  };
}

/** The rules of a preset's backend; throws for a preset that is none. */
export function backendOf(name: string): Backend {
  const preset = presetNamed(name);
  const backend = BACKENDS[name] ?? (preset === undefined ? undefined : byRow(preset));
  if (backend === undefined) throw new Error(`Cannot play "${name}": it is no preset`);
  return backend;
}
