/**
 * Regenerates proto_gen from pinned .proto files: `deno task gen`. With `--check` it generates aside and fails on a
 * difference; where Maven or npm cannot be reached it compares the committed sums instead, and says so.
 * The definitions come from a Maven artifact whose checksum is verified, through buf and protoc-gen-es; the table of
 * OTLP's fields comes from what that gives.
 * @module
 */
import { basename, dirname, join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { opampDescriptors } from "./opamp_definitions.ts";
import { OTLP_FIELDS_FILE, otlpFieldsText } from "./otlp_fields.ts";
import { sha256 } from "./package/runtime.ts";
import { run, say } from "./terminal.ts";

/** Definitions of one protocol and the folder their TypeScript goes to. */
interface DefinitionSet {
  /** Below proto_gen. */
  readonly folder: string;
  /** Puts the definitions into an empty folder; resolves with the name there of what buf shall read. */
  readonly prepare: (scratch: string) => Promise<string>;
}

/** .proto files in a Maven artifact. */
interface Jar {
  /** Maven coordinates, group:artifact:version. */
  readonly artifact: string;
  readonly sha256: string;
  /** Paths inside the jar. Base names are unique: the output is flat. */
  readonly protos: readonly string[];
}

const OTLP = "opentelemetry/proto";

const OTLP_JAR: Jar = {
  artifact: "io.opentelemetry.proto:opentelemetry-proto:1.11.0-alpha",
  sha256: "a5f47de1368ca82aec597e74d0be6969763707483da6672471d703d454d65b5b",
  protos: [
    `${OTLP}/common/v1/common.proto`,
    `${OTLP}/resource/v1/resource.proto`,
    `${OTLP}/metrics/v1/metrics.proto`,
    `${OTLP}/logs/v1/logs.proto`,
    `${OTLP}/trace/v1/trace.proto`,
    `${OTLP}/collector/metrics/v1/metrics_service.proto`,
    `${OTLP}/collector/logs/v1/logs_service.proto`,
    `${OTLP}/collector/trace/v1/trace_service.proto`,
  ],
};

const SETS: readonly DefinitionSet[] = [
  { folder: ".", prepare: (scratch) => unpackJar(OTLP_JAR, scratch) },
  { folder: "opamp", prepare: (scratch) => opampDescriptors(scratch, call) },
];

const BUF = "@bufbuild/buf@1.75.0";
const PLUGIN = "npm:@bufbuild/protoc-gen-es@2.17.0";
const MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";
const SUMS = "SHA256SUMS";
const PROTO_GEN = join(import.meta.dirname ?? ".", "..", "proto_gen");

/** A program or registry is missing: the one fault that `--check` may work around. */
class UnavailableError extends Error {}

/** Runs a program to its end; its output is shown only when it fails. */
async function call(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { code, stdout, stderr } = await run(command, args, { cwd }).catch((cause: unknown) => {
    throw new UnavailableError(`Cannot run "${command}": not found`, { cause });
  });
  if (code === 0) return;
  throw new UnavailableError(`Cannot run "${command}": exit code ${code}\n${(stdout + stderr).slice(-2000)}`);
}

/** The jar's bytes, from the cache or Maven, with its checksum verified. */
async function fetchJar(jar: Jar, scratch: string): Promise<Uint8Array<ArrayBuffer>> {
  const cache = join(cacheFolder(), "proto");
  const cached = join(cache, `${jar.sha256}.jar`);
  try {
    const bytes = await Deno.readFile(cached);
    if (await sha256(bytes) === jar.sha256) return bytes;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const options = [
    `-Dartifact=${jar.artifact}:jar`,
    `-DoutputDirectory=${scratch}`,
    "-Dmdep.stripVersion=true",
  ];
  await call("mvn", ["-q", "-B", `${MAVEN_PLUGIN}:copy`, ...options], scratch);
  const name = jar.artifact.split(":")[1] ?? "";
  const bytes = await Deno.readFile(join(scratch, `${name}.jar`));
  const found = await sha256(bytes);
  if (found !== jar.sha256) {
    throw new RangeError(`Cannot use "${jar.artifact}": sha256 is ${found}, expected ${jar.sha256}`);
  }
  await Deno.mkdir(cache, { recursive: true });
  await Deno.writeFile(cached, bytes);
  return bytes;
}

function cacheFolder(): string {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? ".", ".cache");
  return join(home, "sonde");
}

/** Reads named files of a zip archive by its central directory (no zip64, which no jar here needs). */
function unzip(bytes: Uint8Array<ArrayBuffer>, wanted: readonly string[]): Map<string, string> {
  const view = new DataView(bytes.buffer);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new SyntaxError("Cannot read the jar: no end record, expected a zip archive");
  const files = new Map<string, string>();
  let entry = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    const nameLength = view.getUint16(entry + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(entry + 46, entry + 46 + nameLength));
    if (wanted.includes(name)) files.set(name, zipEntry(bytes, view, entry));
    entry += 46 + nameLength + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
  const missing = wanted.filter((name) => !files.has(name));
  if (missing.length > 0) throw new RangeError(`Cannot read the jar: "${missing[0]}" is missing`);
  return files;
}

/** The text of the entry whose central header is at `entry`. */
function zipEntry(bytes: Uint8Array<ArrayBuffer>, view: DataView, entry: number): string {
  const local = view.getUint32(entry + 42, true);
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  const packed = bytes.subarray(start, start + view.getUint32(entry + 20, true));
  const isStored = view.getUint16(entry + 10, true) === 0;
  return new TextDecoder().decode(isStored ? packed : inflateRawSync(packed));
}

/** Lays the .proto files of a jar flat into a folder, so that imports from our code stay short. */
async function unpackJar(jar: Jar, scratch: string): Promise<string> {
  const texts = unzip(await fetchJar(jar, scratch), jar.protos);
  const protos = join(scratch, "protos");
  await Deno.mkdir(protos);
  for (const [path, text] of texts) {
    const flat = text.replaceAll(/^import "(?:.*\/)?([^/"]+)";$/gm, 'import "$1";');
    await Deno.writeTextFile(join(protos, basename(path)), flat);
  }
  return "protos";
}

