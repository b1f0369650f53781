/** The list of collectors' names that is kept apart from the collectors. */
import { assertEquals } from "@std/assert";
import { COLLECTOR_NAMES } from "../collectors/names.ts";
import { collectors } from "../collectors/registry.ts";

Deno.test("COLLECTOR_NAMES is the registry's, in its order", () => {
  assertEquals(COLLECTOR_NAMES, collectors().map(({ name }) => name));
});
