/**
 * What holds for all descriptors together: one meaning per name, and nothing left unsaid.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { collectors } from "../collectors/registry.ts";

const all = collectors({ sysctl: ["vm.swappiness"] });

Deno.test("collectors() names every collector once", () => {
  const names = all.map(({ name }) => name);
  assertEquals(names.filter((name, at) => names.indexOf(name) !== at), []);
});

Deno.test("collectors() gives a metric one kind, unit and type, whoever measures it", () => {
  const identities = new Map<string, string>();
  for (const metric of all.flatMap(({ descriptors }) => descriptors)) {
    const monotonic = metric.kind === "sum" && metric.monotonic;
    const identity = [metric.kind, monotonic, metric.unit, metric.valueType].join();
    assertEquals(identities.get(metric.name) ?? identity, identity, metric.name);
    identities.set(metric.name, identity);
  }
});

Deno.test("collectors() says unit, meaning and source of every metric", () => {
  for (const { name, descriptors } of all) {
    assertMatch(name, /^[a-z][a-z0-9_]*$/);
    for (const { name: metric, unit, description, source } of descriptors) {
      assertMatch(metric, /^[a-z][a-z0-9_]*(\.[a-z0-9_-]+)+$/);
      assertMatch(unit, /^(1|[A-Za-z%/]+|\{[a-z_]+\})$/, metric);
      assert(description.length > 0 && !description.endsWith("."), metric);
      assert(source.length > 0, metric);
    }
  }
});

Deno.test("collectors() counts whole things as integers", () => {
  const wrong = all.flatMap(({ descriptors }) => descriptors)
    .filter(({ kind, unit, valueType }) => kind === "sum" && unit.startsWith("{") && valueType !== "int");
  assertEquals(wrong.map(({ name }) => name), []);
});
