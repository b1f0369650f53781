/** JSON read in pieces: the same values as JSON.parse gives, wherever chunks and pieces end, and the same refusals. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { JsonText, parseJson, type TextSizes } from "../exporters/json_text.ts";

const encoder = new TextEncoder();

/** The whole value, long objects and arrays entered. */
function read(source: JsonText): unknown {
  const value = source.value();
  if (value !== undefined) return value.json;
  if (source.next === "{") {
    const members: [string, unknown][] = [];
    source.object((name) => members.push([name, read(source)]));
    return Object.fromEntries(members);
  }
  const elements: unknown[] = [];
  source.array((values) => elements.push(...values), () => elements.push(read(source)));
  return elements;
}

function readAll(text: string, sizes: TextSizes): unknown {
  const source = new JsonText(encoder.encode(text), sizes);
  const value = read(source);
  source.end();
  return value;
}

const sizes = fc.record({
  chunkBytes: fc.integer({ min: 1, max: 40 }),
  pieceChars: fc.integer({ min: 1, max: 60 }),
});
const texts = fc.tuple(fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }), fc.constantFrom(0, 1, "\t\r\n"))
  .map(([value, space]) => ` ${JSON.stringify(value, undefined, space)}\n`);

Deno.test("JsonText gives what JSON.parse gives, wherever its pieces end", () => {
  fc.assert(
    fc.property(texts, sizes, (text, each) => assertEquals(readAll(text, each), parseJson(text))),
    { seed: 7, numRuns: 1_500 },
  );
});

Deno.test("JsonText refuses a text that JSON.parse refuses, and ends", () => {
  const broken = fc.tuple(texts, fc.nat(), fc.constantFrom(...'{}[]",:\\ 1e-', "")).map(([text, at, put]) => {
    const place = at % text.length;
    return (text.slice(0, place) + put + text.slice(place + 1)).toWellFormed();
  });
  let refused = 0;
  fc.assert(
    fc.property(broken, sizes, (text, each) => {
      if (isJson(text)) assertEquals(readAll(text, each), parseJson(text));
      else {
        refused++;
        assertThrows(() => readAll(text, each), SyntaxError);
      }
    }),
    { seed: 8, numRuns: 3_000 },
  );
  assert(refused > 1_000, `${refused}`);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

Deno.test("JsonText refuses bytes that are not UTF-8, at the end too", () => {
  const sizes = { chunkBytes: 4, pieceChars: 4 };
  for (const bytes of [[0x22, 0xff, 0x22], [0x22, 0x61, 0xe2, 0x82], [0x31, 0x20, 0x20, 0x20, 0xc3]]) {
    assertThrows(() => {
      const source = new JsonText(new Uint8Array(bytes), sizes);
      read(source);
      source.end();
    }, TypeError);
  }
});

Deno.test("parseJson() keeps integers exact that a number may not hold, as text", () => {
  assertEquals(
    parseJson('[9007199254740993, -1234567890123456789,12345678901234567.5,"1234567890123456789"]'),
    [
      "9007199254740993",
      "-1234567890123456789",
      12345678901234567.5,
      "1234567890123456789",
    ],
  );
});
