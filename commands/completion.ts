/**
 * `sonde completion SHELL`: a script for bash, zsh or fish, made from the verb table. It calls no program while the
 * user types.
 * @module
 */
import { operandWords, spellings, valueKind, valueWords } from "./completion_words.ts";
import type { Context } from "./context.ts";
import type { Flag, Verb } from "./verb.ts";
import { GLOBAL_FLAGS } from "./verbs.ts";

const HEAD = "made by: sonde completion";

/** Flags whose next word is a value, as a pattern of `case`. */
function valuePatterns(flags: readonly Flag[]): { pattern: string; action: string }[] {
  return flags.flatMap((flag) => {
    const pattern = spellings(flag).join("|");
    const kind = valueKind(flag);
    if (kind === "none") return [];
    if (kind === "words") {
      return [{
        pattern,
        action: `COMPREPLY=($(compgen -W "${valueWords(flag).join(" ")}" -- "$cur")); return`,
      }];
    }
    if (kind === "file") return [{ pattern, action: 'COMPREPLY=($(compgen -f -- "$cur")); return' }];
    if (kind === "folder") return [{ pattern, action: 'COMPREPLY=($(compgen -d -- "$cur")); return' }];
    return [{ pattern, action: "return" }];
  });
}

function bash(verbs: readonly Verb[]): string {
  const all = [...GLOBAL_FLAGS, ...verbs.flatMap(({ flags }) => flags)];
  const unique = [...new Map(all.map((flag) => [`${flag.name} ${flag.values?.join()}`, flag])).values()];
  const withValue = unique.filter((flag) => flag.value !== undefined).flatMap(spellings);
  const words = (flags: readonly Flag[]) => [...GLOBAL_FLAGS, ...flags].flatMap(spellings).join(" ");
  return [
    `# bash completion for sonde; ${HEAD} bash`,
    "_sonde() {",
    "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= word skip= rest=",
    "  COMPREPLY=()",
    "  # Bash splits --flag=value into three words.",
    '  if [[ $cur == "=" ]]; then cur=""; elif [[ $prev == "=" ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    if [[ $skip ]]; then [[ $word == "=" ]] || skip=; continue; fi',
    "    case $word in",
    "      --) return ;;",
    `      ${withValue.join("|")}) skip=1 ;;`,
    "      -*|=) ;;",
    "      *) if [[ -z $verb ]]; then verb=$word; else rest=1; fi ;;",
    "    esac",
    "  done",
    '  case "$verb $prev" in',
    ...verbs.flatMap(({ name, flags }) =>
      valuePatterns(flags).map(({ pattern, action }) =>
        `    ${pattern.split("|").map((spelling) => `"${name} ${spelling}"`).join("|")}) ${action} ;;`
      )
    ),
    "  esac",
    "  case $prev in",
    ...valuePatterns(GLOBAL_FLAGS).map(({ pattern, action }) => `    ${pattern}) ${action} ;;`),
    "  esac",
    "  case $verb in",
    `    "") COMPREPLY=($(compgen -W "${verbs.map(({ name }) => name).join(" ")} ${
      words([])
    }" -- "$cur")) ;;`,
    ...verbs.map((verb) => {
      const operands = operandWords(verb, verbs).join(" ");
      const first = operands === ""
        ? ""
        : `[[ $rest ]] || COMPREPLY=($(compgen -W "${operands}" -- "$cur")); `;
      return `    ${verb.name}) ${first}COMPREPLY+=($(compgen -W "${words(verb.flags)}" -- "$cur")) ;;`;
    }),
    "  esac",
    "}",
    "complete -F _sonde sonde",
    "",
  ].join("\n");
}

/** Text inside single quotes of zsh's _arguments. */
function zshText(text: string): string {
  return text.replaceAll("'", "'\\''").replaceAll(/[[\]:\\]/g, "\\$&");
}

function zshFlag(flag: Flag): string[] {
  const kind = valueKind(flag);
  const action = kind === "words"
    ? `(${valueWords(flag).join(" ")})`
    : kind === "file"
    ? "_files"
    : "_files -/";
  const value = kind === "none" ? "" : `:${flag.value?.toLowerCase()}:${kind === "any" ? "" : action}`;
  return spellings(flag).map((spelling) => {
    const sign = kind === "none" ? "" : spelling.startsWith("--") ? "=" : "+";
    return `'${flag.many ? "*" : ""}${spelling}${sign}[${zshText(flag.help)}]${value}'`;
  });
}

function zsh(verbs: readonly Verb[]): string {
  const flags = (own: readonly Flag[]) =>
    [...GLOBAL_FLAGS, ...own].flatMap(zshFlag).map((line) => `        ${line} \\`);
  return [
    "#compdef sonde",
    `# zsh completion for sonde; ${HEAD} zsh`,
    "_sonde() {",
    "  local line state",
    "  local -a verbs=(",
    ...verbs.map(({ name, summary }) => `    '${name}:${zshText(summary)}'`),
    "  )",
    "  _arguments -C \\",
    ...GLOBAL_FLAGS.flatMap(zshFlag).map((line) => `    ${line} \\`),
    "    '1: :->verb' '*:: :->rest'",
    "  case $state in",
    "    verb) _describe verb verbs ;;",
    "    rest)",
    "      case $line[1] in",
    ...verbs.flatMap((verb) => {
      const operands = operandWords(verb, verbs).join(" ");
      const last = operands === "" ? "'*:: :_files'" : `'1: :(${operands})'`;
      return [`      ${verb.name}) _arguments \\`, ...flags(verb.flags), `        ${last} ;;`];
    }),
    "      esac ;;",
    "  esac",
    "}",
    "compdef _sonde sonde",
    "",
  ].join("\n");
}

function fishText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function fishFlag(flag: Flag, condition: string): string {
  const kind = valueKind(flag);
  const value = {
    none: "",
    words: ` -x -a ${fishText(valueWords(flag).join(" "))}`,
    file: " -r -F",
    folder: " -r -F",
    any: " -x",
  };
  const short = flag.short === undefined ? "" : ` -s ${flag.short}`;
  return `complete -c sonde${condition}${short} -l ${flag.name}${value[kind]} -d ${fishText(flag.help)}`;
}

function fish(verbs: readonly Verb[]): string {
  return [
    `# fish completion for sonde; ${HEAD} fish`,
    "complete -c sonde -f",
    ...GLOBAL_FLAGS.map((flag) => fishFlag(flag, "")),
    ...verbs.flatMap((verb) => {
      const used = ` -n '__fish_seen_subcommand_from ${verb.name}'`;
      const operands = operandWords(verb, verbs);
      return [
        `complete -c sonde -n __fish_use_subcommand -a ${verb.name} -d ${fishText(verb.summary)}`,
        ...(operands.length === 0 ? [] : [`complete -c sonde${used} -a ${fishText(operands.join(" "))}`]),
        ...verb.flags.map((flag) => fishFlag(flag, used)),
      ];
    }),
    "",
  ].join("\n");
}

/** The scripts by shell. */
export const SHELLS: Readonly<Record<string, (verbs: readonly Verb[]) => string>> = { bash, zsh, fish };

/** Prints the script; the parser has checked that the operand is one of the shells. */
export function run({ operands, verbs, stdout }: Context): Promise<number> {
  const script = SHELLS[operands[0] ?? ""];
  if (script === undefined) throw new Error("BUG: a shell that the verb table does not name");
  stdout(script(verbs));
  return Promise.resolve(0);
}
