/**
 * The running configuration as OpAMP reports it (opamp 3.5): one JSON file of sorted keys, secrets replaced. It is
 * made from the text each key was given, so that nothing the operator wrote as a reference is spelled out.
 * @module
 */
import { keyNamed } from "./keys.ts";
import type { ConfigFile } from "./opamp_values.ts";

export const REDACTED = "[REDACTED]";

/** User and password of any URL inside a value. */
const USERINFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi;

function shown(name: string, text: string, destinations: readonly string[]): string {
  const named = keyNamed(name, destinations);
  // What is not in the table may be anything, a secret included.
  if (named === undefined) return REDACTED;
  if (named.isFile) return text;
  return named.key.secret ? REDACTED : text.replaceAll(USERINFO, `$1${REDACTED}@`);
}

/** The file for `effectiveConfigOf({ "": … })`; `values` are texts by variable name. */
export function effectiveConfigFile(
  values: Readonly<Record<string, string>>,
  destinations: readonly string[] = [],
): ConfigFile {
  const entries = Object.keys(values).sort().map((
    name,
  ) => [name, shown(name, values[name] ?? "", destinations)]);
  const body = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  return { body, contentType: "application/json" };
}
