/**
 * The layout check: the house rules that must not drift, one line per violation, exit 1 when there is one. The
 * rules are rows in layout_table.ts; style 3.11 says why these limits.
 * @module
 */
import { checkFiles, type Files, type Violation } from "./layout_files.ts";
import { checkArrows, checkCycles, checkOrphans, checkRegistries } from "./layout_graph.ts";
import { ROOTS } from "./layout_table.ts";
import { print, root, run } from "./terminal.ts";

/** Top-level entries with code of ours. proto_gen is generated and only its imports count. */
const FOLDERS = ["collectors", "commands", "config", "exporters", "proto_gen", "scripts", "tests", "vendor"];

/** Every violation of the checkout, sorted by place. */
export async function checkLayout(): Promise<Violation[]> {
  const files = await readSources();
  const ours = new Map([...files].filter(([path]) => !path.startsWith("proto_gen/")));
  const doors = await readDoors();
  const violations = [
    ...checkFiles(ours, doors),
    ...checkArrows(files),
    ...checkCycles(files),
    ...checkRegistries(files),
    ...checkOrphans(files, [...new Set([...ROOTS, ...doors])]),
    ...await lintSyntax([...ours.keys()].filter((path) => !path.startsWith("vendor/"))),
  ];
  return violations.sort((a, b) => a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1);
}

async function readSources(): Promise<Files> {
  const files = new Map<string, string>();
  const walk = async (folder: string) => {
    for await (const entry of Deno.readDir(`${root}/${folder}`)) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory && (folder !== "" || FOLDERS.includes(entry.name))) await walk(path);
      if (entry.isFile && entry.name.endsWith(".ts")) {
        files.set(path, await Deno.readTextFile(`${root}/${path}`));
      }
    }
  };
  await walk("");
  return files;
}

/** The files that deno.json exports: the libraries' doors. */
async function readDoors(): Promise<string[]> {
  const config: { exports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(`${root}/deno.json`),
  );
  return Object.values(config.exports).map((path) => path.replace(/^\.\//, ""));
}

async function lintSyntax(paths: readonly string[]): Promise<Violation[]> {
  const { stdout, stderr } = await run(Deno.execPath(), [
    ...["lint", "--json", "--config", "scripts/layout.json"],
    ...paths,
  ]);
  const report: LintReport = parseReport(stdout, stderr);
  const broken = report.errors.map(({ file_path, message }) => ({
    path: file_path,
    line: 1,
    rule: "syntax",
    message,
  }));
  const found = report.diagnostics.map(({ filename, range, code, message }) => ({
    path: decodeURIComponent(new URL(filename).pathname).slice(root.length + 1),
    line: range.start.line,
    rule: code.replace(/^sonde\//, ""),
    message,
  }));
  return [...broken, ...found];
}

interface LintReport {
  readonly diagnostics: readonly {
    readonly filename: string;
    readonly range: { readonly start: { readonly line: number } };
    readonly code: string;
    readonly message: string;
  }[];
  readonly errors: readonly { readonly file_path: string; readonly message: string }[];
}

function parseReport(stdout: string, stderr: string): LintReport {
  try {
    return JSON.parse(stdout);
  } catch (cause) {
    throw new SyntaxError(`Cannot read the report of "deno lint": ${stderr.slice(0, 2_000)}`, { cause });
  }
}

if (import.meta.main) {
  const violations = await checkLayout();
  for (const { path, line, rule, message } of violations) print(`${path}:${line}  ${rule}  ${message}`);
  if (violations.length > 0) print(`${violations.length} violations of the layout`);
  Deno.exit(violations.length === 0 ? 0 : 1);
}
