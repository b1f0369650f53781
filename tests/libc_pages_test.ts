/** Code that only the start has used is given back. */
import { assert, assertEquals } from "@std/assert";
import { codeRanges, giveBackCode } from "../collectors/libc_pages.ts";

const MAPS = `55d000000000-55d000002000 r--p 00000000 fe:00 77                         /opt/a folder/deno
55d000002000-55d000009000 r-xp 00002000 fe:00 77                         /opt/a folder/deno
55d000009000-55d00000a000 r--p 00009000 fe:00 77                         /opt/a folder/deno
55d00000a000-55d00000b000 rw-p 0000a000 fe:00 77                         /opt/a folder/deno
55d00000b000-55d00000c000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000001000 r-xp 00000000 fe:00 78                         /lib/libc.so.6
`;

Deno.test("codeRanges() takes the program's code and what lies before it, and nothing that was written to", () => {
  assertEquals(codeRanges(MAPS, "/opt/a folder/deno"), [
    { start: 0x55d000000000n, bytes: 0x2000n },
    { start: 0x55d000002000n, bytes: 0x7000n },
  ]);
  assertEquals(codeRanges(MAPS, "/opt/other"), []);
});

/** KiB of the program's code that are mapped now. */
function mappedCode(): number {
  const maps = Deno.readTextFileSync("/proc/self/smaps").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const program = Deno.readLinkSync("/proc/self/exe");
  const code = maps.filter((text) => text.includes(" r-xp ") && text.split("\n", 1)[0]?.endsWith(program));
  return code.reduce((sum, text) => sum + Number(/^Rss:\s+(\d+)/m.exec(text)?.[1]), 0);
}

Deno.test("giveBackCode() leaves a program that goes on as before, with less of it mapped", () => {
  const before = mappedCode();
  giveBackCode();
  const after = mappedCode();
  assert(after < before / 2, `${before} KiB before, ${after} KiB after`);
  assertEquals(JSON.parse(JSON.stringify({ sum: [1, 2, 3].reduce((a, b) => a + b) })), { sum: 6 });
});
