/**
 * Help, of the program and of each verb, made from the verb table and the key table; at most 80 columns.
 * @module
 */
import { AREAS } from "../config/keys.ts";
import type { Context } from "./context.ts";
import type { Flag, Verb } from "./verb.ts";
import { GLOBAL_FLAGS } from "./verbs.ts";

const WIDTH = 80;
const TERM = 26;
/** Of the lines that a usage line goes on with. */
const INDENT = 7;

/** Exit codes and what they mean. */
export const EXITS: readonly (readonly [string, string])[] = [
  ["0", "delivered, or the check passed"],
  ["64", "the command line cannot be understood"],
  ["69", "the backend refused or was not reached, and nothing could be kept"],
  ["70", "a fault of sonde's own"],
  ["74", "the state directory cannot be written, or the disk is full"],
  ["75", "not delivered yet but safely spooled; or a restart is wanted"],
  ["76", "the backend rejected part of the data"],
  ["77", "the backend answered 401 or 403"],
  ["78", "the configuration is wrong"],
];

/** Words of a text in lines that fit. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

/** A term and what it means, side by side, or under each other when the term is long. */
function entry(term: string, text: string): string[] {
  const lines = wrap(text, WIDTH - TERM);
  const first = `  ${term}`;
  const head = first.length >= TERM ? [first] : [first.padEnd(TERM) + (lines.shift() ?? "")];
  return [...head, ...lines.map((line) => " ".repeat(TERM) + line)];
}

function flagTerm({ short, name, value }: Flag): string {
  const names = short === undefined ? `    --${name}` : `-${short}, --${name}`;
  return value === undefined ? names : `${names} ${value}`;
}

function flagLines(flags: readonly Flag[]): string[] {
  return flags.flatMap((flag) => entry(flagTerm(flag), flag.help));
}

/** `sonde --help`: the verbs, and the flags all of them take. */
export function programHelp(verbs: readonly Verb[]): string {
  return [
    "sonde: a telemetry agent for Linux hosts; delivers OTLP, holds no permission",
    "",
    "usage: sonde VERB [FLAGS]",
    "",
    "verbs:",
    ...verbs.flatMap(({ name, summary }) => entry(name, summary)),
    "",
    "flags of every verb, before or after it:",
    ...flagLines(GLOBAL_FLAGS),
    "",
    "exit codes:",
    ...EXITS.flatMap(([code, meaning]) => entry(code, meaning)),
    "",
    "Keys of the configuration file and the environment: sonde help config",
    "",
  ].join("\n");
}

function keyLines(): string[] {
  return Object.entries(AREAS).flatMap(([area, keys]) => [
    "",
    `keys, ${area}:`,
    ...keys.flatMap((key) => {
      const fallback = key.default === undefined ? "" : ` Default ${key.default}.`;
      return entry(key.name, `${key.help}${fallback}`);
    }),
  ]);
}

/** `sonde VERB --help`. The key table stands with the verb that is about configuration. */
export function verbHelp(verb: Verb): string {
  const usage = wrap(
    `usage: sonde ${verb.name} ${verb.operands ?? ""}`.trimEnd() + " [FLAGS]",
    WIDTH - INDENT,
  );
  return [
    ...usage.map((line, at) => at === 0 ? line : " ".repeat(INDENT) + line),
    "",
    ...verb.details.flatMap((paragraph) => [...wrap(paragraph, WIDTH), ""]),
    ...(verb.flags.length === 0 ? [] : ["flags:", ...flagLines(verb.flags), ""]),
    "flags of every verb:",
    ...flagLines(GLOBAL_FLAGS),
    ...(verb.name === "config" ? keyLines() : []),
    "",
  ].join("\n");
}

/** `sonde help [VERB]`. */
export function run({ operands, verbs, stdout, stderr }: Context): Promise<number> {
  const [name] = operands;
  const verb = verbs.find((each) => each.name === name);
  if (name !== undefined && verb === undefined) {
    stderr(`sonde: error: Unknown verb "${name}"\nsonde: hint: Type sonde --help for all verbs\n`);
    return Promise.resolve(64);
  }
  stdout(verb === undefined ? programHelp(verbs) : verbHelp(verb));
  return Promise.resolve(0);
}
