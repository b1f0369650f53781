/**
 * The layout check against deliberately bad snippets: each rule must fire on its own violation and stay silent on
 * the lawful form beside it.
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkFiles } from "../scripts/layout_files.ts";
import { checkArrows, checkCycles, checkOrphans, checkRegistries } from "../scripts/layout_graph.ts";
import plugin, { words } from "../scripts/layout_syntax.ts";
import { matches } from "../scripts/layout_table.ts";

const OPENING = "/**\n * What this file is for, in a sentence.\n * @module\n */\n";

function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map(({ id, message }) => `${id} ${message}`);
}

const long = `function long() {\n${"  step();\n".repeat(70)}}`;

/** Path, source, and the rule with a part of its message; no rule: lawful. */
const snippets: readonly (readonly [path: string, source: string, rule?: string, part?: string])[] = [
  ["collectors/cpu.ts", `const answer = await fetch("http://x");`, "calls", `"fetch" does not belong here`],
  ["collectors/cpu.ts", `globalThis.fetch(url);`, "calls", "globalThis.fetch"],
  ["exporters/post.ts", `const answer = await fetch(url);`],
  ["exporters/post_insecure.ts", `Deno.createHttpClient({});`],
  ["exporters/courier.ts", `Deno.createHttpClient({});`, "calls", "posting files"],
  ["collectors/cpu.ts", `Deno.readTextFileSync("/proc/stat");`, "calls", "files are opened by sources"],
  ["collectors/source.ts", `Deno.openSync(path);`],
  ["exporters/spool_segment.ts", `Deno.openSync(path);`],
  ["collectors/cpu.ts", `let file: Deno.FsFile;`],
  ["exporters/backoff.ts", `const wall = Date.now;`, "calls", "Date.now"],
  ["exporters/backoff.ts", `const at = new Date();`, "calls", "new Date"],
  ["exporters/backoff.ts", `const text = new Date(timeMs).toISOString();`],
  ["exporters/backoff.ts", `const delay = Math.random() * 2;`, "calls", "Math.random"],
  ["commands/run.ts", `const now = Date.now();`],
  ["config/parse.ts", `Deno.env.get("HOME");`, "calls", "the environment is read once"],
  ["collectors/run.ts", `console.log("done");`, "calls", "console.log"],
  ["exporters/sender.ts", `Deno.exit(1);`, "calls", "only a composition root ends"],
  ["tests/x_test.ts", `await fetch(url); Deno.env.get("CI"); Date.now();`],
  ["exporters/lanes.ts", `const datadogUrl = "x";`, "vendors", `"datadog" is a vendor`],
  ["exporters/lanes.ts", `const hint = "see Grafana";`, "vendors", "Grafana"],
  ["exporters/lanes.ts", "const hint = `for ${name} of New Relic`;", "vendors", "New Relic"],
  ["exporters/presets/datadog.ts", `const datadogUrl = "x";`],
  ["exporters/lanes.ts", `const profile = "heka";`],
  ["exporters/lanes.ts", `// As datadog does it.`],
  ["collectors/cpu.ts", long, "sizes", "function of 72 lines"],
  ["collectors/cpu.ts", long.replace("  step();\n".repeat(2), "")],
  ["collectors/cpu.ts", `const f = (a, b, c, d) => a;`, "sizes", "4 parameters"],
  ["collectors/cpu.ts", `const f = (a, b, options) => a;`],
  ["collectors/cpu.ts", `const n = x as number;`, "casts", `cast with "as"`],
  ["collectors/cpu.ts", `const n = ["a"] as const;`],
  ["collectors/cpu.ts", `const n = x!.y;`, "casts", `non-null "!"`],
  ["collectors/cpu.ts", `let n: any;`, "casts", `"any"`],
  ["collectors/cpu.ts", `class SourceManager {}`, "names", `the word "manager"`],
  ["collectors/cpu.ts", `function makeFactory() {}`, "names", `the word "factory"`],
  ["collectors/cpu.ts", `interface BaseCollector { x: 1 }`, "names", `the word "base"`],
  ["collectors/cpu.ts", `const baseUrl = "x";`],
  ["collectors/cpu.ts", `interface Options { commonName: string }`, "names", `the word "common"`],
];

