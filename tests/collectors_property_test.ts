/**
 * What holds for every collector whatever the kernel's text: a file cut at any byte or changed anywhere neither
 * breaks it nor makes it say a wrong number, and the same host always gives the same points in the same order.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Collector } from "../collectors/collector.ts";
import { type CollectorOptions, collectors } from "../collectors/registry.ts";
import { hostOf, pointText, readJson, readTree, type Recording, type Tree, turn } from "./fixture_host.ts";

const ROOT = new URL("./fixtures/collectors", import.meta.url).pathname;
const folders = (path: string): string[] =>
  [...Deno.readDirSync(path)].filter((entry) => entry.isDirectory).map((entry) => entry.name).sort();

/**
 * Figures that are a number or a sum of lines, in files that nothing closes: one cut between two lines cannot be told from
 * a shorter table. The reader goes to the end of the file, so this does not happen to it.
 */
const COUNTED = [
  "system.network.connection.count",
  "sonde.filesystem.stuck",
  ...["read_bytes", "write_bytes", "reads", "writes"].map((name) => `heka_disk_${name}_total{}`),
];
const isCounted = (point: string): boolean => COUNTED.some((name) => point.startsWith(name));
/** Tells softnet how many lines to expect; without it any number of lines is believed. */
const EXPECTATION = "/sys/devices/system/cpu/online";

/** Cuts tried per file; every position of short files. */
const CUTS = 120;

/** A fixture case of one reading with its collector, made anew for each try. */
interface Case {
  readonly title: string;
  readonly tree: Tree;
  readonly make: () => Collector;
}

function casesOf(collector: string): Case[] {
  const path = `${ROOT}/${collector}`;
  return folders(path).filter((name) => !folders(`${path}/${name}`).includes("t0")).map((name) => {
    const options = readJson<CollectorOptions>(`${path}/${name}/options.json`) ?? {};
    const make = (): Collector => {
      const found = collectors(options).find((one) => one.name === collector);
      assert(found !== undefined);
      return found;
    };
    return { title: `${collector}/${name}`, tree: readTree(`${path}/${name}`), make };
  });
}

const textsOf = (recording: Recording): string[] =>
  recording.points.map(({ series, value }) => pointText(series, value));

/** Collects a tree in which one file has another text; what is looked up at start is the whole tree. */
function withText({ tree, make }: Case, path: string, text: string): Promise<Recording> {
  const prepared = make().prepare(hostOf(tree));
  return turn(prepared, { ...tree, files: new Map(tree.files).set(path, text) });
}

function filesOf({ tree, make }: Case): string[] {
  const prepared = make().prepare(hostOf(tree));
  return [...prepared.files, ...prepared.slowFiles ?? []].filter((path) => tree.files.has(path));
}

const CASES = folders(ROOT).flatMap(casesOf);

Deno.test("every collector gives the same points in the same order for the same host", async () => {
  for (const { title, tree, make } of CASES) {
    const [once, again] = [
      await turn(make().prepare(hostOf(tree)), tree),
      await turn(make().prepare(hostOf(tree)), tree),
    ];
    assertEquals(textsOf(once), textsOf(again), title);
  }
});

Deno.test("every collector says a right number or none when a file is cut at any byte", async () => {
  for (const one of CASES) {
    const whole = new Set(textsOf(await turn(one.make().prepare(hostOf(one.tree)), one.tree)));
    for (const path of filesOf(one).filter((path) => path !== EXPECTATION)) {
      const text = one.tree.files.get(path) ?? "";
      const cuts = text.length <= CUTS
        ? Array.from({ length: text.length }, (_, at) => at)
        : fc.sample(fc.nat(text.length - 1), { numRuns: CUTS, seed: 1 });
      for (const at of cuts) {
        const found = textsOf(await withText(one, path, text.slice(0, at)));
        const wrong = found.filter((point) => !whole.has(point) && !isCounted(point));
        assertEquals(wrong, [], `${one.title}: ${path} cut at ${at} of ${text.length}`);
      }
    }
  }
});

Deno.test("no collector throws or gives a number that is none, whatever a file's text is", async () => {
  const garbage = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "\n", "0", "-1\n", "\0\0", "1e9 NaN\n"),
  );
  const change = fc.tuple(fc.nat(), fc.nat(12), garbage);
  for (const one of CASES) {
    for (const path of filesOf(one)) {
      const text = one.tree.files.get(path) ?? "";
      await fc.assert(
        fc.asyncProperty(change, async ([position, length, junk]) => {
          const at = position % (text.length + 1);
          const recording = await withText(one, path, text.slice(0, at) + junk + text.slice(at + length));
          for (const { series, value } of recording.points) {
            const isNumber = typeof value === "bigint" || Number.isFinite(value);
            const isMonotonic = series.descriptor.kind === "sum" && series.descriptor.monotonic;
            assert(isNumber && !(isMonotonic && value < 0), pointText(series, value));
          }
        }),
        { numRuns: 15, seed: 1 },
      );
    }
  }
});
