/** OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION, for histograms that name no bounds (otlp 2). */
import { assert, assertEquals } from "@std/assert";
import { load, settingsOf } from "./config_files.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { readRequest } from "./otlp_json.ts";
import { inFolder, sonde } from "./program.ts";

const NAME = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
const EXPONENTIAL = "base2_exponential_bucket_histogram";

Deno.test("loadConfig() reads the default aggregation in any case, the environment before the file", () => {
  const of = (env: Record<string, string>, file = "") =>
    settingsOf({ env, envFile: "/f", files: { "/f": file } }).isExponential;
  assertEquals(of({}), false);
  assertEquals(of({ [NAME]: EXPONENTIAL.toUpperCase() }), true);
  assertEquals(of({}, `${NAME}=${EXPONENTIAL}`), true);
  assertEquals(of({ [NAME]: "explicit_bucket_histogram" }, `${NAME}=${EXPONENTIAL}`), false);
  assertEquals(of({ [NAME]: "" }, `${NAME}=${EXPONENTIAL}`), true);
});

Deno.test("loadConfig() warns of an aggregation that is none, and ignores it", () => {
  const { settings, warnings } = load({ env: { [NAME]: "sum" } });
  assertEquals([settings?.isExponential, warnings.map(({ key }) => key)], [false, [NAME]]);
});

Deno.test("emit histogram follows it, unless bounds are given", async () => {
  await using server = new FaultServer(ok);
  await inFolder(async (folder) => {
    const env = { SONDE_ENDPOINT: server.url, SONDE_PROTOCOL: "http/json", [NAME]: EXPONENTIAL };
    for (const bounds of [[], ["--bounds", "1,2"]]) {
      const { code, stderr } = await sonde(folder, ["emit", "histogram", "h", "3", ...bounds], { env });
      assertEquals(code, 0, stderr);
    }
  });
  const requests = await Promise.all(server.requests.map(readRequest));
  const [first, second] = requests.flatMap(({ metrics }) => metrics);
  assert(first !== undefined && second !== undefined);
  assertEquals(["exponentialHistogram" in first, "histogram" in first], [true, false]);
  assertEquals(second.histogram.dataPoints[0]?.explicitBounds, [1, 2]);
});