for (const [path, source, rule, part] of snippets) {
  const title = source.split("\n")[0];
  Deno.test(`layout ${rule === undefined ? "allows" : "rejects"} ${title} in ${path}`, () => {
    const found = lint(path, source);
    if (rule === undefined) return assertEquals(found, []);
    assertEquals(found.length, 1, found.join("\n"));
    assertStringIncludes(found[0] ?? "", `sonde/${rule} `);
    assertStringIncludes(found[0] ?? "", part ?? "");
  });
}

/** Files, and the violations expected as "path:line rule". */
function expectFiles(title: string, files: Record<string, string>, expected: readonly string[]): void {
  Deno.test(title, () => {
    const found = checkFiles(new Map(Object.entries(files)), ["exporters/otlp.ts"]);
    assertEquals(found.map(({ path, line, rule }) => `${path}:${line} ${rule}`), [...expected]);
  });
}

expectFiles(
  "checkFiles() accepts a lawful file",
  { "collectors/cpu.ts": `${OPENING}export const a = 1;\n` },
  [],
);
expectFiles("checkFiles() wants lower_snake_case", { "collectors/cpuTimes.ts": OPENING }, [
  "collectors/cpuTimes.ts:1 names",
]);
expectFiles("checkFiles() rejects names that say nothing", { "collectors/text_utils.ts": OPENING }, [
  "collectors/text_utils.ts:1 names",
]);
expectFiles("checkFiles() rejects a vendor's name on a file", { "exporters/datadog.ts": OPENING }, [
  "exporters/datadog.ts:1 names",
]);
expectFiles("checkFiles() rejects a folder in a folder", { "collectors/net/tcp.ts": OPENING }, [
  "collectors/net/tcp.ts:1 names",
]);
expectFiles("checkFiles() counts lines", {
  "collectors/long.ts": OPENING + "x;\n".repeat(297),
  "collectors/full.ts": OPENING + "x;\n".repeat(296),
}, ["collectors/long.ts:301 sizes"]);
expectFiles("checkFiles() wants an opening paragraph", { "collectors/cpu.ts": "export const a = 1;\n" }, [
  "collectors/cpu.ts:1 opening",
]);
expectFiles("checkFiles() lets a worker begin with references", {
  "exporters/worker.ts": `/// <reference lib="deno.worker" />\n${OPENING}`,
}, []);
expectFiles("checkFiles() wants a reason for an exception", {
  "collectors/cpu.ts":
    `${OPENING}// deno-lint-ignore no-console\n// deno-lint-ignore sonde/casts -- proven above\n`,
}, ["collectors/cpu.ts:5 reasons"]);
expectFiles("checkFiles() rejects unfinished work", { "collectors/cpu.ts": `${OPENING}// TODO: later\n` }, [
  "collectors/cpu.ts:5 reasons",
]);
expectFiles("checkFiles() rejects a barrel, but not a door", {
  "exporters/mod.ts": `${OPENING}export { a } from "./a.ts";\nexport * from "./b.ts";\n`,
  "exporters/otlp.ts": `${OPENING}export { a } from "./a.ts";\n`,
}, ["exporters/mod.ts:1 barrel"]);

function arrows(path: string, source: string): string[] {
  return checkArrows(new Map([[path, source]])).map(({ line, message }) => `${line} ${message}`);
}

const forbidden: readonly (readonly [path: string, source: string, part: string])[] = [
  ["collectors/cpu.ts", `import { a } from "../exporters/a.ts";`, "collectors know no network"],
  ["collectors/cpu.ts", `import type { A } from "../config/a.ts";`, "collectors know no network"],
  ["collectors/cpu.ts", `const verb = await import("../commands/a.ts");`, "collectors know no network"],
  ["collectors/cpu.ts", `import {\n  a,\n} from "../exporters/a.ts";`, "collectors know no network"],
  ["exporters/a.ts", `import { series } from "../collectors/metric.ts";`, "only types of"],
  ["exporters/a.ts", `import type { Host } from "../collectors/host.ts";`, "only the data model"],
  ["exporters/a.ts", `export { a } from "../commands/a.ts";`, "only the data model"],
  ["commands/a.ts", `import "../main.ts";`, "composition root"],
  ["exporters/a.ts", `import { a } from "./courier.ts";`, "composition root"],
  ["commands/a.ts", `import { a } from "../tests/a.ts";`, "put the parts together"],
  ["stray/a.ts", `import { a } from "../main_parts.ts";`, "no rule says"],
];
for (const [path, source, part] of forbidden) {
  Deno.test(`checkArrows() rejects ${source.replaceAll("\n", " ")} in ${path}`, () => {
    const found = arrows(path, source);
    assertEquals(found.length, 1);
    assertStringIncludes(found[0] ?? "", part);
    assertStringIncludes(found[0] ?? "", "1 ");
  });
}

