/**
 * From arguments to an exit code: parse, answer help, load the verb, run it. Every non-zero end leaves a line on
 * standard error (contract: command line).
 * @module
 */
import { parseCommandLine, UsageError } from "./command_line.ts";
import type { Context } from "./context.ts";
import { programHelp, verbHelp } from "./help.ts";
import { GLOBAL_FLAGS, VERBS } from "./verbs.ts";

/** What the process brings; the command line adds the rest of a context. */
export type Surroundings = Omit<Context, "operands" | "flags" | "verbs">;

async function dispatchStrictly(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { verb, operands, flags } = parseCommandLine(args, { verbs: VERBS, globals: GLOBAL_FLAGS });
  if (verb === undefined || flags.has("help")) {
    surroundings.stdout(verb === undefined ? programHelp(VERBS) : verbHelp(verb));
    return 0;
  }
  const command = await verb.load();
  return await command.run({ ...surroundings, operands, flags, verbs: VERBS });
}

/** Runs a command line to its end; never throws. Codes as in design 6: 64 for usage, 70 for faults of our own. */
export async function dispatch(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await dispatchStrictly(args, surroundings);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    surroundings.stderr(`sonde: error: ${message}\n`);
    if (error instanceof UsageError) {
      surroundings.stderr(`sonde: hint: ${error.hint}\n`);
      return 64;
    }
    if (error instanceof Error && error.stack !== undefined) surroundings.stderr(`${error.stack}\n`);
    return 70;
  }
}
