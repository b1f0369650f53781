/**
 * Reading the kernel's text: lines, fields and numbers. Every failure quotes what it could not read, and an
 * absent field is `undefined`, never 0.
 * @module
 */

/** Longest piece of kernel text quoted in a message. */
const QUOTE_MAX = 80;

/** A piece of kernel text, quoted and cut for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTE_MAX ? text.slice(0, QUOTE_MAX) + "…" : text);
}

/** Whitespace-separated fields of a line. */
export function fields(line: string): string[] {
  const trimmed = line.trim();
  return trimmed === "" ? [] : trimmed.split(/\s+/);
}

const DIGITS = /^\d+$/;
/** Below this many digits a decimal fits a double exactly (2^53 has 16). */
const SAFE_DIGITS = 16;

/** An unsigned decimal, exact: a bigint from 16 digits on (host-metrics D9). Undefined when it is not one. */
export function unsigned(token: string | undefined): number | bigint | undefined {
  if (token === undefined || !DIGITS.test(token)) return undefined;
  return token.length < SAFE_DIGITS ? Number(token) : BigInt(token);
}

/** An unsigned decimal as a double, for figures that are divided anyway. Undefined when it is not one. */
export function count(token: string | undefined): number | undefined {
  return token !== undefined && DIGITS.test(token) ? Number(token) : undefined;
}

const DECIMAL = /^-?\d+(\.\d+)?$/;

/** A plain decimal number with optional sign and fraction. Undefined when it is not one. */
export function decimal(token: string | undefined): number | undefined {
  return token !== undefined && DECIMAL.test(token) ? Number(token) : undefined;
}

/** `a · b` without losing digits when `a` is a bigint. `b` is a whole number. */
export function times(a: number | bigint, b: number): number | bigint {
  if (typeof a === "bigint") return a * BigInt(b);
  const product = a * b;
  return Number.isSafeInteger(product) ? product : BigInt(a) * BigInt(b);
}

/** Lines of a kernel file without their ends. An unterminated last line is cut off text, hence not among them. */
export function wholeLines(text: string): string[] {
  const lines = text.split("\n");
  lines.pop();
  return lines;
}

/** The only value of a one-line file. Undefined when the line is not terminated: its digits may be cut off. */
export function wholeValue(text: string | undefined): string | undefined {
  return text?.endsWith("\n") ? text.trim() : undefined;
}

/** A word that is followed by more text: one that ends the text may have been cut off in its middle. */
const WORD = /[ \t]*(\S+)(?=\s)/y;

/**
 * The word behind the first occurrence of a label, without looking at the rest of its line, which may be long.
 * Give the text with a line break in front and labels such as "\nctxt ", so that they match at line starts only.
 */
export function wordAfter(text: string, label: string): string | undefined {
  const at = text.indexOf(label);
  if (at < 0) return undefined;
  WORD.lastIndex = at + label.length;
  return WORD.exec(text)?.[1];
}

/** The whole line behind a label, trimmed; see `wordAfter`. Undefined when the line is absent or not terminated. */
export function lineAfter(text: string, label: string): string | undefined {
  const at = text.indexOf(label);
  if (at < 0) return undefined;
  const end = text.indexOf("\n", at + label.length);
  return end < 0 ? undefined : text.slice(at + label.length, end).trim();
}
