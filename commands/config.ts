/**
 * `sonde config print`, `sonde config example`, `sonde config diff`: what is in effect and where it comes from, a file
 * to begin with, what a server offers (contract: config). Data goes to stdout, findings to stderr.
 * @module
 */
import type { Effective } from "../config/effective.ts";
import { exampleFile } from "../config/example.ts";
import { hostFiles } from "../config/files.ts";
import { loadConfig } from "../config/load.ts";
import { nearest } from "../config/nearest.ts";
import { presetNamed, PRESETS } from "../exporters/presets/registry.ts";
import { counted, loadInput, printFindings } from "./configuration.ts";
import type { Context } from "./context.ts";

function jsonText(entries: readonly Effective[], withOrigin: boolean): string {
  const object = Object.fromEntries(
    entries.map(({ name, value = null, origin }) => [name, withOrigin ? { value, origin } : value]),
  );
  return `${JSON.stringify(object, null, 2)}\n`;
}

/** `KEY=value`, with the origin as a comment in a column of its own. Unset keys are left out. */
function linesText(entries: readonly Effective[], withOrigin: boolean): string {
  const lines = entries.flatMap(({ name, value, origin }) =>
    value === undefined ? [] : [{ text: `${name}=${value}`, origin }]
  );
  const width = Math.min(48, Math.max(...lines.map(({ text }) => text.length)));
  return lines.map(({ text, origin }) => withOrigin ? `${text.padEnd(width)}  # ${origin}\n` : `${text}\n`)
    .join("");
}

function print(context: Context): number {
  const { flags, stdout, stderr } = context;
  const { effective, problems, warnings, exposures } = loadConfig(loadInput(context, hostFiles()));
  const text = flags.has("json") ? jsonText : linesText;
  stdout(text(effective, flags.has("origin")));
  printFindings([...problems, ...exposures, ...warnings], stderr);
  if (problems.length === 0) return 0;
  stderr(`${counted(problems.length, "problem")}; what is wrong is left out above\n`);
  return 78;
}

function example(name: string | undefined, { stdout, stderr }: Context): number {
  const preset = presetNamed(name ?? "otlp");
  if (preset !== undefined) {
    stdout(exampleFile(preset));
    return 0;
  }
  const names = PRESETS.map((each) => each.name);
  stderr(`sonde: error: "${name}" is not a preset\n`);
  stderr(`sonde: hint: Did you mean ${nearest(name ?? "", names)}? There are ${names.join(", ")}\n`);
  return 78;
}

/** Runs the subverb; the parser has checked that there is one. */
export async function run(context: Context): Promise<number> {
  const [subverb, name] = context.operands;
  if (subverb === "diff" && name === undefined) {
    // It brings OpAMP and protobuf, which cost more to load than all the rest.
    const { diff }: typeof import("./config_diff.ts") = await import("./config_diff.ts" satisfies string);
    return await diff(context);
  }
  if (subverb === "example") return example(name, context);
  if (name === undefined) return print(context);
  context.stderr(`sonde: error: sonde config ${subverb} does not take "${name}"\n`);
  return 64;
}
