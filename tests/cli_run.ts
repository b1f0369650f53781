/**
 * Runs a command line in this process and keeps what it wrote.
 * @module
 */
import { dispatch } from "../commands/dispatch.ts";

/** What a command line led to. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `sonde ARGS` with exactly this environment. */
export async function sonde(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  const code = await dispatch(args, {
    env,
    stdout: (text) => stdout += text,
    stderr: (text) => stderr += text,
    stdin: () => new ReadableStream(),
    isTerminal: { stdin: false, stdout: false, stderr: false },
    columns: 80,
    now: () => 0,
    random: () => 0.5,
  });
  return { code, stdout, stderr };
}

/** A folder that exists while `use` runs, with these files in it. */
export async function withFolder<T>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "sonde-test-" });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o600 });
    }
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
