/**
 * `parse` of @std/dotenv, written for the case that its registry cannot be reached: the documented grammar, without
 * looking at the process environment. Comments, `export`, single quotes (literal), double quotes (escapes, several
 * lines), and `$VAR`, `${VAR}`, `${VAR:-default}` in unquoted and double-quoted values.
 * @module
 */

const ENTRY =
  /^[ \t]*(?:export[ \t]+)?([^\s=#'"]+)[ \t]*=[ \t]*(?:'([^']*)'|"((?:[^"\\]|\\[^])*)"|([^\r\n]*))[^\r\n]*$/gm;
const NAME = /^[A-Za-z_]\w*$/;
const REFERENCE = /\\\$|\$\{(\w+)(?::-((?:[^{}]|\$\{[^{}]*\})*))?\}|\$(\w+)/g;
const ESCAPE = /\\([nrt"])/g;
const ESCAPED: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"' };

/** Entries that double each other could otherwise grow without end. */
const EXPANSIONS_MAX = 10_000;

interface Raw {
  readonly text: string;
  readonly expands: boolean;
}

/** An unquoted value ends where a comment begins: at a `#` that starts the value or follows a blank. */
function uncommented(text: string): string {
  return text.replace(/(?:^|[ \t])#.*$/, "").trim();
}

function readEntries(text: string): Map<string, Raw> {
  const entries = new Map<string, Raw>();
  for (const [, name = "", literal, quoted, unquoted = ""] of text.matchAll(ENTRY)) {
    if (!NAME.test(name)) continue;
    // A later entry of the same name replaces the earlier one and its place.
    entries.delete(name);
    if (literal !== undefined) entries.set(name, { text: literal, expands: false });
    else if (quoted === undefined) entries.set(name, { text: uncommented(unquoted), expands: true });
    else {entries.set(name, {
        text: quoted.replace(ESCAPE, (_, letter) => ESCAPED[letter] ?? ""),
        expands: true,
      });}
  }
  return entries;
}

/**
 * Reads `KEY=value` lines into an object. References are resolved among the entries themselves, in any order; an
 * unknown one, or one that leads back to itself, becomes its default or nothing. Throws RangeError when references
 * multiply beyond reason.
 */
export function parse(text: string): Record<string, string> {
  const entries = readEntries(text);
  let budget = EXPANSIONS_MAX;
  const expand = (value: string, open: readonly string[]): string =>
    value.replace(REFERENCE, (reference, braced, fallback, bare) => {
      if (reference === "\\$") return "$";
      if (budget-- === 0) {
        throw new RangeError(`Cannot expand entries: more than ${EXPANSIONS_MAX} references`);
      }
      return valueOf(braced ?? bare, open) || expand(fallback ?? "", open);
    });
  const valueOf = (name: string, open: readonly string[]): string => {
    const raw = open.includes(name) ? undefined : entries.get(name);
    if (raw === undefined) return "";
    return raw.expands ? expand(raw.text, [...open, name]) : raw.text;
  };
  return Object.fromEntries([...entries.keys()].map((name) => [name, valueOf(name, [])]));
}
