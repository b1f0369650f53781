/**
 * Where the workers' code is. A worker's URL is left as written when main is bundled, and is then relative to the
 * one file that main became; so it is made here, for all three shapes of the program.
 * @module
 */

/** The workers of the agent. */
export type WorkerName = "courier" | "receiver";

/** URLs of the parts, left by the loader of the one-file form (scripts/portable.ts). */
function loadedPart(name: WorkerName): URL {
  const parts: unknown = Reflect.get(globalThis, Symbol.for("sonde.parts"));
  const url: unknown = typeof parts === "object" && parts !== null ? Reflect.get(parts, name) : undefined;
  if (typeof url !== "string") throw new Error(`BUG: the loader has no part "${name}"`);
  return new URL(url);
}

/** URL of a worker's code: TypeScript in a checkout, JavaScript beside a bundled main, or a part of the one file. */
export function workerUrl(name: WorkerName): URL {
  if (import.meta.url.startsWith("blob:")) return loadedPart(name);
  const isBundled = import.meta.url.endsWith(".js");
  return new URL(isBundled ? `./exporters/${name}.js` : `../exporters/${name}.ts`, import.meta.url);
}
