/**
 * Builds and runs the C floor of the bench: what it costs on this machine to re-read the same files and do nothing
 * with them. It makes figures of different machines comparable.
 * @module
 */
import { root, run } from "./terminal.ts";

/** CPU of one turn over the files, or why it could not be measured. */
export type Floor = { readonly us: number; readonly files: number } | { readonly skipped: string };

/** Measures the floor for the given files with a compiler of this machine. */
export async function measureFloor(paths: readonly string[]): Promise<Floor> {
  const folder = await Deno.makeTempDir({ prefix: "sonde-floor-" });
  try {
    const program = `${folder}/floor`;
    const built = await run("gcc", ["-O2", "-o", program, `${root}/scripts/bench_floor.c`]);
    if (built.code !== 0) return { skipped: `gcc failed: ${built.stderr.slice(0, 500)}` };
    const { code, stdout, stderr } = await run(program, paths);
    if (code !== 0) return { skipped: `no file could be opened: ${stderr}` };
    const { files, ns }: { files: number; ns: number } = JSON.parse(stdout);
    return { us: ns / 1_000, files };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { skipped: "gcc is not installed" };
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
