/**
 * Builds dist/sonde-portable: `deno task portable`. One executable file, made with npm alone: the pinned Deno runtime,
 * the bundles behind it, and a few instructions that start the one with the other. Nothing is unpacked when it runs, so
 * it needs no writable, executable or trusted folder. The same tree gives the same bytes.
 *
 * The file, front to back: the runtime; main and workers as JavaScript; from the next page on the segment with the
 * first instructions and their strings, among them the loader, a module of a few lines that finds the parts by offset.
 * @module
 */
import { bundle, bundlePath, OUT, printSizes, RUNTIME_ENV, V8_FLAGS } from "./bundle.ts";
import { ROOTS } from "./layout_table.ts";
import { aligned, Elf, PAGE } from "./package/elf.ts";
import { launchCode } from "./package/launch_code.ts";
import { RUNTIME, runtimeBytes, sha256 } from "./package/runtime.ts";
import { isBillCurrent, SBOM_PATH } from "./package/sbom.ts";
import { print, root, say } from "./terminal.ts";

const BINARY = `${OUT}/sonde-portable`;

/**
 * The runtime's arguments: what the tasks in deno.json pass, and nothing that a stranger left in the working folder
 * (deno.json, package.json, lock file, node_modules) is looked at.
 */
const ARGS = [
  ...["run", "-A", "--no-prompt", V8_FLAGS],
  ...["--unstable-worker-options", "--unstable-net"],
  ...["--no-config", "--no-lock", "--no-npm", "--no-remote", "--no-code-cache", "--node-modules-dir=none"],
];

const ENVIRONMENT: Readonly<Record<string, string>> = {
  ...RUNTIME_ENV,
  DENO_NO_PACKAGE_JSON: "1",
  // A folder that cannot be: the runtime then keeps its caches in memory and leaves nothing in anybody's home.
  DENO_DIR: "/dev/null/deno",
  // On a terminal it would tell of that.
  DENO_LOG: "info,deno::cache=off",
};

/** What programs that sonde starts get as it was. */
const RESTORED = ["DENO_DIR", "DENO_LOG", "DENO_NO_PACKAGE_JSON"];

/** Switches that would write TLS keys to a file, start another exporter, bring the JIT back, or log every access. */
const UNSET = ["SSLKEYLOGFILE", "OTEL_DENO", "DENO_V8_FLAGS", "DENO_AUDIT_PERMISSIONS"];

/**
 * What MALLOC_ARENA_MAX and MALLOC_MMAP_THRESHOLD_ do in the tasks of deno.json, by malloc.h's numbers: the two
 * isolates have an arena each and share it with the few other threads, and large blocks go back to the system when they
 * are freed. One arena for all would make the isolates wait for each other at the start.
 */
const MALLOPT = [[-8, 2], [-3, 65_536]] as const;

