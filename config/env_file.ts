/**
 * The configuration file: which one counts (design 7), whether it may be trusted, and its variables with the line
 * each stands on. Values come from @std/dotenv's `parse`; this file only finds lines and lends it the environment.
 * @module
 */
import { parse } from "@std/dotenv/parse";
import { absolute, type ConfigFiles } from "./files.ts";
import type { Findings } from "./finding.ts";
import { ENV_FILE } from "./keys.ts";

/** One variable as a source has it. */
export interface Variable {
  readonly name: string;
  readonly text: string;
  /** Where, for findings. */
  readonly place: string;
  /** Where, in `config print`'s words. */
  readonly origin: string;
}

/** Variables by name. */
export type Variables = ReadonlyMap<string, Variable>;

/** The file of the agent that sonde replaces; using it turns that agent's defaults on. */
export const HEKA_FILE = "/etc/heka-insights-agent/.env";
/** The one that a package brings and `setup` writes for root. */
export const SYSTEM_FILE = "/etc/sonde/sonde.env";
/** Where a file is looked for that nobody has named, best first. */
export const USUAL_FILES: readonly string[] = [".env", SYSTEM_FILE, HEKA_FILE];

const STATEMENT =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*('[^']*'|"(?:[^"\\]|\\[^])*"|[^\r\n]*)[^\r\n]*/gm;
const REFERENCE = /(?<!\\)\$(?:\{(\w+)(:-)?|(\w+))/g;

interface Statement {
  readonly name: string;
  readonly raw: string;
  readonly line: number;
}

function statements(text: string): Statement[] {
  let line = 1;
  let end = 0;
  return [...text.matchAll(STATEMENT)].map((match) => {
    line += text.slice(end, match.index).split("\n").length - 1;
    end = match.index;
    return { name: match[1] ?? "", raw: match[2] ?? "", line };
  });
}

/** References that no default saves, outside single quotes and comments. */
function references(raw: string): string[] {
  if (raw.startsWith("'")) return [];
  const value = raw.startsWith('"') ? raw : raw.replace(/(?:^|[ \t])#.*$/, "");
  return [...value.matchAll(REFERENCE)].filter(([, , fallback]) => fallback === undefined)
    .map(([, braced, , bare]) => braced ?? bare ?? "");
}

/** A line that gives `parse` one variable of the environment; undefined when no quoting can hold its value. */
function lent(name: string, value: string): string | undefined {
  if (!value.includes("'")) return `${name}='${value}'`;
  return /["\\$]/.test(value) ? undefined : `${name}="${value}"`;
}

function checkLines(path: string, { text, findings }: { text: string; findings: Findings }): void {
  const rest = text.replaceAll(STATEMENT, (statement) => statement.replaceAll(/[^\n]/g, ""));
  for (const [index, line] of rest.split("\n").entries()) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    // That agent ignored such lines, so its files may hold them.
    findings.add(path === HEKA_FILE ? "warning" : "problem", {
      place: `${path}:${index + 1}`,
      key: "-",
      what: "the line is not KEY=value",
      next: "Write KEY=value, or # in front of a comment",
    });
  }
}

/** What reading a file needs beside its path. */
export interface FileReading {
  readonly files: ConfigFiles;
  readonly env: Readonly<Record<string, string>>;
  readonly findings: Findings;
}

/** The variables of a file's text, expanded with the file's own and the environment's. */
export function readVariables(
  path: string,
  text: string,
  { env, findings }: Omit<FileReading, "files">,
): Variables {
  checkLines(path, { text, findings });
  const found = statements(text);
  const own = new Set(found.map(({ name }) => name));
  const prelude: string[] = [];
  for (const { name, raw, line } of found) {
    for (const reference of references(raw).filter((each) => !own.has(each))) {
      const value = env[reference] ?? "";
      const loan = value === "" ? undefined : lent(reference, value);
      if (loan !== undefined) prelude.push(loan);
      else {
        const what = `$${reference} expands to nothing`;
        const next = `Set ${reference}, or put the value in single quotes to keep the $`;
        findings.add("warning", { place: `${path}:${line}`, key: name, what, next });
      }
    }
  }
  const values = parse([...prelude, text].join("\n"));
  const variables = new Map<string, Variable>();
  for (const { name, line } of found) {
    const place = `${path}:${line}`;
    if (variables.has(name)) {
      findings.add("warning", {
        place,
        key: name,
        what: "is set twice; this one counts",
        next: "Delete the other",
      });
    }
    variables.set(name, { name, text: (values[name] ?? "").trim(), place, origin: place });
  }
  return variables;
}

/** The file that counts. */
export interface ChosenFile {
  readonly path: string;
  /** It was named; then it must exist. */
  readonly isNamed: boolean;
}

function isTrusted(path: string, files: ConfigFiles): boolean {
  const facts = files.facts(path);
  const ours = facts !== undefined && (facts.uid === 0 || facts.uid === files.uid);
  return ours && (facts.mode & 0o002) === 0;
}

/** Finds the file: named by flag or variable, `./.env` when it can be trusted, the system's, Heka's. */
export function chooseFile(
  flag: string | undefined,
  { files, env, findings }: FileReading,
): ChosenFile | undefined {
  const named = flag ?? env[ENV_FILE];
  if (named !== undefined && named !== "") return { path: named, isNamed: true };
  const near = absolute(".env", files);
  if (files.facts(near)?.isFile) {
    if (isTrusted(near, files) && isTrusted(files.folder, files)) return { path: near, isNamed: false };
    findings.add("warning", {
      place: near,
      key: "-",
      what: "is not used: it or its folder belongs to someone else or is writable by others",
      next: `Type chmod o-w ${near} ${files.folder}, or name it with --env-file`,
    });
  }
  if (files.facts(SYSTEM_FILE) !== undefined) return { path: SYSTEM_FILE, isNamed: false };
  if (files.facts(HEKA_FILE) === undefined) return undefined;
  findings.add("notice", {
    place: HEKA_FILE,
    key: "-",
    what: "is used, with that agent's names and defaults",
    next: `Move it to ${SYSTEM_FILE} when you are ready`,
  });
  return { path: HEKA_FILE, isNamed: false };
}

/** Reads the chosen file; an unreadable one is a problem, because what it holds would be missed silently. */
export function readFile(chosen: ChosenFile, reading: FileReading): Variables {
  try {
    return readVariables(chosen.path, reading.files.read(chosen.path), reading);
  } catch (error) {
    reading.findings.add("problem", {
      place: chosen.path,
      key: "-",
      what: `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      next: chosen.isNamed ? "Name a file that exists with --env-file" : "Run as a user who may read it",
    });
    return new Map();
  }
}
