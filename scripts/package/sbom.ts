/**
 * The software bill of materials, CycloneDX 1.6: what the three bundles import, with versions and digests from
 * deno.lock, licences from the packages themselves, and the runtime. `deno task sbom` writes commands/sbom.json, which
 * `sonde version --sbom` prints; nothing is released while it is not current. No times and no random serial number: the
 * same tree gives the same text.
 * @module
 */
import { ROOTS } from "../layout_table.ts";
import { print, root, run } from "../terminal.ts";
import { RUNTIME } from "./runtime.ts";

/** Where the bill is kept, relative to the checkout. */
export const SBOM_PATH = "commands/sbom.json";

/** An npm package that is part of the program. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly licence: string;
  /** As in deno.lock: "sha512-" and base64. */
  readonly integrity: string;
  /** Its folder in the package cache. */
  readonly folder: string;
}

interface GraphInfo {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, { name: string; version: string; localPath: string }>>;
}

interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

async function graphOf(entry: string): Promise<GraphInfo> {
  const { code, stdout, stderr } = await run(Deno.execPath(), ["info", "--json", entry]);
  if (code !== 0) throw new Error(`Cannot list the imports of "${entry}":\n${stderr}`);
  return JSON.parse(stdout);
}

/** The npm packages that main and the workers import, in order of their names. */
export async function packagesInside(): Promise<Package[]> {
  const lock: Lock = JSON.parse(await Deno.readTextFile(`${root}/deno.lock`));
  const found = new Map<string, Package>();
  for (const entry of ROOTS) {
    const graph = await graphOf(entry);
    for (const { npmPackage: id } of graph.modules) {
      const known = id === undefined ? undefined : graph.npmPackages[id];
      // Types leave nothing in a bundle.
      if (id === undefined || known === undefined || known.name.startsWith("@types/")) continue;
      const { name, version, localPath: folder } = known;
      const { license }: { license: string } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
      const integrity = lock.npm[id]?.integrity ?? "";
      found.set(id, { name, version, licence: license.replace(/^\((.*)\)$/, "$1"), integrity, folder });
    }
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

function packageUrl(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function licencesOf(expression: string): readonly Record<string, unknown>[] {
  return [expression.includes(" ") ? { expression } : { license: { id: expression } }];
}

function libraryOf({ name, version, licence, integrity }: Package): Record<string, unknown> {
  const purl = packageUrl(name, version);
  const content = Uint8Array.fromBase64(integrity.replace("sha512-", "")).toHex();
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    hashes: [{ alg: "SHA-512", content }],
    licenses: licencesOf(licence),
    purl,
  };
}

function runtimeComponent(): Record<string, unknown> {
  const purl = packageUrl(RUNTIME.package, RUNTIME.version);
  return {
    type: "platform",
    "bom-ref": purl,
    name: RUNTIME.package,
    version: RUNTIME.version,
    description: "The Deno runtime; the digest is that of its program",
    hashes: [{ alg: "SHA-256", content: RUNTIME.sha256 }],
    licenses: licencesOf("MIT"),
    purl,
    components: [{
      type: "library",
      name: "v8",
      version: Deno.version.v8.replace(/-.*$/, ""),
      licenses: licencesOf("BSD-3-Clause"),
    }],
  };
}

/** The bill of this tree, as text. */
export async function billOfMaterials(): Promise<string> {
  const { version, license }: { version: string; license: string } = JSON.parse(
    await Deno.readTextFile(`${root}/deno.json`),
  );
  const components = [runtimeComponent(), ...(await packagesInside()).map(libraryOf)];
  const purl = `pkg:generic/sonde@${version}`;
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": purl,
        name: "sonde",
        version,
        licenses: licencesOf(license),
        purl,
      },
    },
    components,
    dependencies: [
      { ref: purl, dependsOn: components.map((component) => component["bom-ref"]) },
      ...components.map((component) => ({ ref: component["bom-ref"] })),
    ],
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

/** True when the committed bill is that of this tree. */
export async function isBillCurrent(): Promise<boolean> {
  return await Deno.readTextFile(`${root}/${SBOM_PATH}`) === await billOfMaterials();
}

if (import.meta.main) {
  await Deno.writeTextFile(`${root}/${SBOM_PATH}`, await billOfMaterials());
  print(SBOM_PATH);
}