Deno.test("checkArrows() allows types across and packages", () => {
  assertEquals(arrows("exporters/a.ts", `import type { Point } from "../collectors/metric.ts";`), []);
  assertEquals(arrows("exporters/a.ts", `import { type Point } from "../collectors/metric.ts";`), []);
  assertEquals(arrows("collectors/a.ts", `import { create } from "@bufbuild/protobuf";`), []);
  assertEquals(arrows("tests/a.ts", `import { a } from "../exporters/courier.ts";`), []);
});

Deno.test("checkCycles() reports a cycle once and leaves types and late imports alone", () => {
  const files = new Map([
    ["config/a.ts", `import { b } from "./b.ts";`],
    ["config/b.ts", `import { c } from "./c.ts";`],
    ["config/c.ts", `\nimport { a } from "./a.ts";`],
    ["config/d.ts", `import type { e } from "./e.ts";`],
    ["config/e.ts", `import { d } from "./d.ts";\nconst a = import("./d.ts");`],
  ]);
  assertEquals(checkCycles(files).map(({ path, line, message }) => `${path}:${line} ${message}`), [
    "config/c.ts:2 import cycle: config/a.ts -> config/b.ts -> config/c.ts -> config/a.ts",
  ]);
});

Deno.test("checkRegistries() finds the collector and the preset that nobody registered", () => {
  const files = new Map([
    ["collectors/cpu.ts", `export function cpu(options: CpuOptions = {}): Collector {}`],
    ["collectors/lost.ts", `\n\nexport const lost: Collector = {};`],
    ["collectors/gone.ts", `export function gone(\n  options: Options,\n): Collector {}`],
    ["collectors/text.ts", `export const SIGN = 1;`],
    [
      "collectors/registry.ts",
      `import { cpu } from "./cpu.ts";\nexport function collectors(): Collector[] {}`,
    ],
    ["exporters/presets/two.ts", `export const one: Preset = {};\nexport const two: Preset = {};`],
    ["exporters/presets/registry.ts", `import { one } from "./two.ts";`],
  ]);
  assertEquals(checkRegistries(files).map(({ path, line }) => `${path}:${line}`), [
    "collectors/lost.ts:3",
    "collectors/gone.ts:1",
    "exporters/presets/two.ts:2",
  ]);
});

Deno.test("checkOrphans() finds files that no entry reaches", () => {
  const files = new Map([
    ["main.ts", `const { run } = await import("./commands/run.ts");`],
    ["commands/run.ts", `import type { A } from "../config/a.ts";`],
    ["config/a.ts", ""],
    ["config/alone.ts", `import { b } from "./a.ts";`],
    ["exporters/courier.ts", `import "./post.ts";`],
    ["exporters/post.ts", ""],
    ["tests/alone_test.ts", `import "../config/alone.ts";`],
  ]);
  const found = checkOrphans(files, ["main.ts", "exporters/courier.ts", "exporters/receiver.ts"]);
  assertEquals(found.map(({ path }) => path), ["config/alone.ts"]);
});

Deno.test("words() splits camel case, snake case and acronyms", () => {
  assertEquals(words("postURL_base2Max"), ["post", "url", "base2", "max"]);
});

Deno.test("matches() takes files, folders and stars within a name", () => {
  assertEquals(matches("exporters/post_x.ts", ["exporters/post*.ts"]), true);
  assertEquals(matches("exporters/presets/post.ts", ["exporters/post*.ts"]), false);
  assertEquals(matches("collectors/a/b.ts", ["collectors/"]), true);
  assertEquals(matches("collectors_b.ts", ["collectors/"]), false);
});
