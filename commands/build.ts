/**
 * What this program is: the version in deno.json and the names derived from it.
 * @module
 */
import configuration from "../deno.json" with { type: "json" };

/** This version. */
export const VERSION: string = configuration.version;

/** First token of the User-Agent, and what logs say. */
export const PRODUCT: string = `sonde/${VERSION}`;
