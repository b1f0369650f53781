/**
 * W03: the header of a WebSocket message.
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { frame, unframe } from "../config/opamp_frame.ts";

Deno.test("W03 unframe() takes a zero of any length and nothing else", () => {
  assertEquals(unframe(new Uint8Array([0, 7])), new Uint8Array([7]));
  assertEquals(unframe(frame(new Uint8Array([7]))), new Uint8Array([7]));
  const long = new Uint8Array([...Array(9).fill(0x80), 0, 7]);
  assertEquals(unframe(long), new Uint8Array([7]));
  for (const bytes of [[1, 7], [], [0x80], Array(11).fill(0x80), [0x0a, 0x10]]) {
    assertThrows(() => unframe(new Uint8Array(bytes)), SyntaxError);
  }
});
