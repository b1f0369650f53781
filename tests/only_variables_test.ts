/**
 * Nothing but a vendor's own variables: what a user of the older programs has, sent to the vendor's real addresses
 * through a proxy that leads to the enforcing fakes. The proxy and the authority are the machine's, not sonde's.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Authority } from "./authority.ts";
import { enforcing, judged, metricsOf, pointsOf } from "./backend_request.ts";
import { seriesOf } from "./backend_series.ts";
import { backendOf } from "./backends.ts";
import { FaultServer, type RecordedRequest } from "./fault_server.ts";
import { type Finished, inFolder, sonde } from "./program.ts";
import { Tunnel } from "./tunnel.ts";

interface Seen {
  readonly runs: readonly Finished[];
  readonly targets: readonly string[];
  readonly requests: readonly RecordedRequest[];
}

/** Runs `once` twice on a machine whose network leads to the backend of a preset. */
async function onceTwice(
  backend: string,
  { host, env = {}, file }: { host: string; env?: Readonly<Record<string, string>>; file?: string },
): Promise<Seen> {
  const { rules, taken } = backendOf(backend);
  const runs: Finished[] = [];
  const seen: Seen[] = [];
  await inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/tls`);
    const authority = await Authority.open(`${folder}/tls`);
    const tls = await authority.issue([`DNS:${host}`]);
    await using server = new FaultServer(enforcing(rules, taken), { tls });
    await using tunnel = new Tunnel(server.port);
    if (file !== undefined) await Deno.writeTextFile(`${folder}/.env`, file, { mode: 0o600 });
    const machine = { HTTPS_PROXY: tunnel.url, DENO_CERT: authority.caFile };
    for (let run = 0; run < 2; run++) {
      runs.push(await sonde(folder, ["once"], { env: { ...machine, ...env } }));
    }
    seen.push({ runs, targets: tunnel.targets, requests: server.requests });
  });
  const [only] = seen;
  assert(only !== undefined);
  return only;
}

function assertDelivered({ runs, targets, requests }: Seen, target: string): void {
  for (const { code, stderr } of runs) assertEquals(code, 0, stderr);
  assertEquals([...new Set(targets)], [target]);
  assertEquals(requests.length, 2);
}

const KEY = "0123456789abcdef0123456789abcdef";
const DATADOG = { DATADOG_SITE: "datadoghq.eu", DATADOG_API_KEY: KEY } as const;

Deno.test("heka 15 row 63 (kept): only DATADOG_SITE, DATADOG_API_KEY and EXPORTER_TYPE=datadog_otlp deliver", async () => {
  const env = { ...DATADOG, EXPORTER_TYPE: "datadog_otlp" };
  const seen = await onceTwice("datadog_otlp", { host: "otlp.datadoghq.eu", env });
  assertDelivered(seen, "otlp.datadoghq.eu:443");
  const [first, second] = await Promise.all(seen.requests.map(judged));
  assert(first !== undefined && second !== undefined);
  const counts = metricsOf(second).filter(({ data }) => data.case === "sum" && data.value.isMonotonic);
  assert(counts.length > 5);
  // The interval continues where the first life's ended.
  const starts = counts.flatMap(pointsOf).map(({ startTimeUnixNano }) => startTimeUnixNano);
  const firstTime = metricsOf(first).flatMap(pointsOf)[0]?.timeUnixNano;
  assert(starts.includes(firstTime ?? 0n));
});

Deno.test("heka 15 row 64 (kept): only DATADOG_SITE, DATADOG_API_KEY and EXPORTER_TYPE=datadog_native deliver", async () => {
  const env = { ...DATADOG, EXPORTER_TYPE: "datadog_native" };
  const seen = await onceTwice("datadog_native", { host: "api.datadoghq.eu", env });
  assertDelivered(seen, "api.datadoghq.eu:443");
  assertEquals(seen.requests.map(({ path }) => path), ["/api/v1/series", "/api/v1/series"]);
  const [first, second] = await Promise.all(seen.requests.map(judged));
  assert(first !== undefined && second !== undefined);
  assertEquals(seriesOf(first).filter(({ type }) => type === "count"), []);
  assert(seriesOf(second).some(({ type }) => type === "count"));
});

Deno.test("only DT_ENDPOINT and DT_API_TOKEN deliver", async () => {
  const env = { DT_ENDPOINT: "https://abc12345.live.dynatrace.com/api/v2/otlp/", DT_API_TOKEN: "dt0c01.a.b" };
  const seen = await onceTwice("dynatrace_saas", { host: "abc12345.live.dynatrace.com", env });
  assertDelivered(seen, "abc12345.live.dynatrace.com:443");
  assertEquals(seen.requests[1]?.headers["authorization"], "Api-Token dt0c01.a.b");
  assertEquals(seen.requests[1]?.headers["content-type"], "application/x-protobuf");
});

const HEKA_FILE = `# written by the wizard
EXPORTER_TYPE=newrelic_otlp
export NEWRELIC_OTLP_ENDPOINT=https://otlp.nr-data.net/v1/metrics
NEWRELIC_API_KEY=sample-licence-key
NEWRELIC_SERVICE_NAME=heka-insights-agent
OTLP_HTTP_HEADERS=Api-Key=wrong,x-tenant=t 1
CPU_POLL_INTERVAL_SECONDS=2.5
`;

Deno.test("only a file of Heka's delivers, with its names, headers and service", async () => {
  const seen = await onceTwice("newrelic_otlp", { host: "otlp.nr-data.net", file: HEKA_FILE });
  assertDelivered(seen, "otlp.nr-data.net:443");
  const [, last] = seen.requests;
  assert(last !== undefined);
  assertEquals(last.headers["x-tenant"], "t 1");
  assertMatch(last.headers["x-agent-id"] ?? "", /^[0-9a-f-]{36}$/);
  assertMatch(last.headers["x-idempotency-key"] ?? "", /^[0-9a-f-]{36}$/);
  const names = new Set(metricsOf(await judged(last)).map(({ name }) => name));
  for (const name of ["heka_memory_virtual_used_bytes", "heka_memory_swap_total_bytes"]) {
    assert(names.has(name), name);
  }
  assertMatch(seen.runs[0]?.stderr ?? "", /is read as SONDE_API_KEY.*NEWRELIC_API_KEY/);
});
