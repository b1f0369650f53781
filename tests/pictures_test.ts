/** The pictures of the docs: drawn from a terminal's bytes, readable on a light page and on a dark one. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { svgOf } from "../scripts/ansi_svg.ts";
import { lastScreen } from "../scripts/pictures.ts";

const DOCS = new URL("../docs/", import.meta.url);
/** WCAG 2.2, 1.4.3: least contrast of text. */
const CONTRAST_MIN = 4.5;

/** Relative luminance of "#rrggbb" (WCAG 2.2). */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

Deno.test("svgOf() places each piece by its column, in its colour, with markup escaped", () => {
  const svg = svgOf("\x1b[1mname\x1b[0m  a<b & \x1b[32mok\x1b[0m\n\nlast\n", { title: "t<", columns: 20 });
  assertStringIncludes(svg, '<tspan x="16.00" font-weight="bold">name</tspan>');
  assertStringIncludes(svg, ">  a&lt;b &amp; </tspan>");
  assertStringIncludes(svg, `<tspan x="${(16 + 12 * 8.43).toFixed(2)}" fill="#98c379">ok</tspan>`);
  assertEquals(svg.match(/<text y=/g)?.length, 3);
  assertStringIncludes(svg, 'aria-label="t&lt;"');
});

Deno.test("lastScreen() is the last one that was drawn to its end", () => {
  const screen = (text: string) => `\x1b[?2026h\x1b[H${text}\x1b[J\x1b[?2026l`;
  assertEquals(lastScreen(`${screen("one")}${screen("two")}\x1b[?2026h\x1b[Hthr`), "two");
  assertThrows(() => lastScreen("nothing"), Error, "Cannot find a screen");
});

for (const name of ["once", "doctor", "top"]) {
  Deno.test(`docs/${name}.svg brings its own ground, on which all its text can be read`, async () => {
    const svg = await Deno.readTextFile(new URL(`${name}.svg`, DOCS));
    const [, width, height] = /^<svg [^>]*width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
    const ground = new RegExp(`<rect width="${width}" height="${height}" rx="8" fill="(#[0-9a-f]{6})"/>`);
    const [, fill = ""] = ground.exec(svg) ?? [];
    assert(fill !== "", "a ground of the picture's size");
    const colors = new Set(
      [...svg.matchAll(/<(?:text|tspan|g)\b[^>]* fill="(#[0-9a-f]{6})"/g)].map(([, color = ""]) => color),
    );
    assert(colors.size > 1, "colours");
    for (const color of colors) {
      assert(contrast(color, fill) >= CONTRAST_MIN, `${color}: ${contrast(color, fill)}`);
    }
    const columns = Math.floor((Number(width) - 32) / 8.43);
    const lines = [...svg.matchAll(/<text y=.*$/gm)].map(([line]) => line.replaceAll(/<[^>]*>/g, ""));
    assertEquals(lines.filter((line) => [...line].length > columns), []);
    assert(
      !/pid (?!4711)\d|127\.0\.0\.1:(?!4318)\d|\/tmp\//.test(svg),
      "nothing of the machine it was made on",
    );
  });
}
