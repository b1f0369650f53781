/** Verbs without an agent in a real pseudo-terminal of 80 and 200 columns, without colour, on a dumb one; and `top`. */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { withAgent } from "./agent_rig.ts";
import { inFolder } from "./program.ts";
import { inTerminal, plainText, type Step } from "./terminal.ts";

const LEAVE = "\x1b[?25h\x1b[?1049l";

/** What the runtime itself draws before the program begins. */
function own(output: string): string {
  return output.replaceAll("\x1b[0G\x1b[2K\x1b[J", "");
}

function widest(output: string): number {
  return Math.max(...plainText(output).split("\n").map((line) => [...line].length));
}

const looks: readonly (readonly [verb: string, args: readonly string[]])[] = [
  ["help", ["--help"]],
  ["once", ["once", "--dry-run"]],
  ["sandbox", ["sandbox"]],
  ["doctor", ["doctor"]],
  ["version", ["version"]],
  ["an error", ["chekc"]],
];

for (const [name, args] of looks) {
  Deno.test(`${name} fits terminals of 80 and 200 columns, and knows NO_COLOR and TERM=dumb`, async () => {
    await inFolder(async (folder) => {
      const [narrow, wide, plain, dumb] = await Promise.all([
        inTerminal(folder, args, { columns: 80 }),
        inTerminal(folder, args, { columns: 200 }),
        inTerminal(folder, args, { env: { NO_COLOR: "1" } }),
        inTerminal(folder, args, { env: { TERM: "dumb" } }),
      ]);
      assertEquals(new Set([narrow, wide, plain, dumb].map(({ restored }) => restored)), new Set([true]));
      if (name === "once" || name === "doctor" || name === "help") assertLess(widest(own(narrow.output)), 81);
      assertLess(widest(own(wide.output)), name === "sandbox" ? 1000 : 201);
      assert(!own(plain.output).includes("\x1b["), plain.output);
      assert(!own(dumb.output).includes("\x1b["), dumb.output);
      assertEquals(narrow.code, wide.code);
    });
  });
}

Deno.test("top draws on the second screen, takes keys and another size, and gives the terminal back on q", async () => {
  await withAgent({}, async ({ folder }) => {
    const steps: Step[] = [
      { expect: "ITEMS/MIN", send: "c" },
      { expect: "COLLECTOR ", send: "e" },
      { expect: "collectors, ", resize: [200, 50] },
      { expect: "collectors, ", send: "p" },
      { expect: "paused", send: "\x1b[A" },
      { expect: "paused", send: "l" },
      { expect: "paused", send: "q" },
    ];
    const { code, output, restored, unplayed } = await inTerminal(folder, ["top", "--interval=200ms"], {
      steps,
    });
    assertEquals([code, restored], [0, true], output.slice(-500));
    assertLess(unplayed, 2);
    assertStringIncludes(output, "\x1b[?1049h\x1b[?25l");
    assert(output.endsWith(LEAVE), JSON.stringify(output.slice(-80)));
    // One clear at the start: every later screen is drawn over the one before.
    assertEquals(own(output).split("\x1b[2J").length, 2);
  });
});

for (const [name, signal, code] of [["TERM", 15, 0], ["INT", 2, 0], ["HUP", 1, 0]] as const) {
  Deno.test(`top gives the terminal back on SIG${name}`, async () => {
    await withAgent({}, async ({ folder }) => {
      const ended = await inTerminal(folder, ["top"], { steps: [{ expect: "ITEMS/MIN", signal }] });
      assertEquals([ended.code, ended.restored], [code, true]);
      assert(ended.output.endsWith(LEAVE), JSON.stringify(ended.output.slice(-80)));
    });
  });
}

Deno.test("top gives the terminal back when the agent ends, and says so with 69", async () => {
  await withAgent({}, async ({ folder, agent }) => {
    const watching = inTerminal(folder, ["top", "--interval=200ms"]);
    // The agent is ended while the screen is drawn, however early that is.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    agent.signal("SIGTERM");
    const { code, output, restored } = await watching;
    assertEquals([code, restored], [69, true], output.slice(-300));
    assertMatch(plainText(output), /the agent has ended\n$/);
  });
});
