/**
 * Changing a configuration file as a careful person would: the lines of other keys, comments and order stay, a key
 * that is there is changed in place, a new one is added at the end. Pure: text in, text out.
 * @module
 */
import { MASK } from "./effective.ts";
import { HEKA_FILE } from "./env_file.ts";
import type { ConfigFiles } from "./files.ts";
import { keyNamed } from "./keys.ts";

/** A file's new text, and the lines that differ, secrets masked. */
export interface Edit {
  readonly text: string;
  /** Lines that begin with "- " or "+ ". */
  readonly difference: readonly string[];
}

/** The value as @std/dotenv's grammar reads it back. Throws RangeError for what no line can hold. */
export function quoted(value: string): string {
  if (/[\r\n\0]/.test(value)) {
    throw new RangeError("Cannot write the value: it has more than one line, expected one");
  }
  if (/^[\w./:@%+,=-]*$/.test(value)) return value;
  if (!value.includes("'")) return `'${value}'`;
  if (!/["\\$]/.test(value)) return `"${value}"`;
  throw new RangeError(
    "Cannot write the value: it has quotes of both kinds, expected one that a line can hold",
  );
}

function masked(line: string): string {
  const [, name = ""] = /^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=/.exec(line) ?? [];
  const isSecret = keyNamed(name)?.key.secret === true || /KEY|TOKEN|SECRET|PASSWORD|HEADERS/i.test(name);
  return isSecret ? `${name}=${MASK}` : line;
}

/** Sets keys in a file's text; a key whose value is undefined is taken out. */
export function editFile(text: string, values: ReadonlyMap<string, string | undefined>): Edit {
  const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
  const difference: string[] = [];
  const kept: string[] = [];
  const left = new Map(values);
  for (const line of lines) {
    const [, name = ""] = /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=/.exec(line) ?? [];
    if (!values.has(name)) {
      kept.push(line);
      continue;
    }
    const value = left.get(name);
    const next = value === undefined ? undefined : `${name}=${quoted(value)}`;
    left.delete(name);
    if (next !== undefined) kept.push(next);
    if (next === line) continue;
    difference.push(`- ${masked(line)}`);
    if (next !== undefined) difference.push(`+ ${masked(next)}`);
  }
  for (const [name, value] of left) {
    if (value === undefined) continue;
    kept.push(`${name}=${quoted(value)}`);
    difference.push(`+ ${masked(`${name}=${quoted(value)}`)}`);
  }
  return { text: kept.map((line) => `${line}\n`).join(""), difference };
}

/** The file of the agent that sonde replaces, where it is and may be read. */
export function olderFile(files: ConfigFiles): string | undefined {
  return files.facts(HEKA_FILE)?.isFile === true ? HEKA_FILE : undefined;
}
