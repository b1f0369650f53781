/**
 * `sonde once` against every backend's real rules (vendors.md 8 and 10): each row, given its settings and nothing
 * else, delivers what that backend accepts, twice, so that delta rows send their counts too.
 */
import { assert, assertEquals } from "@std/assert";
import { PRESETS } from "../exporters/presets/registry.ts";
import { accumulating, CUMULATIVE, DELTA, enforcing, judged, metricsOf } from "./backend_request.ts";
import { seriesOf } from "./backend_series.ts";
import { backendOf, BACKENDS } from "./backends.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";

const sending = PRESETS.filter(({ name }) => name !== "console");

for (const preset of sending) {
  Deno.test(`once: preset ${preset.name} delivers what its backend accepts`, async () => {
    const { rules, taken } = backendOf(preset.name);
    await using server = new FaultServer(enforcing(rules, taken));
    const sample = Object.entries(preset.sample).map(([setting, text]) => [`SONDE_${setting}`, text]);
    await inFolder(async (folder) => {
      const env = {
        SONDE_PRESET: preset.name,
        ...Object.fromEntries(sample),
        SONDE_ENDPOINT: server.url,
        SONDE_COMPAT_HEKA: "true",
      };
      for (const round of [1, 2]) {
        const { code, stderr } = await sonde(folder, ["once"], { env });
        assertEquals([round, code], [round, 0], stderr);
        assertEquals(stderr.includes("rejected") || stderr.includes("warned"), false, stderr);
      }
    });
    assertEquals(server.requests.length, 2);
    const last = server.requests.at(-1);
    assert(last !== undefined);
    const request = await judged(last);
    if (preset.encodings[0] === "native") {
      assert(seriesOf(request).some(({ type }) => type === 1), "no counts");
      return;
    }
    const wanted = preset.temporalities[0] === "delta" ? DELTA : CUMULATIVE;
    assert(accumulating(request, wanted).length > 5, "no counters");
    assertEquals(accumulating(request, wanted === DELTA ? CUMULATIVE : DELTA).length, 0);
    assert(metricsOf(request).some(({ name }) => name === "heka_memory_virtual_total_bytes"));
  });
}

Deno.test("the rules that are written down are those of presets, a suffix tells another address", () => {
  for (const name of Object.keys(BACKENDS)) {
    assert(sending.some((preset) => name === preset.name || name.startsWith(`${preset.name}_`)), name);
  }
});