/** A part of the file. */
interface Part {
  readonly name: string;
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Main and workers, one behind the other, from `offset` on. Names: "main", "courier", "receiver". */
async function readParts(offset: number): Promise<Part[]> {
  const parts: Part[] = [];
  for (const path of ROOTS) {
    const bytes = await Deno.readFile(`${root}/${bundlePath(path)}`);
    parts.push({ name: path.replace(/^.*\/|\.ts$/g, ""), offset, bytes });
    offset += bytes.length;
  }
  return parts;
}

/**
 * How a part is evaluated, in main and in workers: as a function in the manner of CommonJS. As a module, the runtime
 * would parse it twice at every start and keep the result. The bundler moves imports that are made when asked for to the
 * start of the part; those of the runtime's slow modules are put off again until something of them is used. A module that
 * is not there throws, as packages expect that try for a faster one of native code.
 */
const EVALUATE = `
const slow = ["node:crypto", "node:dns/promises", "node:https", "node:tls"];
const deferred = (name) => new Proxy({}, {
  get: (_, key) => process.getBuiltinModule(name)[key],
  has: (_, key) => key in process.getBuiltinModule(name),
  ownKeys: () => Reflect.ownKeys(process.getBuiltinModule(name)),
  getOwnPropertyDescriptor: (_, key) => ({ value: process.getBuiltinModule(name)[key], configurable: true, enumerable: true }),
});
function require(name) {
  const found = slow.includes(name) ? deferred(name) : process.getBuiltinModule(name);
  if (found === undefined) throw new Error('Cannot load module "' + name + '": it is not inside');
  return found;
}
function evaluate(text) {
  const module = { exports: {} };
  (0, eval)(text)(module.exports, module, require);
  return module.exports;
}
`;

/**
 * The module that the runtime is started with, as a URL. It evaluates main and calls it; workers become loadable when
 * main asks for them (commands/workers.ts). What only the runtime needed in its environment is put back as it was for
 * programs that sonde starts; the first environment still lies where the kernel put it.
 */
function loaderUrl(parts: readonly Part[]): string {
  const table = Object.fromEntries(parts.map(({ name, offset, bytes }) => [name, [offset, bytes.length]]));
  const source = `${EVALUATE}
const table = ${JSON.stringify(table)};
function read(name) {
  const [offset, length] = table[name];
  const bytes = new Uint8Array(length);
  const file = Deno.openSync("/proc/self/exe");
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let done = 0; done < length;) {
    const count = file.readSync(bytes.subarray(done));
    if (count === null) throw new Error("Cannot start sonde: its file is cut short, expected " + name);
    done += count;
  }
  file.close();
  const text = new TextDecoder().decode(bytes);
  return "(function(exports,module,require){" + text + "\\n})\\n//# sourceURL=sonde:" + name;
}
const urlOf = (text, type) => URL.createObjectURL(new Blob([text], { type }));
globalThis[Symbol.for("sonde.part")] = (name) => {
  const text = urlOf(JSON.stringify(read(name)), "application/json");
  const code = 'import text from "' + text + '" with { type: "json" };' + ${
    JSON.stringify(EVALUATE)
  } + "evaluate(text);";
  return urlOf(code, "text/javascript");
};
const before = new TextDecoder().decode(Deno.readFileSync("/proc/self/environ")).split("\\0");
for (const name of ${JSON.stringify(RESTORED)}) {
  const line = before.find((each) => each.startsWith(name + "="));
  if (line === undefined) Deno.env.delete(name);
  else Deno.env.set(name, line.slice(name.length + 1));
}
await evaluate(read("main")).main();
`;
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** The whole file. */
function assemble(runtime: Uint8Array<ArrayBuffer>, parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const end = parts.reduce((_, { offset, bytes }) => offset + bytes.length, runtime.length);
  const elf = new Elf(runtime);
  const slots = elf.imports(["setenv", "unsetenv", "dlsym"]);
  const code = launchCode({
    address: elf.freeAddress,
    entry: elf.entry,
    setenvSlot: slots.get("setenv") ?? 0,
    unsetenvSlot: slots.get("unsetenv") ?? 0,
    dlsymSlot: slots.get("dlsym") ?? 0,
    mallopt: MALLOPT,
    set: ENVIRONMENT,
    unset: UNSET,
    args: [...ARGS, loaderUrl(parts)],
  });
  const offset = aligned(end, PAGE);
  elf.startAt(offset, code.length);
  const file = new Uint8Array(offset + code.length);
  file.set(runtime);
  for (const part of parts) file.set(part.bytes, part.offset);
  file.set(code, offset);
  return file;
}

async function main(): Promise<number> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    say(`Cannot build ${BINARY} on ${Deno.build.target}: only the x86-64 runtime for Linux is pinned`);
    return 69;
  }
  if (!await isBillCurrent()) say(`${SBOM_PATH} does not describe this tree: deno task sbom writes it anew`);
  const isWithin = printSizes(await bundle("portable", RUNTIME.sha256));
  const runtime = await runtimeBytes();
  const file = assemble(runtime, await readParts(runtime.length));
  // Aside and renamed: a running sonde-portable keeps its file.
  await Deno.writeFile(`${root}/${BINARY}.new`, file, { mode: 0o755 });
  await Deno.rename(`${root}/${BINARY}.new`, `${root}/${BINARY}`);
  print(`${BINARY}  ${file.length} bytes, sha256 ${await sha256(file)}`);
  return isWithin ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
