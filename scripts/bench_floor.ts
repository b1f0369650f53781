/**
 * Builds and runs the C floor of the bench: what it costs on this machine to re-read the same files and do nothing
 * with them. It makes figures of different machines comparable.
 * @module
 */
import { root, run } from "./terminal.ts";

/** The built floor. */
export interface Floor {
  /** Microseconds of CPU for one turn over the files in a hot loop. */
  hot(paths: readonly string[]): Promise<number>;
  /** The same for turns a second apart, which meet cold caches as sonde does; takes so many seconds. */
  paced(paths: readonly string[], turns: number): Promise<number>;
}

/** Why there is no floor on this machine. */
export interface NoFloor {
  readonly skipped: string;
}

/** Builds the floor for `use` with a compiler of this machine. */
export async function withFloor<T>(use: (floor: Floor | NoFloor) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "sonde-floor-" });
  try {
    const program = `${folder}/floor`;
    const skipped = await build(program);
    return await use(
      skipped === undefined
        ? {
          hot: (paths) => measure(program, ["0", ...paths]),
          paced: (paths, turns) => measure(program, [String(turns), ...paths]),
        }
        : { skipped },
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Undefined when it was built. */
async function build(program: string): Promise<string | undefined> {
  try {
    const { code, stderr } = await run("gcc", ["-O2", "-o", program, `${root}/scripts/bench_floor.c`]);
    return code === 0 ? undefined : `gcc failed: ${stderr.slice(0, 500)}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "gcc is not installed";
    throw error;
  }
}

async function measure(program: string, args: readonly string[]): Promise<number> {
  const { code, stdout } = await run(program, args);
  if (code !== 0) throw new Error(`Cannot measure the floor: ${stdout.trim()}, expected files that open`);
  const { ns }: { ns: number } = JSON.parse(stdout);
  return ns / 1_000;
}
