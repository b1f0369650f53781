/**
 * sonde's entry: reads the command line, makes the context, runs the verb, ends with its exit code.
 * The one-file form imports it and calls `main`.
 * @module
 */
import type { Write } from "./commands/context.ts";
import { dispatch } from "./commands/dispatch.ts";

/** Writes everything; whoever reads stdout may leave at any time, and then there is nothing left to say. */
function writer(
  stream: { writeSync(bytes: Uint8Array): number },
  { ended, failed }: { readonly ended: () => void; readonly failed: (error: unknown) => void },
): Write {
  const encoder = new TextEncoder();
  return (text) => {
    const bytes = encoder.encode(text);
    try {
      for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) ended();
      else failed(error);
    }
  };
}

/** Width of the terminal; 80 without one, and where it says 0, as some serial lines do. */
function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

/** Runs the verb of the command line to its end, and the process with it. */
export async function main(): Promise<never> {
  let outputFault: string | undefined;
  const code = await dispatch(Deno.args, {
    env: Deno.env.toObject(),
    stdout: writer(Deno.stdout, {
      ended: () => Deno.exit(0),
      failed: (error) => outputFault ??= error instanceof Error ? error.message : String(error),
    }),
    // Nowhere is left to say that this one cannot be written.
    stderr: writer(Deno.stderr, { ended: () => {}, failed: () => {} }),
    outputFault: () => outputFault,
    stdin: () => Deno.stdin.readable,
    isTerminal: {
      stdin: Deno.stdin.isTerminal(),
      stdout: Deno.stdout.isTerminal(),
      stderr: Deno.stderr.isTerminal(),
    },
    columns: terminalColumns(),
    now: Date.now,
    random: Math.random,
  });
  Deno.exit(code);
}

if (import.meta.main) void main();
