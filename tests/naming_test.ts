/**
 * The three projections against committed golden files, one line a form (host-metrics 1.4).
 * `deno test -A tests/naming_test.ts -- --update` rewrites them.
 */
import { assert, assertEquals } from "@std/assert";
import { series } from "../collectors/metric.ts";
import type { Naming } from "../collectors/metric.ts";
import { collectorNames } from "../exporters/collector_names.ts";
import { type Form, project } from "../exporters/naming.ts";
import { namingSeries } from "./naming_snapshot.ts";

const NAMINGS: readonly Naming[] = ["semconv", "collector", "dup"];

function line(form: Form): string {
  const instrument = form.kind === "gauge" ? "gauge" : form.monotonic ? "counter" : "updowncounter";
  const attributes = Object.entries(form.attributes).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [form.name, form.unit, instrument, form.valueType, ...attributes.sort()].join(" ");
}

for (const naming of NAMINGS) {
  Deno.test(`project() gives the ${naming} golden`, async () => {
    const lines = namingSeries.flatMap((series) => project(series, naming)).map(line).sort();
    const path = new URL(`./fixtures/naming/${naming}.txt`, import.meta.url);
    const text = lines.join("\n") + "\n";
    if (Deno.args.includes("--update")) await Deno.writeTextFile(path, text);
    assertEquals(text, await Deno.readTextFile(path));
  });

  Deno.test(`project() gives no ${naming} stream twice`, () => {
    const streams = namingSeries.flatMap((series) => project(series, naming)).map(line);
    assertEquals(new Set(streams).size, streams.length);
  });
}

Deno.test("the golden series cover every row of the Collector's names", () => {
  const covered = new Set(namingSeries.map((series) => series.descriptor.name));
  assertEquals([...collectorNames.keys()].filter((name) => !covered.has(name)), []);
});

Deno.test("project() with dup never gives two metrics of one name for one series", () => {
  for (const series of namingSeries) {
    const names = project(series, "dup").map((form) => form.name);
    assertEquals(new Set(names).size, names.length);
  }
});

Deno.test("project() with dup keeps the units of the semantic conventions", () => {
  for (const one of namingSeries) {
    for (const form of project(one, "dup")) assertEquals(form.unit, one.descriptor.unit);
  }
});

Deno.test("project() lets collectorAttributes win over renamed keys", () => {
  const first = namingSeries.find((one) => one.collectorAttributes?.["state"] === "softirq");
  assert(first !== undefined);
  const plain = series(first.descriptor, first.attributes, { collectorAttributes: { state: "softirq" } });
  assertEquals(project(plain, "collector").map((form) => form.attributes), [{ state: "softirq" }]);
  assertEquals(project(plain, "semconv").map((form) => form.attributes), [{ "cpu.mode": "interrupt" }]);
});
