/**
 * Every verb whose standard output is closed early, closed from the start, or a full disk: it ends, says so where data
 * was lost, and never loops or shows a stack.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { withAgent } from "./agent_rig.ts";
import { COMMAND } from "./program.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function shell(folder: string, line: string): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: ["20", "bash", "-c", `set -o pipefail; ${line.replaceAll("sonde ", `${COMMAND.join(" ")} `)}`],
    cwd: folder,
    env: { SONDE_STATE_DIR: `${folder}/state`, SONDE_CONTROL_SOCKET: `${folder}/ctl.sock` },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Verbs whose data goes to standard output, beside a running agent. */
const PRINTING: readonly string[] = [
  "--help",
  "help spool",
  "once --dry-run",
  "once --dry-run --format json",
  "once --dry-run --format otlp",
  "once --dry-run --format table",
  "emit log text",
  "status",
  "status --json",
  "top --plain --interval 200ms",
  "tap",
  "doctor",
  "doctor --json",
  "config print",
  "config print --json",
  "config example",
  "explain system.cpu.time",
  "sandbox",
  "spool ls",
  "spool verify",
  "completion bash",
  "completion fish",
  "man",
  "version",
  "version --sbom",
];

/** Verbs that say all they have to say on standard error. */
const SILENT: readonly string[] = [
  "check",
  "emit counter jobs 1 -c sonde.env",
  "once -c sonde.env",
];

/** Verbs that would print for ever. */
const ENDLESS: ReadonlySet<string> = new Set(["tap", "top --plain --interval 200ms"]);

const noStack = (stderr: string) => assert(!/\n\s+at |Uncaught|BUG/.test(stderr), stderr);

for (const verb of PRINTING) {
  Deno.test(`sonde ${verb}: a reader that leaves early is no fault, a full disk is 74`, async () => {
    await withAgent({}, async ({ folder }) => {
      const [early, full, closed] = await Promise.all([
        shell(folder, `sonde ${verb} | head -c 1 >/dev/null`),
        shell(folder, `sonde ${verb} > /dev/full`),
        // The runtime puts /dev/null where nothing is: an endless verb has no reason to end.
        shell(folder, `sonde ${verb} ${ENDLESS.has(verb) ? "--count 1" : ""} >&-`),
      ]);
      assertEquals(early.code, 0, early.stderr);
      assertEquals(full.code, 74, full.stderr);
      assertMatch(full.stderr, /^sonde: error: Cannot write to standard output: .*No space left/m);
      assert(closed.code === 0 || closed.code === 74, `${closed.code} ${closed.stderr}`);
      for (const { stderr } of [early, full, closed]) noStack(stderr);
    });
  });
}

for (const verb of SILENT) {
  Deno.test(`sonde ${verb} does not need its standard output`, async () => {
    await withAgent({}, async ({ folder }) => {
      for (const to of ["> /dev/full", ">&-"]) {
        const { code, stderr } = await shell(folder, `sonde ${verb} ${to}`);
        assertEquals(code, 0, stderr);
        noStack(stderr);
      }
    });
  });
}

Deno.test("sonde run goes on when its standard output is full, and stops when told", async () => {
  await withAgent({}, async ({ folder }) => {
    const { code, stdout, stderr } = await shell(
      folder,
      "sonde run --interval 100ms > /dev/full 2>said & until grep -q started said; do sleep 0.05; done; " +
        "sleep 0.4; kill -TERM $!; wait $!; code=$?; cat said; exit $code",
    );
    assertEquals(code, 0, stderr);
    assertEquals(stdout.match(/started/g)?.length, 1);
    noStack(stdout);
  });
});

Deno.test("a full disk on standard error does not change what a verb does", async () => {
  await withAgent({}, async ({ folder }) => {
    const { code, stdout } = await shell(folder, "sonde version -v 2> /dev/full");
    assertEquals(code, 0);
    assertMatch(stdout, /^sonde \d/);
    assertEquals((await shell(folder, "sonde chekc 2> /dev/full")).code, 64);
  });
});
