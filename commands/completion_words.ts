/**
 * What can stand where on a command line, from the verb table: the one source of completions and manual pages, so that
 * they cannot disagree with the parser (design 6).
 * @module
 */
import type { Flag, Verb } from "./verb.ts";

/** A flag as it is typed: `--interval`, `-c`. */
export function spellings({ name, short }: Flag): string[] {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
}

/** What a flag's value is, for a shell: fixed words, a path, or anything. */
export type ValueKind = "none" | "words" | "file" | "folder" | "any";

const FILES: readonly string[] = ["env-file", "key-file", "import"];
const FOLDERS: readonly string[] = ["root", "state-dir", "previous"];

/** How a shell completes the flag's value. */
export function valueKind({ name, value, values }: Flag): ValueKind {
  if (value === undefined) return "none";
  if (values !== undefined) return "words";
  return FILES.includes(name) ? "file" : FOLDERS.includes(name) ? "folder" : "any";
}

/** The words a flag takes; empty where it takes any. */
export function valueWords({ values }: Flag): readonly string[] {
  return values ?? [];
}

/** Words that may follow a verb. */
export function operandWords(verb: Verb, verbs: readonly Verb[]): readonly string[] {
  if (verb.subverbs !== undefined) return verb.subverbs;
  return verb.name === "help" ? verbs.map(({ name }) => name) : [];
}
