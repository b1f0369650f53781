/** The script that tries what the documentation prints: how a page is read, what may differ, and that it does find fault. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { between } from "../scripts/moving_host.ts";
import { blocksOf, insideOf } from "../scripts/page.ts";
import { difference, skeleton } from "../scripts/skeleton.ts";
import { tryPage } from "../scripts/transcripts.ts";

const page = (above: string, language: string, inside: string) =>
  `# Page\n\n${above}\n\n\`\`\`${language}\n${inside}\`\`\`\n`;

Deno.test("blocksOf() reads commands, continuations and outputs, and how they are tried", () => {
  const text = page(
    "<!-- try: backend down; terminal; exit 75 -->",
    "console",
    "$ one \\\n> two\nout\n\nmore\n$ three\n",
  );
  const [block] = blocksOf(text);
  assertEquals(block?.typed, [
    { command: "one \\\ntwo", output: "out\n\nmore\n" },
    { command: "three", output: "" },
  ]);
  assertEquals(block?.trial, { backend: "down", isTerminal: true, stays: false, code: 75 });
  assertEquals(block?.line, 5);
  assertEquals(insideOf(block?.typed ?? [], ""), text.slice(block?.from, block?.to));
});

Deno.test("blocksOf() takes an indented block of a list for what it is", () => {
  const [block] = blocksOf("1. Do\n\n   <!-- try -->\n\n   ```sh\n   sonde check\n   ```\n");
  assertEquals(block?.typed[0]?.command, "sonde check\n");
});

const refused: readonly (readonly [name: string, text: string, rule: RegExp])[] = [
  ["commands that nobody tries", page("Words.", "sh", "sonde run\n"), /^line 5: commands without/],
  ["an unknown way to try", page("<!-- try: hard -->", "sh", "sonde run\n"), /unknown "hard"/],
  ["a mood no backend has", page("<!-- try: backend sad -->", "sh", "sonde run\n"), /unknown "backend sad"/],
  ["an output without a command", page("", "console", "out\n"), /its first line is no command/],
  ["a language nothing tries", page("", "python", "print()\n"), /a block in "python"/],
  ["code that a line break runs through", "Type `deno\ntask run` now.\n", /^line 1: code in the text/],
  ["commands indented by four", "Words.\n\n    deno task run\n", /^line 3: indented/],
];

for (const [name, text, rule] of refused) {
  Deno.test(`blocksOf() refuses ${name}`, () => {
    assertMatch(assertThrows(() => blocksOf(text), SyntaxError).message, rule);
  });
}

Deno.test("skeleton() lets figures, times, bars and ids differ, and no word", () => {
  const one =
    "up 3 h 5 min · 77.7 MiB  ██░ 12.5 %  1.20k/s at 2026-11-21T11:40:41.734Z id 3d1219c7c4c5404a\n";
  const two = "up 9 s · 9 KiB  ███ 0 %  3/s at 2027-01-01T00:00:00Z id 99999999aaaaaaaa\n";
  assertEquals(skeleton(one), skeleton(two));
  assertEquals(difference("healthy 3 s\n", "healthy 9 s\n"), undefined);
  assertEquals(
    difference("not healthy\n", "healthy\n"),
    'printed "not healthy", the page has "healthy"',
  );
  assertEquals(difference("a\nb\n", "a\n"), 'printed "b", the page has ""');
});

Deno.test("skeleton() leaves out what doctor says of the machine itself", () => {
  const one = "clock      warn  not synchronised\n           next: Type timedatectl\nproxy      ok    none\n";
  assertEquals(skeleton(one), skeleton("clock      ok    synchronised\nproxy      ok    none\n"));
});

Deno.test("between() lets the numbers of a kernel file go on", () => {
  assertEquals(between("cpu 100 5.50 x\n", "cpu 110 6.00 x\n", 3), "cpu 130 7.00 x\n");
  assertEquals(between("free 10\n", "free 4\n", 5), "free 0\n");
  assertEquals(between("a\n", "a 1\n", 0.5), "a 1\n");
});

Deno.test("tryPage() finds an output that is no longer printed and an exit code that is wrong", async () => {
  const text = page("", "console", "$ sonde version --sbom | head -c 1\n}\n$ false\n");
  const { page: mended, differences, failures } = await tryPage(text);
  assertEquals(differences, ['line 5: printed "{", the page has "}"']);
  assertMatch(failures[0] ?? "", /^line 5: "false" ended with 1, expected 0/);
  assertMatch(mended, /\n\{\n\$ false\n/);
});
