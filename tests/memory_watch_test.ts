/** When memory is given back. */
import { assertEquals } from "@std/assert";
import { MemoryWatch } from "../commands/memory_watch.ts";

const MIB = 1024 * 1024;

/** What comes of looks every 10 s, by resident MiB. */
function looks(residents: readonly number[]): boolean[] {
  const watch = new MemoryWatch();
  return residents.map((mib, at) => watch.look(mib * MIB, at * 10_000));
}

Deno.test("MemoryWatch gives back what the start has left at the first look", () => {
  assertEquals(looks([80, 60, 60]), [true, false, false]);
});

Deno.test("MemoryWatch waits for growth over the least that was held, and a minute", () => {
  const grown = [80, 60, 59, 61, 63, 63, 63, 60];
  assertEquals(looks(grown), [true, false, false, false, false, false, true, false]);
  assertEquals(looks([80, 60, 60, 60, 60, 60, 60, 62]).slice(1), Array(7).fill(false));
});

Deno.test("MemoryWatch gives back every second in a flood", () => {
  const watch = new MemoryWatch();
  const given = [80, 60, 71, 72, 73, 74, 75, 66, 67, 68].map((mib, at) => watch.look(mib * MIB, at * 500));
  assertEquals(given, [true, false, true, false, false, false, false, false, false, false]);
});

Deno.test("MemoryWatch gives back every 15 minutes even when nothing grows", () => {
  const given = looks(Array(181).fill(60));
  assertEquals(given.flatMap((isGiven, at) => isGiven ? [at * 10] : []), [0, 900, 1800]);
});
