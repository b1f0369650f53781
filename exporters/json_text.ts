/**
 * A cursor over JSON that decodes and parses it in pieces: the text of a large request and the objects it makes are
 * many times its size, and live until the next full collection. Which text a value takes is found by its brackets;
 * that it is JSON is for `JSON.parse` to say, piece by piece. Integers that a number may not hold are read as text,
 * which OTLP/JSON takes for them (otlp E5).
 * @module
 */

/** How much is in work at a time. */
export interface TextSizes {
  /** Decoded at once. */
  readonly chunkBytes: number;
  /** Parsed at once. */
  readonly pieceChars: number;
}

/** So little that its objects are gone before a collection finds them. */
const SIZES: TextSizes = { chunkBytes: 16_384, pieceChars: 4_096 };

/** An integer that a JavaScript number may not hold; may find one inside a text, which costs time only. */
const LONG_INTEGER = /(?:^|[:[,])\s*-?\d{16}/;
/** A string, or a number as a whole. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\[^][^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const WHOLE_LONG = /^-?\d{16,}$/;

/** Up to the next bracket or past some strings; the bound keeps the expression's stack small. */
const RUN = /[^"{}[\]]*(?:"[^"\\]*(?:\\[^][^"\\]*)*"[^"{}[\]]*){0,64}/y;
const STRING = /"[^"\\]*(?:\\[^][^"\\]*)*"/y;
const WORD = /[^\s,\]}]+/y;
const SPACE = /[ \t\r\n]*/y;
const COMMA = /[ \t\r\n]*,[ \t\r\n]*/y;

/** What JSON text means, long integers as text. Throws `SyntaxError`. */
export function parseJson(text: string): unknown {
  return JSON.parse(LONG_INTEGER.test(text) ? quoteLongIntegers(text) : text);
}

/** Elements as they stand between the brackets of an array. */
function parseList(text: string): readonly unknown[] {
  const list = parseJson(`[${text}]`);
  return Array.isArray(list) ? list : [];
}

function quoteLongIntegers(text: string): string {
  return text.replace(STRING_OR_NUMBER, (token) => WHOLE_LONG.test(token) ? `"${token}"` : token);
}

const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LAST_SPACE = 0x20;

/**
 * A cursor on a value. Every method throws `SyntaxError` where the text is not JSON, `TypeError` where it is not UTF-8.
 */
export class JsonText {
  readonly #bytes: Uint8Array;
  readonly #chunkBytes: number;
  readonly #pieceChars: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #decoded = 0;
  /** What is decoded; the cursor is in it. */
  #text = "";
  #at = 0;

  constructor(bytes: Uint8Array, { chunkBytes, pieceChars }: TextSizes = SIZES) {
    this.#bytes = bytes;
    this.#chunkBytes = chunkBytes;
    this.#pieceChars = pieceChars;
    this.#pass(0);
  }

  /** The first character of what is next; "" at the end. */
  get next(): string {
    return this.#text.charAt(this.#at);
  }

