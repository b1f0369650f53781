/**
 * How values are written: one object per kind, which parses a text or throws saying what is wrong with it, and
 * states its rule in words for help, findings and documentation (design 7). Pure.
 * @module
 */
import { type Choice, parseChoice } from "./glob.ts";
import { type HeaderList, parseAttributes, parseHeaders } from "./header_list.ts";

/** A kind of value. `parse` throws SyntaxError or RangeError; its message names what was found. */
export interface ValueType<T> {
  readonly label: string;
  /** Completes "Write …". */
  readonly rule: string;
  /** The words it takes, where they can be listed. */
  readonly words?: readonly string[];
  parse(text: string): T;
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
};

/** A table's row for a word that somebody wrote; words that every object knows, such as "constructor", have none. */
export function rowOf<T>(table: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

function inUnit(value: number, units: readonly (readonly [string, number])[]): string {
  const [unit, size] = units.find(([, each]) => value >= each && value % each === 0) ?? ["", 1];
  return `${value / size}${unit}`;
}

/** Milliseconds as the shortest text `duration` reads: 90000 is "90s". */
export function durationText(ms: number): string {
  return ms === 0 ? "0s" : inUnit(ms, [["h", 3_600_000], ["m", 60_000], ["s", 1000], ["ms", 1]]);
}

/** Bytes as the shortest text `size` reads: 4194304 is "4MiB". */
export function sizeText(bytes: number): string {
  return inUnit(bytes, [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]);
}

function bounded(value: number, { text, shown, min, max }: Bounds): number {
  if (value < min) throw new RangeError(`"${text}" is less than ${shown(min)}`);
  if (value > max) throw new RangeError(`"${text}" is more than ${shown(max)}`);
  return value;
}

interface Bounds {
  readonly text: string;
  readonly shown: (value: number) => string;
  readonly min: number;
  readonly max: number;
}

function measure(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text) ?? [];
  const size = rowOf(units, unit);
  return digits === "" || size === undefined ? undefined : Math.round(Number(digits) * size);
}

/** Milliseconds, written `500ms 10s 5m 1h`. */
export function duration(min: string, max: string): ValueType<number> {
  const [least, most] = [measure(min, DURATION_UNITS) ?? 0, measure(max, DURATION_UNITS) ?? 0];
  return {
    label: "duration",
    rule: `a duration from ${min} to ${max}, for example ${least <= 10_000 && most >= 10_000 ? "10s" : min}`,
    parse(text) {
      const ms = measure(text, DURATION_UNITS);
      if (ms === undefined) throw new SyntaxError(`"${text}" is not a duration`);
      return bounded(ms, { text, shown: durationText, min: least, max: most });
    },
  };
}

/** Bytes, written `64KiB 4MiB`. */
export function size(min: string, max: string): ValueType<number> {
  const [least, most] = [measure(min, SIZE_UNITS) ?? 0, measure(max, SIZE_UNITS) ?? 0];
  return {
    label: "size",
    rule: `a size from ${min} to ${max}, for example 4MiB`,
    parse(text) {
      const bytes = measure(text, SIZE_UNITS);
      if (bytes === undefined) throw new SyntaxError(`"${text}" is not a size`);
      return bounded(bytes, { text, shown: sizeText, min: least, max: most });
    },
  };
}

/** A whole number. */
export function count(min: number, max: number): ValueType<number> {
  return {
    label: "number",
    rule: `a whole number from ${min} to ${max}`,
    parse(text) {
      if (!/^\d+$/.test(text)) throw new SyntaxError(`"${text}" is not a whole number`);
      return bounded(Number(text), { text, shown: String, min, max });
    },
  };
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  1: true,
  0: false,
  yes: true,
  no: false,
  on: true,
  off: false,
};

export const boolean: ValueType<boolean> = {
  label: "boolean",
  rule: "true or false (1 0 yes no on off mean the same)",
  words: ["true", "false"],
  parse(text) {
    const value = rowOf(BOOLEANS, text.toLowerCase());
    if (value === undefined) throw new SyntaxError(`"${text}" is neither true nor false`);
    return value;
  },
};

/** One of some words, in any case. */
export function oneOf<const T extends string>(...words: readonly T[]): ValueType<T> {
  return {
    label: "word",
    rule: `one of ${words.join(", ")}`,
    words,
    parse(text) {
      const word = words.find((each) => each.toLowerCase() === text.toLowerCase());
      if (word === undefined) throw new RangeError(`"${text}" is not known`);
      return word;
    },
  };
}

/** A word that stands beside another type, such as `auto` or `off`. */
export function orWord<T, const W extends string>(word: W, other: ValueType<T>): ValueType<T | W> {
  return {
    label: `${other.label} or ${word}`,
    rule: `${word}, or ${other.rule}`,
    words: [word, ...(other.words ?? [])],
    parse: (text) => text.toLowerCase() === word ? word : other.parse(text),
  };
}

function entries(text: string): string[] {
  const list = text.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
  // The bound of a remotely set list (opamp.md 3.4), kept for every origin.
  if (list.length > 200) throw new RangeError(`the list has ${list.length} entries, more than 200`);
  const long = list.find((entry) => entry.length > 256);
  if (long !== undefined) throw new RangeError(`entry "${long.slice(0, 32)}…" is longer than 256 characters`);
  return list;
}

/** A list by comma. */
export const list: ValueType<readonly string[]> = {
  label: "list",
  rule: "a list separated by commas",
  parse: entries,
};

/** A list of names or globs with a sign. */
export const choices: ValueType<readonly Choice[]> = {
  label: "list of +name, -name",
  rule: "a list such as +name,-other*",
  parse(text) {
    const parsed = entries(text).map(parseChoice);
    if (parsed.some(({ pattern }) => pattern === "")) {
      throw new SyntaxError("an entry is a sign without a name");
    }
    return parsed;
  },
};

/** Any text without a line break. */
export const text: ValueType<string> = {
  label: "text",
  rule: "a text on one line",
  parse(value) {
    if (/[\r\n\0]/.test(value)) throw new SyntaxError("the value holds a line break or NUL");
    return value;
  },
};

/** A text of a given shape. */
export function shaped(shape: RegExp, rule: string): ValueType<string> {
  return {
    label: "text",
    rule,
    parse(value) {
      if (!shape.test(value)) throw new SyntaxError(`"${value}" does not have the right form`);
      return value;
    },
  };
}

/** A path that does not depend on the folder sonde was started in. */
export const path: ValueType<string> = {
  label: "path",
  rule: "an absolute path",
  parse(value) {
    if (!value.startsWith("/")) throw new SyntaxError(`"${value}" is not an absolute path`);
    if (/[\r\n\0]/.test(value)) throw new SyntaxError("the path holds a line break or NUL");
    return value;
  },
};

/** A path that may depend on that folder, as other programs' variables for certificates do. */
export const file: ValueType<string> = { ...text, label: "path", rule: "the path of a file" };

/** `k=v,k2=v2`, values percent-encoded. */
export const headers: ValueType<HeaderList> = {
  label: "headers",
  rule: "name=value pairs separated by commas, special characters as %XX",
  parse: parseHeaders,
};

/** `k=v,k2=v2`, keys and values percent-encoded. */
export const attributes: ValueType<Readonly<Record<string, string>>> = {
  label: "attributes",
  rule: "key=value pairs separated by commas, special characters as %XX",
  parse: parseAttributes,
};
