/** What goes on until it is stopped, in a pseudo-terminal: `run`, `tap`, `top` and `setup`, of every size and look. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { withAgent } from "./agent_rig.ts";
import { answer, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";
import { inTerminal, plainText, type TerminalRun } from "./terminal.ts";

const CTRL_C = "\x03";
const LOOKS: readonly { readonly columns: number; readonly env: Readonly<Record<string, string>> }[] = [
  { columns: 80, env: {} },
  { columns: 200, env: {} },
  { columns: 80, env: { NO_COLOR: "1" } },
  { columns: 80, env: { TERM: "dumb" } },
];
/** Colours; what moves the cursor is none. */
// deno-lint-ignore no-control-regex -- control sequences are what is looked for
const COLOR = /\x1b\[[0-9;]*m/;

/** What stands on the lines; a screen begins at the upper left. */
function lines({ output }: TerminalRun): string[] {
  return plainText(output.replaceAll("\x1b[H", "\n")).split("\n");
}

function assertFits(ended: TerminalRun, columns: number): void {
  const long = lines(ended).find((line) => [...line].length > columns);
  assertEquals(long, undefined);
}

for (const { columns, env } of LOOKS) {
  const kind = Object.entries(env).map((pair) => pair.join("=")).join();
  const hasColor = kind === "";

  Deno.test(`run on a terminal of ${columns} columns ${kind} prints tables until Ctrl-C`, async () => {
    await inFolder(async (folder) => {
      const steps = [{ expect: "points in" }, { expect: "points in", send: CTRL_C }];
      const ended = await inTerminal(folder, ["run", "--interval=200ms", "-q"], { columns, env, steps });
      assertEquals([ended.code, ended.restored, ended.unplayed], [0, true, 0], ended.output);
      assertFits(ended, columns);
      assertEquals(COLOR.test(ended.output), hasColor);
    });
  });

  Deno.test(`top on a terminal of ${columns} columns ${kind} ends on Ctrl-C`, async () => {
    await withAgent({}, async ({ folder }) => {
      const steps = [{ expect: "ITEMS/MIN" }, { expect: "ITEMS/MIN", send: CTRL_C }];
      const ended = await inTerminal(folder, ["top", "--interval=200ms"], { columns, env, steps });
      assertEquals([ended.code, ended.restored, ended.unplayed], [0, true, 0], ended.output);
      assertFits(ended, columns);
      assertEquals(COLOR.test(ended.output), hasColor);
      // A dumb terminal has no second screen: it gets block after block.
      assertEquals(ended.output.includes("\x1b[?1049h"), env["TERM"] !== "dumb");
    });
  });

  Deno.test(`setup on a terminal of ${columns} columns ${kind} asks within its lines`, async () => {
    await using server = new FaultServer(ok);
    await inFolder(async (folder) => {
      const steps = [
        { expect: "Where to", send: `${server.url}\r` },
        { expect: "Key", send: "a-key\r" },
        { expect: "Name of this host", send: "\r" },
        { expect: "Write this", send: "yes\r" },
      ];
      const ended = await inTerminal(folder, ["setup", "-c", `${folder}/a.env`], { columns, env, steps });
      assertEquals([ended.code, ended.restored, ended.unplayed], [0, true, 0], ended.output);
      // The folder's own name is as long as it is.
      assertFits({ ...ended, output: ended.output.replaceAll(folder, "") }, columns);
      if (!hasColor) assert(!COLOR.test(ended.output), ended.output);
    });
  });
}

Deno.test("tap on a terminal shows until Ctrl-C, and its place is free again", async () => {
  await withAgent({}, async ({ folder }) => {
    for (let at = 0; at < 5; at++) {
      const steps = [{ expect: "200 accepted", send: CTRL_C }];
      const ended = await inTerminal(folder, ["tap"], { steps });
      assertEquals([ended.code, ended.restored, ended.unplayed], [0, true, 0], ended.output);
    }
  });
});

Deno.test("status on a narrow terminal folds what the backend says, and cuts nothing", async () => {
  const words = "a long refusal that names the limit, the metric, the account and the page to read about it";
  await withAgent({ otherwise: answer(400, { body: words }) }, async ({ folder, server }) => {
    await server.waitFor(3);
    const ended = await inTerminal(folder, ["status"], { columns: 80 });
    assertFits(ended, 80);
    assertStringIncludes(lines(ended).join(" ").replaceAll(/ +/g, " "), words);
    const piped = await sonde(folder, ["status"]);
    assertStringIncludes(piped.stdout, words);
  });
});

Deno.test("top takes a terminal of 20 columns and 5 rows, and draws no line twice as long after a resize", async () => {
  await withAgent({}, async ({ folder }) => {
    const ended = await inTerminal(folder, ["top", "--interval=200ms"], {
      ...{ columns: 20, rows: 5 },
      steps: [
        { expect: "metrics", resize: [120, 40] },
        { expect: "REJECTED", resize: [30, 8] },
        { expect: "metrics", send: "q" },
      ],
    });
    assertEquals([ended.code, ended.restored, ended.unplayed], [0, true, 0], ended.output);
    assertMatch(ended.output, /…/);
  });
});
