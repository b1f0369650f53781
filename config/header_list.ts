/**
 * The two lists OpenTelemetry writes as `k=v,k2=v2`: headers (forgiving, one entry at a time) and resource
 * attributes (all or nothing), as otlp.md section 2 reads them. Messages never hold a header's value.
 * @module
 */

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const RESERVED: ReadonlySet<string> = new Set(["content-type", "content-encoding", "content-length", "host"]);

/** True for headers that describe the body or the way: whoever makes the request sets them. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name.toLowerCase());
}

/** Headers by lower-case name, and what was odd but usable. */
export interface HeaderList {
  readonly headers: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

function decoded(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw);
  } catch {
    // Malformed percent-encoding: the caller decides whether the raw text will do.
    return undefined;
  }
}

function checkName(name: string, position: number): void {
  if (!TOKEN.test(name)) {
    throw new SyntaxError(`header ${position} has no valid name before "="`);
  }
  if (RESERVED.has(name)) {
    throw new RangeError(`header "${name}" is set by sonde itself and cannot be replaced`);
  }
}

/** A value that can go on the wire: no CR, LF or NUL, and nothing outside ISO 8859-1. Throws RangeError. */
export function checkHeaderValue(header: string, value: string): void {
  if (/[\r\n\0]/.test(value)) throw new RangeError(`${header} holds a line break or NUL`);
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw new RangeError(`${header} holds a character that HTTP cannot carry`);
  }
}

/**
 * Reads a header list; throws SyntaxError or RangeError naming the entry by its position: a token pasted without its
 * name would otherwise be printed as one.
 */
export function parseHeaders(text: string): HeaderList {
  const headers: Record<string, string> = Object.create(null);
  const warnings: string[] = [];
  for (const [index, entry] of text.split(",").entries()) {
    const [pair, header] = [entry.trim(), `header ${index + 1}`];
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    if (equals < 0) throw new SyntaxError(`${header} has no "="`);
    const name = pair.slice(0, equals).trim().toLowerCase();
    checkName(name, index + 1);
    const raw = pair.slice(equals + 1).trim();
    const value = decoded(raw);
    if (value === undefined) {
      warnings.push(`${header} has a malformed % sequence and is sent as written`);
    }
    if (raw.includes(";")) warnings.push(`${header} holds ";", which is sent as part of the value`);
    if (name in headers) warnings.push(`${header} has the name of an earlier one and replaces it`);
    checkHeaderValue(header, value ?? raw);
    headers[name] = value ?? raw;
  }
  return { headers: { ...headers }, warnings };
}

/** Reads resource attributes; throws SyntaxError on the first entry that is not `key=value`: none is used then. */
export function parseAttributes(text: string): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = Object.create(null);
  for (const [index, entry] of text.split(",").entries()) {
    if (entry.trim() === "") continue;
    const [rawKey = "", rawValue, ...rest] = entry.split("=");
    if (rawValue === undefined) throw new SyntaxError(`attribute ${index + 1} has no "="`);
    if (rest.length > 0) throw new SyntaxError(`attribute ${index + 1} holds "=", which must be written %3D`);
    const key = decoded(rawKey.trim());
    const value = decoded(rawValue.trim());
    if (key === undefined || value === undefined) {
      throw new SyntaxError(`attribute ${index + 1} has a malformed % sequence`);
    }
    if (key === "") throw new SyntaxError(`attribute ${index + 1} has no name before "="`);
    attributes[key] = value;
  }
  return { ...attributes };
}
