/**
 * `sonde man`: the manual page, roff's man macros, from the verb table and the key table (man-pages(7)). For
 * `man -l <(sonde man)` and for packages.
 * @module
 */
import { AREAS } from "../config/keys.ts";
import { VERSION } from "./build.ts";
import type { Context } from "./context.ts";
import { EXITS } from "./help.ts";
import type { Flag, Verb } from "./verb.ts";
import { GLOBAL_FLAGS } from "./verbs.ts";

/** Text that roff prints as it is: no line may begin with a dot or a quote, and a dash stays a dash. */
function plain(text: string): string {
  const escaped = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll(/^([.'])/gm, "\\&$1");
  const code = (character: string) => character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
  return escaped.replaceAll(/[^\n -~]/gu, (character) => `\\[u${code(character)}]`);
}

function flagEntry({ name, short, value, help }: Flag): string[] {
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`].map((each) =>
    `\\fB${plain(each)}\\fR`
  );
  const shown = value === undefined ? "" : ` \\fI${plain(value)}\\fR`;
  return [".TP", names.join(", ") + shown, plain(help)];
}

function verbSection(verb: Verb): string[] {
  return [
    `.SS "sonde ${plain([verb.name, verb.operands ?? ""].join(" ").trim())}"`,
    ...verb.details.flatMap((paragraph) => [plain(paragraph), ".PP"]).slice(0, -1),
    ...verb.flags.flatMap(flagEntry),
  ];
}

function keyEntries(): string[] {
  return Object.entries(AREAS).flatMap(([area, keys]) => [
    `.SS "${area}"`,
    ...keys.flatMap(({ name, help, default: fallback }) => [
      ".TP",
      `\\fB${plain(name)}\\fR`,
      plain(fallback === undefined ? help : `${help} Default: ${fallback}.`),
    ]),
  ]);
}

/** The whole page. */
export function manualPage(verbs: readonly Verb[]): string {
  return [
    `.TH SONDE 1 "" "sonde ${VERSION}" "User Commands"`,
    ".SH NAME",
    "sonde \\- telemetry agent for Linux hosts that delivers OTLP and holds no permission",
    ".SH SYNOPSIS",
    "\\fBsonde\\fR \\fIVERB\\fR [\\fIFLAGS\\fR]",
    ".SH VERBS",
    ...verbs.flatMap(verbSection),
    ".SH OPTIONS",
    "Every verb takes these, before or after it.",
    ...GLOBAL_FLAGS.flatMap(flagEntry),
    '.SH "EXIT STATUS"',
    ...EXITS.flatMap(([code, meaning]) => [".TP", code, plain(meaning)]),
    ".SH CONFIGURATION",
    "Keys of the configuration file and the environment. Each also exists with \\fB_FILE\\fR behind it, naming a file " +
    "that holds the value.",
    ...keyEntries(),
    ".SH FILES",
    ".TP",
    "\\fI/etc/sonde/sonde.env\\fR",
    "The configuration, unless \\fB\\-\\-env\\-file\\fR names another.",
    ".TP",
    "\\fI/var/lib/sonde\\fR",
    "The spool and what is remembered.",
    ".TP",
    "\\fI/run/sonde/ctl.sock\\fR",
    "The control socket.",
    "",
  ].join("\n");
}

export function run({ verbs, stdout }: Context): Promise<number> {
  stdout(manualPage(verbs));
  return Promise.resolve(0);
}
