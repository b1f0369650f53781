/**
 * `sonde version`: what this is and what it was built from.
 * @module
 */
import { SCHEMA_URL } from "../exporters/naming.ts";
import { VERSION } from "./build.ts";
import type { Context } from "./context.ts";

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
