/**
 * The commands of a page of documentation: its `sh` blocks, which are only typed, and its `console` blocks, which show
 * what came back. The comment above a block says how it is tried, or why it is not:
 *
 *     <!-- try -->
 *     <!-- try: backend down; terminal; until TEXT; stays; exit 75 -->
 *     <!-- not tried: needs an account there -->
 *
 * A `console` block without one is tried as it stands. A command begins with "$ " and goes on behind "> ".
 * @module
 */

/** What the backend of the stage does from a block on. */
export const BACKENDS = ["up", "down", "refuses the key", "rejects a part"] as const;

export type BackendMood = typeof BACKENDS[number];

/** How a block is tried. */
export interface Trial {
  readonly backend?: BackendMood;
  /** In a pseudo-terminal. */
  readonly isTerminal: boolean;
  /** Ctrl-C once this has been printed. */
  readonly until?: string;
  /** It goes on, out of sight, until the page's end: an agent. */
  readonly stays: boolean;
  /** What its last command ends with. */
  readonly code: number;
}

/** One command and what was printed under it. */
export interface Typed {
  readonly command: string;
  readonly output: string;
}

/** A block of commands. */
export interface Block {
  readonly language: "sh" | "console";
  /** Of its first line, from 1. */
  readonly line: number;
  /** Where its inside stands in the page. */
  readonly from: number;
  readonly to: number;
  readonly indent: string;
  readonly typed: readonly Typed[];
  /** Absent: it is not tried, and the page says why. */
  readonly trial?: Trial;
}

const FENCE = /^(?<indent> *)```(?<language>[\w-]*)\n(?<inside>(?:.*\n)*?)\k<indent>```$/gm;
const COMMENT = /<!-- (?<kind>try|not tried)(?:: (?<text>.*?))? -->\s*$/;
const KNOWN_LANGUAGES = ["", "ts", "json", "ini"];
/** Markdown's other way to write code, which says nothing about what it holds. */
const INDENTED = /(?<=\n\n) {4}(?=\S)/;

function trialOf(text: string): Trial {
  const words = text === "" ? [] : text.split("; ");
  const after = (prefix: string) => words.find((word) => word.startsWith(prefix))?.slice(prefix.length);
  const backend = BACKENDS.find((mood) => mood === after("backend "));
  const until = after("until ");
  const known = (word: string) =>
    word === "terminal" || word === "stays" || /^exit \d+$/.test(word) || word.startsWith("until ") ||
    (word.startsWith("backend ") && backend !== undefined);
  const unknown = words.find((word) => !known(word));
  if (unknown !== undefined) throw new SyntaxError(`Cannot try a block: unknown "${unknown}"`);
  return {
    isTerminal: words.includes("terminal") || until !== undefined,
    stays: words.includes("stays"),
    code: Number(after("exit ") ?? 0),
    ...(backend === undefined ? {} : { backend }),
    ...(until === undefined ? {} : { until }),
  };
}

function typedIn(language: Block["language"], inside: string): Typed[] {
  if (language === "sh") return [{ command: inside, output: "" }];
  const parts = inside.split(/^\$ /m);
  if (parts.shift() !== "") {
    throw new SyntaxError("Cannot read a console block: its first line is no command");
  }
  return parts.map((part) => {
    const lines = part.split("\n");
    let commandLines = 1;
    while (lines[commandLines]?.startsWith("> ")) commandLines++;
    const command = lines.slice(0, commandLines).map((line) => line.replace(/^> /, "")).join("\n");
    return { command, output: lines.slice(commandLines).join("\n") };
  });
}

function undented(text: string, indent: string): string {
  return text.split("\n").map((line) => line.startsWith(indent) ? line.slice(indent.length) : line).join(
    "\n",
  );
}

/** The inside of a console block that shows these commands and outputs. */
export function insideOf(typed: readonly Typed[], indent: string): string {
  const text = typed.map(({ command, output }) => `$ ${command.replaceAll("\n", "\n> ")}\n${output}`).join(
    "",
  );
  return text.replace(/\n$/, "").split("\n").map((line) => line === "" ? "\n" : `${indent}${line}\n`).join(
    "",
  );
}

const lineAt = (text: string, at: number): number => text.slice(0, at).split("\n").length;

/** What no reader would want and nobody would try: code by indentation, code that a line break runs through. */
function refuseOddCode(page: string): void {
  const words = page.replaceAll(FENCE, (whole) => "\n".repeat(whole.split("\n").length - 1));
  const found = INDENTED.exec(words);
  if (found !== null) {
    throw new SyntaxError(`line ${lineAt(words, found.index)}: indented code, which nothing tries`);
  }
  const broken = words.split("\n").findIndex((line) => line.split("`").length % 2 === 0);
  if (broken >= 0) throw new SyntaxError(`line ${broken + 1}: code in the text that goes over its end`);
}

/**
 * All command blocks of a page. Throws a SyntaxError naming the line of a block that says neither how it is tried nor
 * why not, or that is written in a way nobody tries.
 */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  refuseOddCode(page);
  for (const { 0: whole, index, groups } of page.matchAll(FENCE)) {
    const { indent = "", language = "", inside = "" } = groups ?? {};
    const line = lineAt(page, index);
    const above = COMMENT.exec(page.slice(0, index))?.groups;
    if (language !== "sh" && language !== "console") {
      if (KNOWN_LANGUAGES.includes(language)) continue;
      throw new SyntaxError(`line ${line}: a block in "${language}", which nothing tries`);
    }
    if (language === "sh" && above === undefined) {
      throw new SyntaxError(`line ${line}: commands without <!-- try --> or <!-- not tried: why -->`);
    }
    const from = index + whole.indexOf("\n") + 1;
    const block = { language, line, from, to: from + inside.length, indent } as const;
    const typed = typedIn(language, undented(inside, indent));
    const isTried = above?.["kind"] !== "not tried";
    const trial = isTried ? { trial: trialOf(above?.["text"] ?? "") } : {};
    blocks.push({ ...block, typed, ...trial });
  }
  return blocks;
}
