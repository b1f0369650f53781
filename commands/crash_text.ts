/**
 * What is printed of a fault of sonde's own: the error and where it came from, for a report to its makers, without what
 * the environment, the command line or the configuration file call a secret.
 * @module
 */

import { USUAL_FILES } from "../config/env_file.ts";
import { hostFiles } from "../config/files.ts";

const MASK = "****";
/** Shorter values are words: masking them would garble the text. */
const CHARS_MIN = 6;
/** Names of variables whose values are secrets, ours or anybody's. */
const SECRET_NAME = /KEY|TOKEN|SECRET|PASS|HEADERS|PROXY|CREDENTIAL|AUTH/i;
const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/;

/** A value, and its parts: of `name=value` lists, of `user:password@`. */
function formsOf(value: string): string[] {
  const plain = value.trim().replace(/^(["'])(.*)\1$/, "$2");
  return [plain, ...plain.split(/[\s,;@]|[=:](?:\/\/)?/)].filter((form) => form.length >= CHARS_MIN);
}

function inLines(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [, name = "", value = ""] = ASSIGNMENT.exec(line) ?? [];
    return SECRET_NAME.test(name) ? formsOf(value) : [];
  });
}

/** Where secrets may stand. */
export interface SecretPlaces {
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  /** Texts of configuration files, as far as they may still be read. */
  readonly files: readonly string[];
}

/** The text with every secret of these places taken out, the longest first. */
export function withoutPlanted(text: string, { env, args, files }: SecretPlaces): string {
  const named = Object.entries(env).filter(([name]) => SECRET_NAME.test(name));
  const secrets = [
    ...named.flatMap(([, value]) => formsOf(value)),
    ...inLines(args.map((arg) => arg.replace(/^--set=/, "")).join("\n")),
    ...files.flatMap(inLines),
  ];
  return [...new Set(secrets)].sort((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, MASK), text);
}

function textOf(path: string | undefined): string[] {
  try {
    return path === undefined ? [] : [hostFiles().read(path)];
  } catch {
    return [];
  }
}

/** The file that the command line or the environment names, and the usual ones. */
function filesOf({ env, args }: Omit<SecretPlaces, "files">): string[] {
  const at = args.findIndex((arg) => arg === "-c" || arg === "--env-file");
  const joined = args.find((arg) => /^(-c.|--env-file=)/.test(arg))?.replace(/^(-c=?|--env-file=)/, "");
  const named = at < 0 ? joined : args[at + 1];
  return [named, env["SONDE_ENV_FILE"], ...USUAL_FILES].flatMap(textOf);
}

/** A fault as it may be printed, its stack included. */
export function crashText(error: unknown, places: Omit<SecretPlaces, "files">): string {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error && error.stack !== undefined ? `\n${error.stack}` : "";
  return withoutPlanted(`${message}${stack}`, { ...places, files: filesOf(places) });
}
