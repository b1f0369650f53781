/** The command line by itself: usage errors end with 64 and name the nearest word; help fits 80 columns. */
import { assert, assertEquals } from "@std/assert";
import { parseCommandLine } from "../commands/command_line.ts";
import { GLOBAL_FLAGS, VERBS } from "../commands/verbs.ts";
import { KEYS } from "../config/keys.ts";
import { sonde } from "./cli_run.ts";

const wrong: readonly (readonly [line: string, first: string, hint: string])[] = [
  ["chekc", 'Unknown verb "chekc"', "Did you mean sonde check? Type sonde --help for all verbs"],
  ["rnu", 'Unknown verb "rnu"', "Did you mean sonde run? Type sonde --help for all verbs"],
  ["--verison", 'Unknown flag "--verison"', "Did you mean --verbose? Type sonde --help for all flags"],
  [
    "check --stirct",
    'Unknown flag "--stirct"',
    "Did you mean --strict? Type sonde check --help for all flags",
  ],
  [
    "once --spoolok",
    'Unknown flag "--spoolok"',
    "Did you mean --spool-ok? Type sonde once --help for all flags",
  ],
  ["--strict run", 'Unknown flag "--strict"', "Did you mean --set? Type sonde run --help for all flags"],
  ["run --json", 'Unknown flag "--json"', "Did you mean --set? Type sonde run --help for all flags"],
  ["check -x", 'Unknown flag "-x"', "Did you mean --set? Type sonde check --help for all flags"],
  ["check -qx", 'Unknown flag "-x"', "Did you mean --set? Type sonde check --help for all flags"],
  ["check --interval", 'Flag "--interval" needs a value', "Write --interval TIME"],
  ["check --interval --strict", 'Flag "--interval" needs a value', "Write --interval TIME"],
  ["check -c", 'Flag "-c" needs a value', "Write --env-file PATH"],
  ["check --strict=yes", 'Flag "--strict" takes no value', "Write --strict alone"],
  ["check --color=red", 'Flag "--color" does not take "red"', "Write one of auto, always, never"],
  ["once --format xml", 'Flag "--format" does not take "xml"', "Write one of table, prometheus, json, otlp"],
  ["check --preset a --preset b", 'Flag "--preset" is given twice', "Write --preset once"],
  ["check now", 'sonde check does not take "now"', "Write sonde check"],
  ["config", "sonde config needs a word more", "Write sonde config print | example [PRESET] | diff"],
  ["config pint", 'Unknown verb "config pint"', "Did you mean sonde config print?"],
  [
    "config example a b",
    'sonde config does not take "b"',
    "Write sonde config print | example [PRESET] | diff",
  ],
  ["help nothing", 'Unknown verb "nothing"', "Type sonde --help for all verbs"],
  ["tap --signal metric", 'Flag "--signal" does not take "metric"', "Write one of metrics, logs, traces"],
  [
    "tap --count some",
    'Flag "--count" cannot be used: "some" is not a whole number',
    "Write a whole number from 1 to 1000000",
  ],
  ["completion", "sonde completion needs a word more", "Write sonde completion bash|zsh|fish"],
  ["completion bsh", 'Unknown verb "completion bsh"', "Did you mean sonde completion bash?"],
  [
    "status --helthy",
    'Unknown flag "--helthy"',
    "Did you mean --healthy? Type sonde status --help for all flags",
  ],
  ["doctor now", 'sonde doctor does not take "now"', "Write sonde doctor"],
  ["setup --key-file", 'Flag "--key-file" needs a value', "Write --key-file PATH"],
  ["setup --yes", "--yes needs a destination", "Write sonde setup --yes --preset NAME --key-file PATH"],
  ["man --page", 'Unknown flag "--page"', "Did you mean --preset? Type sonde man --help for all flags"],
  ["config print otlp", 'sonde config print does not take "otlp"', ""],
];

for (const [line, first, hint] of wrong) {
  Deno.test(`sonde ${line} ends with 64 and says what to type`, async () => {
    const { code, stdout, stderr } = await sonde(line.split(" "));
    assertEquals([code, stdout], [64, ""]);
    assertEquals(stderr, `sonde: error: ${first}\n${hint === "" ? "" : `sonde: hint: ${hint}\n`}`);
  });
}

const tables = { verbs: VERBS, globals: GLOBAL_FLAGS };

Deno.test("parseCommandLine() takes flags before and after the verb, with = or a blank", () => {
  const { verb, operands, flags } = parseCommandLine(
    ["--interval=5s", "-c", "/f", "config", "--set", "A=1", "example", "--set=B=2", "otlp", "-vv", "-q"],
    tables,
  );
  assertEquals([verb?.name, operands], ["config", ["example", "otlp"]]);
  assertEquals([flags.text("interval"), flags.text("env-file"), flags.all("set")], ["5s", "/f", [
    "A=1",
    "B=2",
  ]]);
  assertEquals([flags.count("verbose"), flags.count("quiet"), flags.has("color")], [2, 1, false]);
});

Deno.test("parseCommandLine() takes a value joined to a short flag, an empty one, and one that begins with a dash", () => {
  assertEquals(parseCommandLine(["check", "-c/f"], tables).flags.text("env-file"), "/f");
  assertEquals(parseCommandLine(["check", "-c=/f"], tables).flags.text("env-file"), "/f");
  assertEquals(parseCommandLine(["check", "--endpoint="], tables).flags.text("endpoint"), "");
  assertEquals(parseCommandLine(["check", "--interval", "-5s"], tables).flags.text("interval"), "-5s");
  assertEquals(parseCommandLine(["check", "--env-file=-x"], tables).flags.text("env-file"), "-x");
});

Deno.test("parseCommandLine() leaves everything behind -- alone", () => {
  const [first] = VERBS;
  assert(first !== undefined);
  const { operands } = parseCommandLine([first.name, "--", "--strict", "-x"], {
    verbs: [{ ...first, operandsMax: 9 }],
    globals: [],
  });
  assertEquals(operands, ["--strict", "-x"]);
});

Deno.test("no verb prints help on stdout and ends with 0", async () => {
  for (const args of [[], ["--help"], ["-h"], ["help"]]) {
    const { code, stdout, stderr } = await sonde(args);
    assertEquals([code, stderr], [0, ""]);
    for (const { name } of VERBS) assert(stdout.includes(`  ${name} `), name);
  }
});

for (const verb of VERBS) {
  Deno.test(`sonde ${verb.name} --help names its flags within 80 columns`, async () => {
    const { code, stdout, stderr } = await sonde([verb.name, "--help"]);
    assertEquals([code, stderr], [0, ""]);
    for (const { name } of [...verb.flags, ...GLOBAL_FLAGS]) assert(stdout.includes(`--${name}`), name);
    assertEquals(stdout.split("\n").filter((line) => line.length > 80), []);
    assertEquals((await sonde(["help", verb.name])).stdout, stdout);
  });
}

Deno.test("sonde help config describes every key", async () => {
  const { stdout } = await sonde(["help", "config"]);
  for (const { name } of KEYS) assert(stdout.includes(`  ${name}`), name);
});

Deno.test("every verb of the table loads a command", async () => {
  for (const verb of VERBS) assertEquals(typeof (await verb.load()).run, "function");
});

Deno.test("every flag with a key writes a key of the table", () => {
  const names = new Set(KEYS.map(({ name }) => name));
  for (const { key } of GLOBAL_FLAGS) assert(key === undefined || names.has(key), key);
});
