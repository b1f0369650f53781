/**
 * Builds dist/sonde_VERSION_amd64.deb with Debian's dpkg-deb: `deno task deb [--quick]`. Quick means uncompressed, for
 * tests. Configuration is no conffile: it is made once by the first installation, so an upgrade never asks about it.
 * @module
 */
import { OUT } from "../bundle.ts";
import { print, root, run } from "../terminal.ts";
import { DESCRIPTION, packageVersion, sourceDateEpoch, stage } from "./tree.ts";

const SCRIPTS = ["postinst", "prerm", "postrm"] as const;

/** Fields of deb-control(5); the size is in KiB. */
function control(version: string, sizeKiB: number): string {
  return `Package: sonde
Version: ${version}
Architecture: amd64
Maintainer: sonde maintainers <maintainers@sonde.invalid>
Installed-Size: ${sizeKiB}
Depends: libc6 (>= 2.27), libgcc-s1 | libgcc1
Recommends: ca-certificates
Section: admin
Priority: optional
Description: telemetry agent for Linux hosts
${DESCRIPTION.replaceAll(/^/gm, " ")}
`;
}

async function folderKiB(folder: string): Promise<number> {
  const { stdout } = await run("du", ["-sk", "--apparent-size", folder]);
  return Number.parseInt(stdout, 10);
}

/** Builds the package; its path relative to the checkout. `compression` as dpkg-deb's -Z takes it. */
export async function buildDeb(
  compression: "xz" | "none",
  { version, to }: { readonly version?: string; readonly to?: string } = {},
): Promise<string> {
  const folder = `${root}/${OUT}/deb`;
  await stage(folder);
  const sizeKiB = await folderKiB(folder);
  await Deno.mkdir(`${folder}/DEBIAN`, { mode: 0o755 });
  const named = version ?? await packageVersion();
  await Deno.writeTextFile(`${folder}/DEBIAN/control`, control(named, sizeKiB));
  for (const name of SCRIPTS) {
    await Deno.copyFile(`${root}/scripts/package/${name}.sh`, `${folder}/DEBIAN/${name}`);
    await Deno.chmod(`${folder}/DEBIAN/${name}`, 0o755);
  }
  const path = to ?? `${OUT}/sonde_${named}_amd64.deb`;
  // One thread: xz cuts its blocks by their number, and the bytes would be the machine's.
  const ended = await run("dpkg-deb", [
    ...["--root-owner-group", "--threads-max=1", `-Z${compression}`, "--build", folder, path],
  ], { env: { SOURCE_DATE_EPOCH: String(await sourceDateEpoch()) } });
  await Deno.remove(folder, { recursive: true });
  if (ended.code !== 0) throw new Error(`Cannot build "${path}":\n${ended.stderr}`);
  return path;
}

if (import.meta.main) print(await buildDeb(Deno.args.includes("--quick") ? "none" : "xz"));
