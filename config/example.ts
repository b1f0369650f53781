/**
 * The commented file of `sonde config example`: what the preset needs with sample values, and every other key with
 * its default, commented out. It loads as it is.
 * @module
 */
import type { Preset } from "../exporters/presets/preset.ts";
import { AREAS } from "./keys.ts";
import type { Key } from "./key.ts";
import { PRESET } from "./keys_where.ts";

const WIDTH = 100;

function commented(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line.length + word.length + 3 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line) => `# ${line}`);
}

function sampleOf(key: Key<unknown>, preset: Preset): string | undefined {
  if (key === PRESET) return preset.name;
  return Object.entries(preset.sample).find(([setting]) => `SONDE_${setting}` === key.name)?.[1];
}

function keyLines(key: Key<unknown>, preset: Preset): string[] {
  const sample = sampleOf(key, preset);
  // Single quotes keep whatever an operator puts in place of the sample literal.
  const line = sample === undefined ? `#${key.name}=${key.default ?? ""}` : `${key.name}='${sample}'`;
  return [...commented(`${key.help} Takes ${key.type.rule}.`), line, ""];
}

/** What only this destination knows, by its own variables. */
function ownLines({ options = [], variants }: Preset): string[] {
  const rows = variants === undefined ? options : [...options, variants];
  const lines = rows.flatMap(({ variable, help }) => [...commented(help), `#${variable}=`, ""]);
  return lines.length === 0 ? [] : ["# --- the destination's own ---", "", ...lines];
}

/** The whole file for one preset. */
export function exampleFile(preset: Preset): string {
  return [
    ...commented(`Configuration of sonde for ${preset.name}: ${preset.summary}.`),
    ...commented(`The destination documents its side at ${preset.docs}`),
    ...commented(
      "Put it at /etc/sonde/sonde.env, owned by root with mode 0640, and try it with: sonde check",
    ),
    ...commented("Every key also exists with _FILE behind it, naming a file that holds the value."),
    "",
    ...ownLines(preset),
    ...Object.entries(AREAS).flatMap(([area, keys]) => [
      `# --- ${area} ---`,
      "",
      ...keys.flatMap((key) => keyLines(key, preset)),
    ]),
  ].join("\n");
}
