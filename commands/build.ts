/**
 * What this program is: the version in deno.json and the names derived from it.
 * @module
 */
import configuration from "../deno.json" with { type: "json" };

/** This version. */
export const VERSION: string = configuration.version;

/** First token of the User-Agent, and what logs say. */
export const PRODUCT: string = `sonde/${VERSION}`;

/** What a built program was built from. */
export interface BuildInputs {
  readonly form: "compiled" | "portable";
  /** Commit id, "-modified" behind it when the tree differed; "unknown" outside a checkout. */
  readonly commit: string;
  /** SHA-256 of deno.lock, hexadecimal. */
  readonly lockSha256: string;
  readonly runtime: string;
  /** SHA-256 of the runtime as npm has it; absent when the build could not know. */
  readonly runtimeSha256?: string;
}

/** Replaced by JSON when the program is built (scripts/bundle.ts). */
const BAKED: string = "sonde-build-inputs";

/** What this program was built from; undefined when it runs from its sources. */
export function buildInputs(): BuildInputs | undefined {
  return BAKED.startsWith("{") ? JSON.parse(BAKED) : undefined;
}
