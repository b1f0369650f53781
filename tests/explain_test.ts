/** `sonde explain`, and that everything measured can be explained. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { conventionOf } from "../commands/convention.ts";
import { explanation } from "../commands/explain.ts";
import { metricFacts } from "../commands/metric_facts.ts";
import { sonde } from "./cli_run.ts";

Deno.test("explain prints file, fields, formula, unit, instrument, attributes and link", async () => {
  const { code, stdout } = await sonde(["explain", "system.disk.io"]);
  assertEquals(code, 0);
  for (const text of ["/proc/diskstats", "counter, int", "disk.io.direction: read, write", "system.device"]) {
    assertStringIncludes(stdout, text);
  }
  assertMatch(stdout, /^ +unit +By$/m);
  assertMatch(stdout, /semconv\/system\/system-metrics\/#metric-systemdiskio$/m);
});

Deno.test("explain knows a metric by the Collector's name, and a kernel parameter by its own", async () => {
  const renamed = await sonde(["explain", "system.network.packets"]);
  assertStringIncludes(renamed.stdout, "system.network.packet.count");
  const parameter = await sonde(["explain", "system.kernel.linux.sysctl.vm.swappiness"]);
  assertStringIncludes(parameter.stdout, "/proc/sys/vm/swappiness");
});

Deno.test("explain says which count of processes is whose", async () => {
  const { stdout } = await sonde(["explain", "system.process.count"]);
  assertStringIncludes(stdout.replaceAll(/\s+/g, " "), "running and blocked are threads");
});

Deno.test("explain names the nearest metrics for one that does not exist", async () => {
  const { code, stdout, stderr } = await sonde(["explain", "system.cpu.tiem"]);
  assertEquals([code, stdout], [64, ""]);
  assertStringIncludes(stderr, "system.cpu.time");
  assertEquals((await sonde(["explain"])).code, 64);
});

Deno.test("explanation() of every metric fits a terminal and leaves nothing open", () => {
  for (const facts of metricFacts(["vm.swappiness"])) {
    const lines = explanation(facts).split("\n");
    // An address cannot be broken.
    const long = lines.filter((line) => line.length > 80 && !line.includes("https://"));
    assertEquals(long.filter((line) => line.trim().includes(" ")), [], facts.descriptor.name);
  }
});

Deno.test("metricFacts() has the attributes of every metric that has any", () => {
  const bare = metricFacts().filter(({ attributes }) => Object.keys(attributes).length === 0)
    .map(({ descriptor }) => descriptor.name);
  const perDevice = bare.filter((name) =>
    /^(hw\.|system\.(disk|filesystem|network\.(io|packet|errors))\.)/.test(name)
  );
  assertEquals(perDevice, []);
});

Deno.test("conventionOf() links what the conventions know and nothing else", () => {
  assert(conventionOf("system.disk.weighted_io_time") === undefined);
  assert(conventionOf("system.cpu.load_average.1m") === undefined);
  assertMatch(conventionOf("hw.temperature") ?? "", /hardware\/temperature\/#metric-hwtemperature$/);
});
