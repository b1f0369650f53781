/**
 * Selections: lists of patterns with a sign, of which the last one that matches a name decides. Patterns are those
 * of the exclusion lists.
 * @module
 */
import { matcher } from "../collectors/glob.ts";

/** One entry of `SONDE_COLLECTORS` or `SONDE_METRICS`. */
export interface Choice {
  readonly on: boolean;
  readonly pattern: string;
}

/** Reads `name`, `+name` (both: on) and `-name` (off). */
export function parseChoice(entry: string): Choice {
  const sign = entry.startsWith("+") || entry.startsWith("-");
  return { on: !entry.startsWith("-"), pattern: sign ? entry.slice(1).trim() : entry };
}

/** A test for "is this name wanted": the last matching choice, else what the name is by default. */
export function selector(choices: readonly Choice[]): (name: string, byDefault: boolean) => boolean {
  const compiled = choices.map(({ on, pattern }) => ({ on, matches: matcher([pattern]) }));
  return (name, byDefault) => compiled.findLast(({ matches }) => matches(name))?.on ?? byDefault;
}
