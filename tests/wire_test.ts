/** The protobuf scanner and the two answers read with it (otlp R16, E14). */
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { decodePartialSuccess, decodeStatusMessage, FieldScanner } from "../exporters/wire.ts";
import { Frame, frameBytes } from "../exporters/wire_frame.ts";

function text(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}

/** A length-delimited field below 128 bytes. */
function field(number: number, content: readonly number[]): number[] {
  return [number * 8 + 2, content.length, ...content];
}

Deno.test("FieldScanner.next() walks every wire type with its bounds", () => {
  const bytes = new Uint8Array([
    0x08,
    0xac,
    0x02,
    0x11,
    ...new Array(8).fill(7),
    0x1a,
    2,
    65,
    66,
    0x25,
    1,
    2,
    3,
    4,
  ]);
  const scanner = new FieldScanner(bytes);
  const seen: number[][] = [];
  while (scanner.next()) seen.push([scanner.number, scanner.type, scanner.tag, scanner.start, scanner.end]);
  assertEquals(seen, [[1, 0, 0, 1, 3], [2, 1, 3, 4, 12], [3, 2, 12, 14, 16], [4, 5, 16, 17, 21]]);
});

Deno.test("FieldScanner.int64() reads small, large and negative varints", () => {
  const cases: readonly (readonly [readonly number[], number])[] = [
    [[8, 0], 0],
    [[8, 0xac, 0x02], 300],
    [[8, 0xff, 0xff, 0xff, 0xff, 0x0f], 0xffffffff],
    [[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], -1],
  ];
  for (const [bytes, value] of cases) {
    const scanner = new FieldScanner(new Uint8Array(bytes));
    scanner.next();
    assertEquals(scanner.int64(), value);
  }
});

Deno.test("decodePartialSuccess() gives count and words", () => {
  const body = field(1, [8, 5, ...field(2, text("too old"))]);
  assertEquals(decodePartialSuccess(new Uint8Array(body)), { rejected: 5, message: "too old" });
});

Deno.test("decodePartialSuccess() keeps a message without a count as a warning", () => {
  const body = field(1, field(2, text("slow down")));
  assertEquals(decodePartialSuccess(new Uint8Array(body)), { rejected: 0, message: "slow down" });
});

Deno.test("decodePartialSuccess() is undefined for an empty answer and for an empty partial_success", () => {
  assertEquals(decodePartialSuccess(new Uint8Array()), undefined);
  assertEquals(decodePartialSuccess(new Uint8Array(field(1, []))), undefined);
});

Deno.test("decodePartialSuccess() ignores unknown fields and other wire types", () => {
  const body = [8, 9, ...field(1, [...field(1, [1]), 8, 2, 0x7d, 1, 2, 3, 4]), ...field(9, text("x"))];
  assertEquals(decodePartialSuccess(new Uint8Array(body)), { rejected: 2, message: "" });
});

Deno.test("decodePartialSuccess() counts a negative rejection as none", () => {
  const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
  assertEquals(decodePartialSuccess(new Uint8Array(field(1, [8, ...minusOne]))), undefined);
});

Deno.test("decodePartialSuccess() throws SyntaxError for what is no message", () => {
  const bad = ["<html>", '{"partialSuccess":{}}', "\u0000", "\u000a\u0005ab", "\u0008", "OK"].map(text);
  bad.push([8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
  for (const body of bad) assertThrows(() => decodePartialSuccess(new Uint8Array(body)), SyntaxError);
});

Deno.test("decodeStatusMessage() reads the message of a google.rpc.Status", () => {
  const body = [8, 3, ...field(2, text("bad metric name \u00e9")), ...field(3, [1, 2])];
  assertEquals(decodeStatusMessage(new Uint8Array(body)), "bad metric name \u00e9");
  assertEquals(decodeStatusMessage(new Uint8Array([8, 3])), undefined);
});

Deno.test("decodePartialSuccess() and decodeStatusMessage() throw only SyntaxError on random bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      for (const decode of [decodePartialSuccess, decodeStatusMessage]) {
        try {
          decode(bytes);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
        }
      }
    }),
    { seed: 3, numRuns: 2000 },
  );
});

Deno.test("frameBytes() writes lengths of every size as FieldScanner reads them", () => {
  for (const size of [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1fffff, 0x200000]) {
    const inner = new Frame(0x12, [{ bytes: new Uint8Array(size) }]);
    const placed: number[] = [];
    const bytes = frameBytes(new Frame(0x0a, [inner]), (_, at) => placed.push(at));
    const outer = new FieldScanner(bytes);
    assertEquals([outer.next(), outer.number, outer.end], [true, 1, bytes.length]);
    const field = outer.inside();
    assertEquals([field.next(), field.number, field.end - field.start, field.next()], [true, 2, size, false]);
    assertEquals(placed, [field.start]);
  }
});
