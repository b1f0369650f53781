/**
 * Older names: texts of variables that other programs defined, turned into the texts of sonde's keys. The grammars
 * are Heka's (heka.md section 3, G1 to G4): seconds, lists without percent-encoding, words for booleans.
 * @module
 */
import type { Alias, AliasKind } from "../exporters/presets/preset.ts";
import type { Judgement } from "./candidate.ts";
import { isReserved } from "./header_list.ts";
import { durationText } from "./value_types.ts";

/** A text in the key's own grammar; throws RangeError or SyntaxError when the old text breaks the old grammar. */
type Translate = (text: string, alias: Alias) => string;

const TRUE_WORDS: ReadonlySet<string> = new Set(["true", "1", "yes"]);

/** G1 and G2: entries by comma, split at the first separator, neither side empty. Throws SyntaxError. */
export function parsePairs(text: string, separator: "=" | ":"): [string, string][] {
  return text.split(",").map((entry, index) => {
    const at = entry.indexOf(separator);
    const [key, value] = [entry.slice(0, Math.max(at, 0)).trim(), entry.slice(at + 1).trim()];
    if (at < 0 || key === "" || value === "") {
      throw new SyntaxError(`entry ${index + 1} is not key${separator}value`);
    }
    return [key, value];
  });
}

/** Our own list grammar for pairs: names stay as they are, values are percent-encoded. */
function encodePairs(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join(",");
}

/** G3: a whole number above 0. Throws RangeError. */
export function parseWhole(text: string): number {
  const value = /^\+?\d[\d_]*$/.test(text) ? Number(text.replaceAll("_", "")) : NaN;
  if (!(Number.isSafeInteger(value) && value > 0)) {
    throw new RangeError(`"${text}" is not a whole number above 0`);
  }
  return value;
}

/** G4, but only finite numbers above 0. Throws RangeError. */
export function parseSeconds(text: string): number {
  const isNumber = /^\+?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text);
  const value = isNumber ? Number(text.replaceAll("_", "")) : NaN;
  if (!(Number.isFinite(value) && value > 0)) {
    throw new RangeError(`"${text}" is not a number of seconds above 0`);
  }
  return value;
}

const TRANSLATIONS: Readonly<Record<AliasKind, Translate>> = {
  text: (text) => text,
  lower: (text) => text.toLowerCase(),
  verbatim: (text) => text,
  base: (text) => text.replace(/\/+$/, "").replace(/\/v1\/metrics$/, ""),
  attribute: (text, { attributes = [] }) => encodePairs(attributes.map((name) => [name, text])),
  pairs: (text) => encodePairs(parsePairs(text, "=")),
  headers: (text) => encodePairs(parsePairs(text, "=").filter(([name]) => !isReserved(name))),
  tags: (text) => encodePairs(parsePairs(text, ":")),
  seconds: (text) => durationText(Math.round(parseSeconds(text) * 1000)),
  wholeSeconds: (text) => `${parseWhole(text)}s`,
  words: (text) => String(TRUE_WORDS.has(text.toLowerCase())),
};

/** The text of the alias' key; throws when the old text breaks the old grammar. */
export function translate(text: string, alias: Alias): string {
  return TRANSLATIONS[alias.kind](text, alias);
}

/** Numbers fall back to their default with a warning, as they always did; everything else stops the start. */
export function judge(alias: Alias): Judgement {
  if (alias.kind === "seconds" || alias.kind === "wholeSeconds") {
    return { severity: "warning", next: "The default is used" };
  }
  if (alias.kind === "pairs" || alias.kind === "headers") {
    return { severity: "problem", next: "Write key=value,key2=value2" };
  }
  if (alias.kind === "tags") return { severity: "problem", next: "Write key:value,key2:value2" };
  return { severity: "problem" };
}
