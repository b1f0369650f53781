/**
 * Where the workers' code is. A worker's URL is left as written when main is bundled, and is then relative to the
 * one file that main became; so it is made here, for all three shapes of the program.
 * @module
 */

/** The workers of the agent. */
export type WorkerName = "courier" | "receiver";

/** Left by the loader of the one-file form (scripts/portable.ts): makes a part of the file loadable. */
const partUrl: unknown = Reflect.get(globalThis, Symbol.for("sonde.part"));

/** URL of a worker's code: TypeScript in a checkout, JavaScript beside a bundled main, or a part of the one file. */
export function workerUrl(name: WorkerName): URL {
  if (typeof partUrl === "function") return new URL(String(partUrl(name)));
  const isBundled = import.meta.url.endsWith(".js");
  return new URL(isBundled ? `./exporters/${name}.js` : `../exporters/${name}.ts`, import.meta.url);
}
