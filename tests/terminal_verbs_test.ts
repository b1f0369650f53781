/**
 * Every verb that answers and ends, beside a running agent: in a pseudo-terminal of 80 and 200 columns, without colour,
 * on a dumb one and in a pipe. What is meant for people fits the terminal; what is data is the same everywhere.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withAgent } from "./agent_rig.ts";
import { sonde } from "./program.ts";
import { inTerminal, plainText } from "./terminal.ts";

interface Look {
  readonly args: readonly string[];
  /** Found in what is printed on a terminal. */
  readonly shows: string;
  /** Columns its lines may take; absent: it is data, which nothing cuts. */
  readonly fits?: true;
  /** True: coloured on a terminal that takes colours. */
  readonly hasColor?: true;
  /** What a pipe gets instead, where that differs. */
  readonly piped?: string;
}

const LOOKS: readonly Look[] = [
  { args: ["help"], shows: "usage: sonde VERB", fits: true },
  { args: ["help", "emit"], shows: "usage: sonde emit", fits: true },
  { args: ["once", "--dry-run"], shows: "filesystem", fits: true, hasColor: true, piped: "# TYPE " },
  { args: ["status"], shows: "last accepted", fits: true, hasColor: true },
  { args: ["status", "--json"], shows: '"healthy": true' },
  { args: ["top", "--count=1"], shows: "ITEMS/MIN", fits: true, hasColor: true },
  { args: ["top", "--plain", "--count=1"], shows: "ITEMS/MIN", fits: true, hasColor: true },
  { args: ["tap", "--count=1", "--signal=metrics"], shows: '{"resourceMetrics":' },
  { args: ["doctor"], shows: "delivery", fits: true, hasColor: true },
  { args: ["check"], shows: "configuration is good" },
  { args: ["config", "print", "--origin"], shows: "# sonde.env:1" },
  { args: ["config", "example", "honeycomb"], shows: "SONDE_PRESET='honeycomb'" },
  { args: ["explain", "system.memory.usage"], shows: "/proc/meminfo", fits: true },
  { args: ["sandbox"], shows: "running agent, process " },
  { args: ["spool", "ls"], shows: "DESTINATION", fits: true },
  { args: ["spool", "verify"], shows: "" },
  { args: ["spool", "drain"], shows: "empty" },
  { args: ["emit", "counter", "jobs", "1"], shows: "" },
  { args: ["exec", "--", "echo", "done"], shows: "done" },
  { args: ["completion", "zsh"], shows: "#compdef sonde" },
  { args: ["man"], shows: ".TH SONDE 1" },
  { args: ["version"], shows: "semantic conventions", fits: true },
];

/** What the runtime itself draws before the program begins. */
function own(output: string): string {
  return output.replaceAll("\x1b[0G\x1b[2K\x1b[J", "");
}

/** The longest line that could have been shorter: an address cannot be broken. */
function widest(output: string): number {
  const lines = plainText(own(output)).split("\n").filter((line) => !/https?:\/\/\S{40}/.test(line));
  return Math.max(...lines.map((line) => [...line].length));
}

const hasEscape = (text: string): boolean => own(text).includes("\x1b");

for (const { args, shows, fits, hasColor, piped } of LOOKS) {
  Deno.test(`sonde ${args.join(" ")} in terminals of every kind and in a pipe`, async () => {
    await withAgent({}, async ({ folder }) => {
      const all = [...args.slice(0, 1), "-c", "sonde.env", ...args.slice(1)];
      const [narrow, wide, plain, dumb] = await Promise.all([
        inTerminal(folder, all, { columns: 80 }),
        inTerminal(folder, all, { columns: 200 }),
        inTerminal(folder, all, { env: { NO_COLOR: "1" } }),
        inTerminal(folder, all, { env: { TERM: "dumb" } }),
      ]);
      for (const { code, output, restored } of [narrow, wide, plain, dumb]) {
        assertEquals([code, restored], [0, true], output);
        assertStringIncludes(plainText(output), shows);
      }
      assertEquals(hasEscape(narrow.output), hasColor === true, JSON.stringify(own(narrow.output)));
      assertEquals([hasEscape(plain.output), hasEscape(dumb.output)], [false, false]);
      if (fits) {
        assert(widest(narrow.output) <= 80, narrow.output);
        assert(widest(wide.output) <= 200, wide.output);
      }
      const { code, stdout, stderr } = await sonde(folder, all);
      assertEquals([code, hasEscape(stdout + stderr)], [0, false], stderr);
      assertStringIncludes(stdout + stderr, piped ?? shows);
    });
  });
}
