/**
 * `sonde version`: what this is and what it was built from; with `--sbom` the bill of materials as CycloneDX.
 * @module
 */
import { SCHEMA_URL } from "../exporters/naming.ts";
import { buildInputs, VERSION } from "./build.ts";
import type { Context } from "./context.ts";
import sbom from "./sbom.json" with { type: "json" };

function buildLines(): string[] {
  const inputs = buildInputs();
  if (inputs === undefined) return ["built from source: running from its checkout"];
  const { form, commit, lockSha256, runtime, runtimeSha256 } = inputs;
  return [
    `built as ${form} from commit ${commit}`,
    `built with ${runtime}${runtimeSha256 === undefined ? "" : `, sha256 ${runtimeSha256}`}`,
    `deno.lock sha256 ${lockSha256}`,
  ];
}

export function run(context: Context): Promise<number> {
  if (context.flags.has("sbom")) {
    context.stdout(`${JSON.stringify(sbom, undefined, 2)}\n`);
    return Promise.resolve(0);
  }
  const { version } = Deno;
  const conventions = SCHEMA_URL.slice(SCHEMA_URL.lastIndexOf("/") + 1);
  context.stdout(
    [
      `sonde ${VERSION}`,
      `deno ${version.deno}, v8 ${version.v8}`,
      `OpenTelemetry protocol 1.11, semantic conventions ${conventions}`,
      ...buildLines(),
      "",
    ].join("\n"),
  );
  return Promise.resolve(0);
}
