/**
 * What a package puts where, and the folder it is packed from. Deb, rpm and the container's root filesystem share these
 * rows. All times are the commit's and all owners root, so that the same tree gives the same package.
 * @module
 */
import { root, run } from "../terminal.ts";
import { packagesInside, SBOM_PATH } from "./sbom.ts";

/** The executable that is packed, relative to the checkout. */
export const PROGRAM = "dist/sonde-portable";

/** What package lists say, in lines of at most 80 characters. */
export const DESCRIPTION = `Reads the kernel's own files, turns them into OpenTelemetry data and delivers it
to any OTLP/HTTP backend, through outages. After its start it holds no
permission to open, write, run or connect to anything but its destination.`;

/** One file of the package. */
interface Row {
  /** On the target host, without the first slash. */
  readonly to: string;
  /** Relative to the checkout, or the text itself. */
  readonly from: string | { readonly text: string };
  readonly mode?: number;
}

const UNITS = "usr/lib/systemd/system";
const SHARE = "usr/share/sonde";
const DOC = "usr/share/doc/sonde";

/** The commented example, with every key off: a destination is the operator's to choose. */
async function exampleConfig(): Promise<string> {
  const { code, stdout, stderr } = await run(`${root}/${PROGRAM}`, ["config", "example"]);
  if (code !== 0) throw new Error(`Cannot make the example configuration:\n${stderr}`);
  return stdout.replaceAll(/^(?=[A-Z])/gm, "#");
}

/** Licences of everything inside: ours, the runtime's, and those of the npm packages with their texts. */
export async function licences(): Promise<string> {
  const { version } = JSON.parse(await Deno.readTextFile(`${root}/deno.json`));
  const own = await Deno.readTextFile(`${root}/LICENSE`);
  const parts = [`sonde ${version}: Apache-2.0\n\n${own}`];
  parts.push("Deno, the runtime: MIT. Copyright the Deno authors. V8 inside it: BSD-3-Clause.\n");
  for (const { name, version, licence, folder } of await packagesInside()) {
    const text = await Deno.readTextFile(`${folder}/LICENSE`).catch(() =>
      "The package carries no text beside this expression.\n"
    );
    parts.push(`${name} ${version}: ${licence}\n\n${text}`);
  }
  return parts.join(`\n${"-".repeat(78)}\n\n`);
}

async function rows(): Promise<Row[]> {
  const packaged = (name: string) => `scripts/package/${name}`;
  return [
    { to: "usr/bin/sonde", from: PROGRAM, mode: 0o755 },
    ...["sonde.service", "sonde-once.service", "sonde-once.timer"]
      .map((name) => ({ to: `${UNITS}/${name}`, from: packaged(name) })),
    { to: "usr/lib/sysusers.d/sonde.conf", from: packaged("sysusers.conf") },
    { to: "usr/lib/tmpfiles.d/sonde.conf", from: packaged("tmpfiles.conf") },
    { to: `${SHARE}/steps.sh`, from: packaged("steps.sh"), mode: 0o755 },
    { to: `${SHARE}/jitless.conf`, from: packaged("jitless.conf") },
    { to: `${SHARE}/sonde.env`, from: { text: await exampleConfig() } },
    { to: `${DOC}/README.md`, from: "README.md" },
    { to: `${DOC}/cron.d`, from: packaged("cron.d") },
    { to: `${DOC}/sbom.json`, from: SBOM_PATH },
    { to: `${DOC}/copyright`, from: { text: await licences() } },
  ];
}

/** Seconds since 1970 that stand in packages: the commit's time, or 1980 outside a checkout. */
export async function sourceDateEpoch(): Promise<number> {
  const given = Number(Deno.env.get("SOURCE_DATE_EPOCH"));
  if (Number.isInteger(given) && given > 0) return given;
  const ended = await run("git", ["-c", `safe.directory=${root}`, "log", "-1", "--format=%ct"])
    .catch(() => undefined);
  return ended?.code === 0 ? Number(ended.stdout) : 315_532_800;
}

/** Writes the files below `folder`, which is made anew. Throws when the program has not been built. */
export async function stage(folder: string): Promise<void> {
  if (!await Deno.stat(`${root}/${PROGRAM}`).then(({ isFile }) => isFile, () => false)) {
    throw new Error(`Cannot package "${PROGRAM}": it is not there, build it with deno task portable`);
  }
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  for (const { to, from, mode = 0o644 } of await rows()) {
    const path = `${folder}/${to}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o755 });
    if (typeof from === "string") await Deno.copyFile(`${root}/${from}`, path);
    else await Deno.writeTextFile(path, from.text);
    await Deno.chmod(path, mode);
  }
  await settle(folder, new Date(await sourceDateEpoch() * 1000));
}

/** Sets all times below a folder, innermost first. */
async function settle(folder: string, time: Date): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory) await settle(`${folder}/${entry.name}`, time);
    else await Deno.utime(`${folder}/${entry.name}`, time, time);
  }
  await Deno.chmod(folder, 0o755);
  await Deno.utime(folder, time, time);
}

/** This version, as packages spell it. */
export async function packageVersion(): Promise<string> {
  return JSON.parse(await Deno.readTextFile(`${root}/deno.json`)).version;
}
