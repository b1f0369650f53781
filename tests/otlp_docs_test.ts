/**
 * The library's page says what the table in code says.
 * @module
 */
import { assertEquals } from "@std/assert";
import { optionRows } from "../exporters/otlp_options.ts";

Deno.test("docs/otlp.md has every option with its default, bounds and meaning", async () => {
  const page = await Deno.readTextFile(new URL("../docs/otlp.md", import.meta.url));
  const shown = page.split("\n").filter((line) => /^\| `\w+` \|/.test(line));
  assertEquals(shown, optionRows().map(([name, ...cells]) => `| \`${name}\` | ${cells.join(" | ")} |`));
});
