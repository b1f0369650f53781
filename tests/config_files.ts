/**
 * Configuration files in memory, and a loader around them: tests of configuration touch no file of the machine.
 * @module
 */
import type { ConfigFiles } from "../config/files.ts";
import { formatFinding } from "../config/finding.ts";
import { loadConfig, type Loaded, type LoadInput } from "../config/load.ts";

/** A file: its text, or text with owner and mode. */
export type FakeFile = string | { readonly text: string; readonly mode?: number; readonly uid?: number };

/** User id of the pretended process. */
export const UID = 1000;

function entry(file: FakeFile): { text: string; mode: number; uid: number } {
  return { mode: 0o600, uid: UID, ...(typeof file === "string" ? { text: file } : file) };
}

/** Files by path; folders exist as far as they hold files, and `/work` always does. */
export function fakeFiles(files: Readonly<Record<string, FakeFile>>, folderMode = 0o755): ConfigFiles {
  return {
    uid: UID,
    folder: "/work",
    read(path) {
      const file = files[path];
      if (file === undefined) throw new Error("it does not exist");
      return entry(file).text;
    },
    facts(path) {
      if (path === "/work") return { isFile: false, mode: folderMode, uid: UID };
      const file = files[path];
      return file === undefined ? undefined : { isFile: true, mode: entry(file).mode, uid: entry(file).uid };
    },
    list: (path) =>
      Object.keys(files).filter((each) => each.startsWith(`${path}/`)).map((each) =>
        each.slice(path.length + 1)
      ),
  };
}

/** What a test gives; the rest is empty. */
export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, FakeFile>>;
  readonly folderMode?: number;
  readonly flags?: Readonly<Record<string, string>>;
  readonly envFile?: string;
  readonly collectorNames?: readonly string[];
  readonly remote?: Readonly<Record<string, string>>;
}

/** Loads configuration from a test's own layers. Flags are given by key. */
export function load({ env = {}, files = {}, folderMode, flags = {}, ...more }: Given): Loaded {
  const input: LoadInput = {
    env,
    files: fakeFiles(files, folderMode),
    flags: Object.entries(flags).map(([key, text]) => ({ flag: "--set", key, text })),
    ...more,
  };
  return loadConfig(input);
}

/** Findings as `check` prints them. */
export function lines(findings: Loaded["problems"]): string[] {
  return findings.map(formatFinding);
}

/** The settings, or an error with what is wrong. */
export function settingsOf(given: Given): NonNullable<Loaded["settings"]> {
  const { settings, problems } = load(given);
  if (settings === undefined) throw new Error(lines(problems).join("\n"));
  return settings;
}

/** `value (origin)` of one key. */
export function worth(given: Given, key: string): string {
  const entry = load(given).effective.find(({ name }) => name === key);
  return `${entry?.value} (${entry?.origin})`;
}
