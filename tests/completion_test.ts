/** Completions and the manual page agree with the parser; the bash script is run by a real bash. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseCommandLine } from "../commands/command_line.ts";
import { SHELLS } from "../commands/completion.ts";
import { EXITS } from "../commands/help.ts";
import type { Flag, Verb } from "../commands/verb.ts";
import { GLOBAL_FLAGS, VERBS } from "../commands/verbs.ts";
import { KEYS } from "../config/keys.ts";
import { sonde } from "./cli_run.ts";

/** What bash offers for several half-typed lines, a list each; words are given as bash splits them. */
async function offered(lines: readonly (readonly string[])[]): Promise<string[][]> {
  const script = (await sonde(["completion", "bash"])).stdout;
  const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
  const asks = lines.map((words) =>
    `COMP_WORDS=(${
      ["sonde", ...words].map(quote).join(" ")
    }); COMP_CWORD=${words.length}; _sonde; echo "\${COMPREPLY[*]}"`
  );
  const { stdout, stderr, success } = await new Deno.Command("bash", {
    args: ["--norc", "-c", [script, ...asks].join("\n")],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).split("\n").slice(0, -1).map((line) =>
    line.split(" ").filter((word) => word !== "")
  );
}

const spelled = (flags: readonly Flag[]) =>
  flags.flatMap(({ name, short }) => short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`]);

Deno.test("bash completion offers exactly the flags the parser takes, for every verb", async () => {
  const lines = VERBS.map(({ name }) => [name, "-"]);
  const all = await offered(lines);
  for (const [at, verb] of VERBS.entries()) {
    assertEquals(new Set(all[at]), new Set(spelled([...GLOBAL_FLAGS, ...verb.flags])), verb.name);
  }
});

Deno.test("every flag of every verb, as completed, is understood by the parser", () => {
  const accept = (verb: Verb, word: string, flag: Flag) => {
    const first = verb.subverbs?.[0];
    const value = flag.value === undefined ? [] : [flag.values?.[0] ?? "1"];
    parseCommandLine([verb.name, ...(first === undefined ? [] : [first]), word, ...value], {
      verbs: [{ ...verb, operandsMax: 9 }],
      globals: GLOBAL_FLAGS,
    });
  };
  for (const verb of VERBS) {
    for (const flag of [...GLOBAL_FLAGS, ...verb.flags]) {
      for (const word of spelled([flag])) accept(verb, word, flag);
    }
  }
});

Deno.test("bash completion knows verbs, subverbs, values and what a value is not", async () => {
  const [verbs, values, joined, subverbs, second, none, shells, afterValue, help] = await offered([
    ["st"],
    ["--color", "a"],
    ["--color", "="],
    ["config", ""],
    ["config", "print", ""],
    ["--interval", ""],
    ["completion", "f"],
    ["-c", "status", "ru"],
    ["help", "once"],
  ]);
  assertEquals(verbs, ["status"]);
  assertEquals([values, joined], [["auto", "always"], ["auto", "always", "never"]]);
  for (const word of VERBS.find(({ name }) => name === "config")?.subverbs ?? []) {
    assert(subverbs?.includes(word), word);
  }
  assert(!second?.includes("example"));
  assertEquals([none, shells], [[], ["fish"]]);
  assertEquals(afterValue, ["run"], "the word behind -c is no verb");
  assertEquals(help, ["once"]);
});

Deno.test("zsh and fish scripts name every verb, flag and fixed value", () => {
  for (const shell of ["zsh", "fish"]) {
    const script = SHELLS[shell]?.(VERBS) ?? "";
    for (const { name, flags } of VERBS) {
      assertStringIncludes(script, name);
      for (const flag of [...GLOBAL_FLAGS, ...flags]) {
        assertStringIncludes(script, shell === "fish" ? `-l ${flag.name}` : `--${flag.name}`);
        for (const value of flag.values ?? []) assertStringIncludes(script, value);
      }
    }
    assertEquals(
      script.split("\n").filter((line) => line.split("'").length % 2 === 0 && !line.includes("\\'")),
      [],
    );
  }
});

Deno.test("the manual page has every verb, flag, key and exit code, and roff has nothing to complain of", async () => {
  const page = (await sonde(["man"])).stdout;
  const text = page.replaceAll("\\-", "-").replaceAll(/\\f[BIR]/g, "");
  for (const { name, flags } of VERBS) {
    assertStringIncludes(text, `.SS "sonde ${name}`);
    for (const flag of [...GLOBAL_FLAGS, ...flags]) assertStringIncludes(text, `--${flag.name}`);
  }
  for (const { name } of KEYS) assertStringIncludes(text, name);
  for (const [code] of EXITS) assertStringIncludes(text, `.TP\n${code}\n`);
  const groff = new Deno.Command("groff", {
    args: ["-man", "-Tutf8", "-ww", "-z"],
    stdin: "piped",
    stderr: "piped",
  });
  let child: Deno.ChildProcess;
  try {
    child = groff.spawn();
  } catch {
    return;
  }
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(page));
  await writer.close();
  assertEquals(new TextDecoder().decode((await child.output()).stderr), "");
});
