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

/** Data that went nowhere is no success (74); an agent goes on all the same. */
function withOutput(code: number, verb: string, { outputFault, stderr }: Surroundings): number {
  const fault = outputFault?.();
  if (code !== 0 || fault === undefined || verb === "run") return code;
  stderr(`sonde: error: Cannot write to standard output: ${fault}\n`);
  return 74;
}

async function dispatchStrictly(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { verb, operands, flags } = parseCommandLine(args, { verbs: VERBS, globals: GLOBAL_FLAGS });
  if (verb === undefined || flags.has("help")) {
    surroundings.stdout(verb === undefined ? programHelp(VERBS) : verbHelp(verb));
    return withOutput(0, "help", surroundings);
  }
  const command = await verb.load();
  const code = await command.run({ ...surroundings, operands, flags, verbs: VERBS });
  return withOutput(code, verb.name, surroundings);
}

/** Runs a command line to its end; never throws. Codes as in design 6: 64 for usage, 70 for faults of our own. */
export async function dispatch(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await dispatchStrictly(args, surroundings);
  } catch (error) {
    if (error instanceof UsageError) {
      surroundings.stderr(`sonde: error: ${error.message}\nsonde: hint: ${error.hint}\n`);
      return 64;
    }
    const { crashText } = await import("./crash_text.ts");
    surroundings.stderr(`sonde: error: ${crashText(error, { env: surroundings.env, args })}\n`);
    surroundings.stderr(
      "sonde: hint: A fault of sonde's own: report these lines with what sonde version says\n",
    );
    return 70;
  }
}
