/**
 * The house rules about whole files: names, size, the opening paragraph, reasons for exceptions, no barrels.
 * @module
 */
import { BANNED_TYPE_WORDS, DEEP_FOLDERS, FILE_LINES_MAX, matches, VENDORS } from "./layout_table.ts";

/** One broken rule. */
export interface Violation {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** Texts by path relative to the checkout. */
export type Files = ReadonlyMap<string, string>;

/** Checks every file on its own. `doors` are the files deno.json exports: they may re-export. */
export function checkFiles(files: Files, doors: readonly string[]): Violation[] {
  return [...files].flatMap(([path, text]) => [
    ...checkName(path),
    ...checkSize(path, text),
    ...checkOpening(path, text),
    ...checkComments(path, text),
    ...(doors.includes(path) ? [] : checkBarrel(path, text)),
  ]);
}

function checkName(path: string): Violation[] {
  const violations: Violation[] = [];
  const report = (message: string) => violations.push({ path, line: 1, rule: "names", message });
  const folders = path.split("/");
  const name = folders.pop() ?? "";
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*(\.d)?\.ts$/.test(name)) report(`"${name}" is not lower_snake_case`);
  const word = name.replace(/\.ts$/, "").split("_").find((part) => BANNED_TYPE_WORDS.includes(part));
  if (word !== undefined) report(`"${name}": the word "${word}" says nothing`);
  if (folders.length > 1 && !matches(path, DEEP_FOLDERS)) report("a folder in a folder: one level is enough");
  if (VENDORS.some((vendor) => vendor.name.test(name) && !matches(path, vendor.allowed))) {
    report(`"${name}" is named after a vendor`);
  }
  return violations;
}

function checkSize(path: string, text: string): Violation[] {
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (lines <= FILE_LINES_MAX || path.startsWith("tests/fixtures/")) return [];
  const message = `${lines} lines, expected at most ${FILE_LINES_MAX}: split it by noun`;
  return [{ path, line: lines, rule: "sizes", message }];
}

function checkOpening(path: string, text: string): Violation[] {
  if (path.startsWith("vendor/")) return [];
  // Workers begin with reference lines, scripts may begin with a shebang.
  const opening = text.replace(/^(#!.*\n|\/\/\/ *<.*\n|\/\/ deno-lint-ignore-file.*\n|\s+)*/, "");
  if (/^\/\*\*(\n \*)? \S.{20}/.test(opening)) return [];
  const message = "expected an opening paragraph: what the file is for and which rule it keeps";
  return [{ path, line: 1, rule: "opening", message }];
}

function checkComments(path: string, text: string): Violation[] {
  if (path.startsWith("vendor/")) return [];
  // This file and the tests of the rules must be able to say the words.
  if (path.startsWith("scripts/layout") || path === "tests/layout_test.ts") return [];
  const violations: Violation[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const report = (rule: string, message: string) => violations.push({ path, line: at + 1, rule, message });
    if (/deno-lint-ignore|@ts-(ignore|expect-error|nocheck)/.test(line) && !/--? \S+|: \S+/.test(line)) {
      report("reasons", "an exception without its reason: write `-- why` behind it");
    }
    if (/\b(TODO|FIXME|XXX|HACK)\b/.test(line)) report("reasons", "unfinished work does not belong on main");
  }
  return violations;
}

function checkBarrel(path: string, text: string): Violation[] {
  if (path.startsWith("vendor/")) return [];
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "").trim();
  const rest = code.replaceAll(/export\s+(type\s+)?(\*(\s+as\s+\w+)?|\{[^}]*\})\s+from\s+"[^"]+";?/g, "")
    .trim();
  if (code === "" || rest !== "") return [];
  return [{ path, line: 1, rule: "barrel", message: "only re-exports: import from the files themselves" }];
}
