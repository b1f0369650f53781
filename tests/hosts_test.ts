/**
 * Whole hosts: every collector over every shape, as tests/fixtures/hosts/<shape>/expected.txt says. The trees are
 * written there too, for `sonde once --root tests/fixtures/hosts/<shape>/t1 --previous …/t0`; large ones are made
 * when they are needed. `deno test -A tests/hosts_test.ts -- --update` rewrites both.
 */
import { assert, assertEquals } from "@std/assert";
import type { Collector } from "../collectors/collector.ts";
import { collectors } from "../collectors/registry.ts";
import { EDGE_HOSTS } from "./edge_shapes.ts";
import { hostOf, readTree, type Recording, recordingText, type Tree, treeOf, turn } from "./fixture_host.ts";
import { type HostShape, MACHINES } from "./host_shapes.ts";
import type { Moment } from "./kernel_text.ts";
import { inFolder } from "./program.ts";
import { printed, writeTexts } from "./root_tree.ts";

const ROOT = new URL("./fixtures/hosts", import.meta.url).pathname;
const SHAPES = [...MACHINES, ...EDGE_HOSTS];
const isUpdate = Deno.args.includes("--update");

function made(shape: HostShape, t: Moment): Tree {
  return { ...treeOf(shape.files(t), shape.facts), statfs: shape.statfs ?? {} };
}

/** Writes what the checkout keeps of a shape. */
function write(shape: HostShape): void {
  if (shape.isLarge) return;
  for (const t of [0, 1] as const) {
    const entries = Object.entries(shape.files(t)).map(([path, text]) => [path.slice(1), text] as const);
    writeTexts(`${ROOT}/${shape.name}/t${t}`, Object.fromEntries(entries));
  }
}

/** A shape at both moments: from the checkout, or made here. */
function trees(shape: HostShape): readonly [Tree, Tree] {
  if (shape.isLarge) return [made(shape, 0), made(shape, 1)];
  const read = (t: Moment): Tree => {
    const { facts, statfs } = made(shape, t);
    return { ...readTree(`${ROOT}/${shape.name}/t${t}`), facts, statfs };
  };
  return [read(0), read(1)];
}

const CLOCK = { uptime: 3600.5, monotonicMs: 1_000_000 };

/** All collectors at the second moment; the sensors that block are given up quickly. */
async function collect(shape: HostShape): Promise<readonly (readonly [Collector, Recording])[]> {
  const [first, second] = trees(shape);
  const recordings: (readonly [Collector, Recording])[] = [];
  for (const collector of collectors({ statfsLimitMs: 20 }).filter(({ name }) => name !== "process_table")) {
    const prepared = collector.prepare(hostOf(first));
    await turn(prepared, first, CLOCK);
    const sleptSeconds = shape.name === "laptop" ? 3600 : 0;
    const later = { uptime: CLOCK.uptime + 10 + sleptSeconds, monotonicMs: CLOCK.monotonicMs + 10_000 };
    recordings.push([collector, await turn(prepared, second, later)]);
  }
  return recordings;
}

for (const shape of SHAPES) {
  Deno.test(`collectors read the host ${shape.name} as expected.txt says`, async () => {
    if (isUpdate) write(shape);
    const recordings = await collect(shape);
    const found = recordings.map(([{ name }, recording]) => {
      // The other namings' own points would be a line per CPU and mode; naming has tests of its own.
      const others = recording.points.filter(({ series }) => series.namings?.includes("semconv") === false);
      for (const point of others) recording.points.splice(recording.points.indexOf(point), 1);
      const text = recordingText(recording);
      return text === "" ? "" : `## ${name}\n${text}`;
    }).join("");
    const path = `${ROOT}/${shape.name}/expected.txt`;
    if (isUpdate) writeTexts(ROOT, { [`${shape.name}/expected.txt`]: found });
    assertEquals(found, Deno.readTextFileSync(path));
  });
}

Deno.test("all shapes of host-metrics 4 are there", () => {
  const wanted = [
    ...["vm1", "numa128", "cpu512gap", "kvmhost", "docker", "hostfs", "lxcfs", "pi3-32", "pi5-16k", "el7"],
    ...["el6ish", "noswap", "manyswap", "nodisk", "nfsdead", "weird", "laptop", "xen"],
  ];
  assertEquals(SHAPES.map(({ name }) => name).sort(), wanted.sort());
});

Deno.test("modes of CPU time add up to elapsed time x CPUs on every host, within 2 %", async () => {
  for (const shape of SHAPES) {
    const [first, second] = trees(shape);
    const prepared = collectors().find(({ name }) => name === "cpu")?.prepare(hostOf(first));
    assert(prepared !== undefined);
    const sum = (recording: Recording) =>
      recording.points.filter(({ series }) =>
        series.descriptor.name === "system.cpu.time" && series.namings?.includes("semconv")
      ).reduce((total, { value }) => total + Number(value), 0);
    const cpus = (await turn(prepared, second)).points.find(({ series }) =>
      series.descriptor.name === "system.cpu.logical.count"
    )?.value;
    const passed = sum(await turn(prepared, second)) - sum(await turn(prepared, first));
    const share = passed / (10 * Number(cpus));
    assert(Math.abs(share - 1) < 0.02, `${shape.name}: ${passed} s on ${cpus} CPUs in 10 s`);
  }
});

Deno.test("states of a file system add up to its limit on every host", async () => {
  for (const shape of SHAPES) {
    const recording = (await collect(shape)).find(([{ name }]) => name === "filesystem")?.[1];
    const sums = new Map<unknown, number>();
    for (const { series, value } of recording?.points ?? []) {
      const sign = { "system.filesystem.usage": 1, "system.filesystem.limit": -1 }[series.descriptor.name];
      const at = series.attributes["system.filesystem.mountpoint"];
      if (sign !== undefined) sums.set(at, (sums.get(at) ?? 0) + sign * Number(value));
    }
    for (const [at, sum] of sums) assertEquals(sum, 0, `${shape.name} ${at}`);
  }
});

Deno.test("once --root gives every kept host the same points in the same order, twice", () =>
  inFolder(async (folder) => {
    for (const shape of SHAPES.filter(({ isLarge }) => isLarge !== true)) {
      const root = `${ROOT}/${shape.name}`;
      const look = async () => {
        const { points } = await printed(folder, ["--root", `${root}/t1`, "--previous", `${root}/t0`]);
        // Where a recording's mounts lie, this machine's disk is, and that one changes.
        return points.filter(({ name }) => !/^(sonde|system\.filesystem)\./.test(name))
          .map(({ name, attributes, value }) => `${name} ${JSON.stringify(attributes)} ${value}`);
      };
      const once = await look();
      assert(once.length > 40, `${shape.name}: ${once.length} points`);
      assertEquals(await look(), once, shape.name);
    }
  }));
