/**
 * The README's recipes, followed in a copy of the checkout: a collector and a destination are one file, one line
 * and one folder or golden each; what else changes is generated.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../scripts/terminal.ts";
import { inFolder } from "./program.ts";

const ROOT = new URL("..", import.meta.url).pathname;

const COLLECTOR = `/**
 * Bits of entropy the kernel has for its random numbers (random(4)).
 *
 *     256
 * @module
 */
import type { Collector } from "./collector.ts";
import { type Descriptor, type Series, series } from "./metric.ts";
import { count, quote, wordAfter } from "./text.ts";

const AVAILABLE = "/proc/sys/kernel/random/entropy_avail";

const available: Descriptor = {
  name: "system.linux.entropy.available",
  kind: "gauge",
  unit: "bit",
  valueType: "int",
  description: "Entropy the kernel has for its random numbers",
  source: AVAILABLE,
};
const now: Series = series(available);

/** Entropy. */
export const entropy: Collector = {
  name: "entropy",
  descriptors: [available],
  prepare: (host) => ({
    files: [AVAILABLE].filter((path) => host.exists(path)),
    collect([text], out) {
      if (text === undefined) return;
      const bits = count(wordAfter(text, ""));
      if (bits === undefined) out.fault(\`Cannot parse "\${AVAILABLE}": \${quote(text)}\`);
      else out.add(now, bits);
    },
  }),
};
`;

const DESTINATION = `/**
 * Acme Cloud: one host and one key for all signals.
 * @module
 */
import { PLAIN_OTLP, type Preset } from "./preset.ts";

export const acme: Preset = {
  ...PLAIN_OTLP,
  name: "acme",
  summary: "Acme Cloud",
  docs: "https://acme.example/docs/otlp",
  endpoint: "https://otlp.acme.example",
  headers: { "x-acme-key": ["{key}"] },
  requires: ["API_KEY"],
  sample: { API_KEY: "sample-key" },
};
`;

/** What a checkout has beside its sources. */
const LEFT_OUT: ReadonlySet<string> = new Set([".git", "dist", "node_modules"]);

/** Every file below a folder, as `path` to text. */
function filesBelow(root: string, folder = ""): Map<string, string> {
  const files = new Map<string, string>();
  const latin1 = new TextDecoder("latin1");
  for (const { name, isDirectory, isFile } of Deno.readDirSync(root + folder)) {
    const path = `${folder}/${name}`;
    if (LEFT_OUT.has(name)) continue;
    if (isDirectory) filesBelow(root, path).forEach((text, below) => files.set(below, text));
    else if (isFile) files.set(path, latin1.decode(Deno.readFileSync(root + path)));
  }
  return files;
}

/** A copy of the checkout to try a recipe in. */
class Copy {
  readonly #path: string;
  readonly #before: ReadonlyMap<string, string>;

  constructor(path: string) {
    this.#path = path;
    this.#before = filesBelow(path);
  }

  read(path: string): string {
    return Deno.readTextFileSync(`${this.#path}/${path}`);
  }

  write(path: string, text: string): void {
    Deno.mkdirSync(`${this.#path}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    Deno.writeTextFileSync(`${this.#path}/${path}`, text);
  }

  /** A line in front of another one. */
  insert(path: string, line: string, before: string): void {
    const text = this.read(path);
    assertStringIncludes(text, before);
    this.write(path, text.replace(before, () => `${line}\n${before}`));
  }

  async deno(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(Deno.execPath(), args, { cwd: this.#path });
    assertEquals(code, 0, stdout + stderr);
    return stdout;
  }

  /** Files that are new or changed. */
  touched(): string[] {
    const now = filesBelow(this.#path);
    return [...now].filter(([path, text]) => this.#before.get(path) !== text).map(([path]) => path.slice(1))
      .sort();
  }
}

async function inCopy(test: (copy: Copy) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const entries = [...Deno.readDirSync(ROOT)].map(({ name }) => name).filter((name) => !LEFT_OUT.has(name));
    const { code, stderr } = await run("cp", ["-r", ...entries.map((name) => ROOT + name), folder]);
    assertEquals(code, 0, stderr);
    // What a change in progress has left behind is not the recipe's.
    await run(Deno.execPath(), ["run", "-A", "scripts/gen_docs.ts"], { cwd: folder });
    await test(new Copy(folder));
  });
}

Deno.test("a collector is one file, one line in the registry and one fixture folder", async () => {
  await inCopy(async (copy) => {
    copy.write("collectors/entropy.ts", COLLECTOR);
    copy.insert(
      "collectors/registry.ts",
      'import { entropy } from "./entropy.ts";',
      "import { fileHandles }",
    );
    copy.insert("collectors/registry.ts", "    entropy,", "    uptime,");
    const cases = { newer: "256\n", older: "3472\n", damaged: "many\n" };
    for (const [name, text] of Object.entries(cases)) {
      copy.write(`tests/fixtures/collectors/entropy/${name}/proc/sys/kernel/random/entropy_avail`, text);
    }
    await copy.deno("test", "-A", "--no-check", "tests/collectors_test.ts", "--", "--update");
    const expected = copy.read("tests/fixtures/collectors/entropy/newer/expected.txt");
    assertEquals(expected, "system.linux.entropy.available{} 256 bit gauge\n");
    await copy.deno("run", "-A", "scripts/gen_docs.ts");
    await copy.deno("test", "-A", "--no-check", "tests/collectors_test.ts", "tests/registry_test.ts");
    const explained = await copy.deno("run", "-A", "main.ts", "explain", "system.linux.entropy.available");
    assertStringIncludes(explained, "/proc/sys/kernel/random/entropy_avail");
    assertEquals(copy.touched(), [
      "collectors/entropy.ts",
      "collectors/registry.ts",
      "commands/metric_attributes.json",
      "docs/metrics.md",
      ...["damaged", "newer", "older"].flatMap((name) => [
        `tests/fixtures/collectors/entropy/${name}/expected.txt`,
        `tests/fixtures/collectors/entropy/${name}/proc/sys/kernel/random/entropy_avail`,
      ]),
    ]);
  });
});

Deno.test("a destination is one row, one line in the registry and one golden file", async () => {
  await inCopy(async (copy) => {
    copy.write("exporters/presets/acme.ts", DESTINATION);
    copy.insert("exporters/presets/registry.ts", 'import { acme } from "./acme.ts";', "import { axiom }");
    copy.insert("exporters/presets/registry.ts", "  acme,", "  axiom,");
    await copy.deno("test", "-A", "--no-check", "tests/presets_test.ts", "--", "--update");
    await copy.deno("run", "-A", "scripts/gen_docs.ts");
    await copy.deno(
      "test",
      "-A",
      "--no-check",
      "--filter",
      "acme",
      "tests/presets_test.ts",
      "tests/backends_test.ts",
    );
    assertStringIncludes(
      await copy.deno("run", "-A", "main.ts", "config", "example", "acme"),
      "SONDE_PRESET='acme'",
    );
    assertEquals(copy.touched(), [
      "README.md",
      "docs/destinations.md",
      "exporters/presets/acme.ts",
      "exporters/presets/registry.ts",
      "tests/fixtures/presets/acme.json",
    ]);
  });
});
