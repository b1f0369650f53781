/**
 * Builds what is published: `deno task release [--quick]`. dist/release/VERSION/ holds the program, deb, rpm, installer,
 * bill of materials, licences and SHA256SUMS over all of them; signing is a step of its own, where the key is:
 * `ssh-keygen -Y sign -f KEY -n sonde SHA256SUMS`. Needs dpkg-deb and rpmbuild beside npm. Quick means uncompressed
 * packages, for tests.
 * @module
 */
import { OUT } from "../bundle.ts";
import { print, root, run, say } from "../terminal.ts";
import { buildDeb } from "./deb.ts";
import { buildRpm } from "./rpm.ts";
import { sha256 } from "./runtime.ts";
import { isBillCurrent, SBOM_PATH } from "./sbom.ts";
import { licences, packageVersion, PROGRAM } from "./tree.ts";

/** One line per file, as sha256sum prints it, in order of names. */
async function sums(folder: string): Promise<string> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  const lines: string[] = [];
  for (const name of names.sort()) {
    lines.push(`${await sha256(await Deno.readFile(`${folder}/${name}`))}  ${name}\n`);
  }
  return lines.join("");
}

/** Everything but the sums, in a folder made anew. */
async function fill(folder: string, isQuick: boolean): Promise<void> {
  const version = await packageVersion();
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder, { recursive: true });
  await Deno.copyFile(`${root}/${PROGRAM}`, `${folder}/sonde-${version}-linux-x64`);
  for (const path of [await buildDeb(isQuick ? "none" : "xz"), await buildRpm(isQuick)]) {
    await Deno.rename(`${root}/${path}`, `${folder}/${path.slice(path.lastIndexOf("/") + 1)}`);
  }
  await Deno.copyFile(`${root}/scripts/package/install.sh`, `${folder}/install.sh`);
  await Deno.copyFile(`${root}/${SBOM_PATH}`, `${folder}/sonde-${version}.cdx.json`);
  await Deno.writeTextFile(`${folder}/LICENCES`, await licences());
}

async function main(): Promise<number> {
  if (!await isBillCurrent()) {
    say(`Cannot release: ${SBOM_PATH} does not describe this tree, write it with deno task sbom`);
    return 1;
  }
  const built = await run(Deno.execPath(), ["run", "-A", "scripts/portable.ts"]);
  if (built.code !== 0) {
    say(built.stdout + built.stderr);
    return built.code;
  }
  const version = await packageVersion();
  const folder = `${root}/${OUT}/release/${version}`;
  await fill(folder, Deno.args.includes("--quick"));
  const text = await sums(folder);
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, text);
  print(text.trimEnd());
  say(`Sign it: cd ${OUT}/release/${version} && ssh-keygen -Y sign -f KEY -n sonde SHA256SUMS`);
  return 0;
}

if (import.meta.main) Deno.exit(await main());
