/**
 * What a row of the verb table holds. The parser, `--help`, and whatever else describes the command line
 * (design 6) read these rows and nothing else, so none of them can disagree.
 * @module
 */
import type { Context } from "./context.ts";

/** One flag, of a verb or of all of them. */
export interface Flag {
  /** Without the dashes: "env-file". */
  readonly name: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** Name of the value in help, "PATH"; absent: a switch without a value. */
  readonly value?: string;
  /** The words it takes; anything else is a usage error. */
  readonly values?: readonly string[];
  /** May be given more than once; otherwise twice is a usage error. */
  readonly many?: true;
  readonly help: string;
  /** The configuration key this flag writes; its value is then judged with the configuration (exit 78). */
  readonly key?: string;
}

/** What a loaded command offers: it runs to its end and answers with the exit code (design 6). */
export interface Command {
  run(context: Context): Promise<number>;
}

/** One verb: a row here and a file in this folder. */
export interface Verb {
  readonly name: string;
  /** Operands as help shows them: "print|example [PRESET]". */
  readonly operands?: string;
  /** First operand must be one of these. */
  readonly subverbs?: readonly string[];
  /** Most operands taken, `subverbs` included; default 0. All behind `--` are operands, whatever they look like. */
  readonly operandsMax?: number;
  /** One line. */
  readonly summary: string;
  /** Paragraphs of `sonde VERB --help`; each is wrapped to the width of the page. */
  readonly details: readonly string[];
  readonly flags: readonly Flag[];
  /**
   * Imports the verb's file. Written `import("./x.ts" satisfies string)`: a bundler still sees the path, while the
   * runtime, which loads every path that it can read off before it starts anything, does not.
   */
  load(): Promise<Command>;
}
