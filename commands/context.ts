/**
 * What a command is given: its command line, the environment as it was at start, and where to read and write.
 * main.ts makes the real one; tests make their own and run commands in their own process.
 * @module
 */
import type { Flags } from "./flags.ts";
import type { Verb } from "./verb.ts";

/** Writes text as it is, all of it, before it returns. Never throws: a closed pipe is not an error of ours. */
export type Write = (text: string) => void;

/** Everything a command may touch that is not a kernel file or the network. */
export interface Context {
  /** Operands after the verb, the subverb included. */
  readonly operands: readonly string[];
  readonly flags: Flags;
  /** The environment at start; nobody else reads `Deno.env`. */
  readonly env: Readonly<Record<string, string>>;
  /** Data only. */
  readonly stdout: Write;
  /** Why data could not be written to standard output; undefined while it could. What prints for ever asks. */
  readonly outputFault?: () => string | undefined;
  /** Everything said to a person. */
  readonly stderr: Write;
  /** Standard input. Made when it is asked for: most verbs never read it, and its machinery takes 2 ms of a start. */
  readonly stdin: () => ReadableStream<Uint8Array>;
  readonly isTerminal: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Width of the terminal, 80 when unknown. */
  readonly columns: number;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The table this command line was parsed with, for help and whatever else describes it. */
  readonly verbs: readonly Verb[];
}
