/**
 * `sonde version`: what this is and what it was built from.
 * @module
 */
import configuration from "../deno.json" with { type: "json" };
import { SCHEMA_URL } from "../exporters/naming.ts";
import type { Context } from "./context.ts";

/** This version, as in deno.json. */
export const VERSION: string = configuration.version;

/** First token of the User-Agent and what logs say. */
export const PRODUCT: string = `sonde/${VERSION}`;

export function run(context: Context): Promise<number> {
  const { version } = Deno;
  context.stdout(
    [
      `sonde ${VERSION}`,
      `deno ${version.deno}, v8 ${version.v8}`,
      `OpenTelemetry protocol 1.11, semantic conventions ${
        SCHEMA_URL.slice(SCHEMA_URL.lastIndexOf("/") + 1)
      }`,
      "",
    ].join("\n"),
  );
  return Promise.resolve(0);
}