/** Generates one set into `out`. */
async function generate(set: DefinitionSet, out: string): Promise<void> {
  const scratch = await Deno.makeTempDir({ prefix: "sonde-gen-" });
  try {
    const definitions = await set.prepare(scratch);
    const plugin = {
      local: ["deno", "run", "-A", "-q", "--no-config", PLUGIN],
      out,
      opt: ["target=ts", "import_extension=ts"],
    };
    const template = JSON.stringify({ version: "v2", plugins: [plugin] });
    const buf = ["-y", "--ignore-scripts", `--package=${BUF}`, "buf", "generate", "--template", template];
    await call("npx", [...buf, definitions], scratch);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Every generated file below a folder, by its path there. */
async function generated(folder: string, below = ""): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for await (const entry of Deno.readDir(join(folder, below))) {
    const path = join(below, entry.name);
    if (entry.isDirectory) {
      for (const [name, bytes] of await generated(folder, path)) files.set(name, bytes);
    } else if (entry.name.endsWith(".ts")) files.set(path, await Deno.readFile(join(folder, path)));
  }
  return files;
}

/** Text of SHA256SUMS for a set of files, in the form `sha256sum -c` reads. */
async function sumsText(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<string> {
  const lines: string[] = [];
  for (const path of [...files.keys()].sort()) {
    lines.push(`${await sha256(files.get(path) ?? new Uint8Array())}  ${path}\n`);
  }
  return lines.join("");
}

/** OTLP's generated modules in a folder, by name. */
async function otlpModules(folder: string): Promise<Map<string, string>> {
  const names = OTLP_JAR.protos.map((path) => basename(path, ".proto") + "_pb.ts").sort();
  const texts = names.map(async (name) => [name, await Deno.readTextFile(join(folder, name))] as const);
  return new Map(await Promise.all(texts));
}

/** Generates every set into `folder`, table and sums included. */
async function generateAll(folder: string): Promise<void> {
  for (const set of SETS) await generate(set, join(folder, set.folder));
  await Deno.writeTextFile(join(folder, OTLP_FIELDS_FILE), otlpFieldsText(await otlpModules(folder)));
  await Deno.writeTextFile(join(folder, SUMS), await sumsText(await generated(folder)));
}

/** What differs between proto_gen and a fresh generation, or its own sums; one line each. */
async function findDifferences(): Promise<readonly string[]> {
  const committed = await Deno.readTextFile(join(PROTO_GEN, SUMS));
  const present = await sumsText(await generated(PROTO_GEN));
  if (present !== committed) return [`proto_gen does not match proto_gen/${SUMS}`];
  const scratch = await Deno.makeTempDir({ prefix: "sonde-gen-check-" });
  try {
    await generateAll(scratch);
    const fresh = await Deno.readTextFile(join(scratch, SUMS));
    return fresh === committed ? [] : ["proto_gen differs from what its definitions give"];
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    say(`gen: sums compared only, nothing was regenerated: ${error.message.split("\n")[0]}`);
    return [];
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Replaces proto_gen by a fresh generation. */
async function regenerate(): Promise<void> {
  const fresh = await Deno.makeTempDir({ dir: dirname(PROTO_GEN), prefix: ".proto_gen-" });
  try {
    await generateAll(fresh);
    await Deno.remove(PROTO_GEN, { recursive: true }).catch((error: unknown) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    await Deno.rename(fresh, PROTO_GEN);
    await Deno.chmod(PROTO_GEN, 0o755);
  } catch (error) {
    await Deno.remove(fresh, { recursive: true });
    throw error;
  }
}

/** Exit code of the script: 0 when proto_gen is current, 1 when it is not. */
async function main(args: readonly string[]): Promise<number> {
  if (!args.includes("--check")) {
    await regenerate();
    return 0;
  }
  const differences = await findDifferences();
  for (const difference of differences) say(`gen: ${difference}; run "deno task gen"`);
  return differences.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
