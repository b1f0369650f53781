/**
 * Where the workers' code is. A worker's URL is left as written when main is bundled, and is then relative to the
 * one file that main became; so it is made here, for both shapes of the program.
 * @module
 */

/** The workers of the agent. */
export type WorkerName = "courier" | "receiver";

/** URL of a worker's code: TypeScript in a checkout, JavaScript beside a bundled main. */
export function workerUrl(name: WorkerName): URL {
  const isBundled = import.meta.url.endsWith(".js");
  return new URL(isBundled ? `./exporters/${name}.js` : `../exporters/${name}.ts`, import.meta.url);
}
