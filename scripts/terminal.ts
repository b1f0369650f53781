/**
 * What the scripts share: the checkout's folder, running a program, and printing without `console`.
 * @module
 */

/** The checkout, without a slash at the end. */
export const root: string = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

/** Settings of every Deno that a script starts (design 9). */
export const DENO_ENV: Readonly<Record<string, string>> = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };

/** What figures are told with: the machine they were measured on. */
export function thisMachine(): { readonly cpus: number; readonly kernel: string; readonly deno: string } {
  return { cpus: navigator.hardwareConcurrency, kernel: Deno.osRelease(), deno: Deno.version.deno };
}

const encoder = new TextEncoder();

/** A line of data. */
export function print(line: string): void {
  write(Deno.stdout, `${line}\n`);
}

/** A line for a person. */
export function say(line: string): void {
  write(Deno.stderr, `${line}\n`);
}

function write(to: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
}

/** How a program ended and what it printed. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Absent: the checkout. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end; a program that is not there throws Deno.errors.NotFound. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: options.cwd ?? root,
    env: { ...DENO_ENV, ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