  /** Goes past an object; `member` goes past each member's value. */
  object(member: (name: string) => void): void {
    this.#expect("{");
    if (this.#take("}")) return;
    do member(this.#name()); while (this.#take(","));
    this.#expect("}");
  }

  /** Goes past an array: what is short comes in lists of several elements, `enter` goes past each that is long. */
  array(elements: (values: readonly unknown[]) => void, enter: () => void): void {
    this.#expect("[");
    if (this.#take("]")) return;
    do {
      const size = this.#elementsSize();
      if (size < 0) enter();
      else elements(this.#parsed(size, parseList));
    } while (this.#take(","));
    this.#expect("]");
  }

  /** Goes past a value and gives it; an object or array that is long stays, and is told by undefined. */
  value(): { readonly json: unknown } | undefined {
    const size = this.#valueSize(0, this.#pieceChars);
    return size < 0 ? undefined : { json: this.#parsed(size, parseJson) };
  }

  /** Goes past a value of any length and gives it. */
  whole(): unknown {
    return this.#parsed(this.#valueSize(0, Infinity), parseJson);
  }

  /** There must be nothing more. */
  end(): void {
    if (this.next !== "") throw this.#unexpected("the end");
  }

  #name(): string {
    if (this.next !== '"') throw this.#unexpected("a name");
    const name = this.#parsed(this.#valueSize(0, this.#pieceChars), parseJson);
    this.#expect(":");
    return String(name);
  }

  #parsed<T>(size: number, parse: (text: string) => T): T {
    const value = parse(this.#text.slice(this.#at, this.#at + size));
    this.#pass(size);
    return value;
  }

  /** Of the elements that make a piece, commas between them included; -1 when the first is long. */
  #elementsSize(): number {
    let size = this.#valueSize(0, this.#pieceChars);
    while (size >= 0 && size < this.#pieceChars) {
      COMMA.lastIndex = this.#at + size;
      // What follows the last comma that is decoded may be more space.
      if (!COMMA.test(this.#text) || COMMA.lastIndex === this.#text.length) break;
      const more = this.#valueSize(COMMA.lastIndex - this.#at, this.#pieceChars);
      if (more < 0) break;
      size = more;
    }
    return size;
  }

  /** From the cursor to the end of the value that begins `from` behind it; -1: it has brackets and ends after `limit`. */
  #valueSize(from: number, limit: number): number {
    for (;;) {
      const end = this.#valueEnd(this.#at + from, this.#at + limit);
      if (end !== undefined) return end < 0 ? -1 : end - this.#at;
      if (!this.#decodeMore()) throw this.#unexpected("a whole value");
    }
  }

  /** One past a value; undefined when it is cut by the end of what is decoded. */
  #valueEnd(start: number, limit: number): number | undefined {
    const text = this.#text;
    const first = text.charCodeAt(start);
    if (first === QUOTE) return matchEnd(STRING, text, start);
    if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
      const end = matchEnd(WORD, text, start);
      return end === text.length && this.#decoded < this.#bytes.length ? undefined : end;
    }
    let at = start;
    let depth = 0;
    do {
      RUN.lastIndex = at;
      RUN.test(text);
      const end = RUN.lastIndex;
      const found = text.charCodeAt(end);
      if (found === OPEN_BRACE || found === OPEN_BRACKET) depth++;
      else if (found === CLOSE_BRACE || found === CLOSE_BRACKET) depth--;
      // A string without an end, as far as is decoded.
      else if (found !== QUOTE || end === at) return end > limit ? -1 : undefined;
      at = found === QUOTE ? end : end + 1;
      if (at > limit) return -1;
    } while (depth > 0);
    return at;
  }

  #take(character: string): boolean {
    if (this.next !== character) return false;
    this.#pass(1);
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw this.#unexpected(`"${character}"`);
  }

  /** Goes on by so many characters, and past the space behind them. */
  #pass(size: number): void {
    this.#at += size;
    // A compact text has none: most calls end here.
    while (!(this.#text.charCodeAt(this.#at) > LAST_SPACE)) {
      SPACE.lastIndex = this.#at;
      SPACE.test(this.#text);
      const isPast = SPACE.lastIndex < this.#text.length;
      this.#at = SPACE.lastIndex;
      if (isPast || !this.#decodeMore()) return;
    }
  }

  /** Decodes as much again as is here already, a chunk at least; false when there is nothing more. */
  #decodeMore(): boolean {
    const rest = this.#text.slice(this.#at);
    const end = Math.min(this.#bytes.length, this.#decoded + Math.max(this.#chunkBytes, rest.length));
    if (end === this.#decoded) return false;
    const chunk = this.#bytes.subarray(this.#decoded, end);
    this.#text = rest + this.#decoder.decode(chunk, { stream: end < this.#bytes.length });
    this.#at = 0;
    this.#decoded = end;
    return true;
  }

  #unexpected(rule: string): SyntaxError {
    const found = this.next === "" ? "the end" : `"${this.#text.slice(this.#at, this.#at + 20)}"`;
    return new SyntaxError(`${found} before byte ${this.#decoded}, expected ${rule}`);
  }
}

/** One past a match at `start`; undefined without one. */
function matchEnd(pattern: RegExp, text: string, start: number): number | undefined {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
