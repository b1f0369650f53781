/**
 * The bench's arithmetic and its probes: medians, ratios, what counts as worse, and what the kernel says of a process.
 * @module
 */
import { assert, assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import {
  besideOf,
  budgetsOf,
  type Figures,
  median,
  ratiosOf,
  toLean,
  worsened,
} from "../scripts/bench_figures.ts";
import { withFloor } from "../scripts/bench_floor.ts";
import { CpuMeter, parseSmapsRollup, readMemory, readUserSystem } from "../scripts/bench_proc.ts";

const figures: Figures = {
  points: 100,
  cycle: { cpuMs: 2, threads: { sonde: 2 }, readUs: 300, parseUs: 500, encodeUs: 200, compressUs: 250 },
  memory: { seconds: 30, rss: 49_152, pss: 40_000, private: 30_000, growth: 0 },
  wire: { bytesPerPoint: 14, requestBytes: 1_400 },
  startMs: 80,
  onceMs: 100,
  verbs: {
    help: { wallMs: 5, cpuMs: 5 },
    execAlone: { wallMs: 25, cpuMs: 26 },
    execBesideAgent: { wallMs: 45, cpuMs: 46 },
    execDelivering: { wallMs: 61, cpuMs: 66 },
  },
  bare: { ms: 40, rss: 32_768 },
  floor: { hotUs: 250, pacedUs: 500 },
};

Deno.test("median() takes the middle, of an even number the lower one", () => {
  assertEquals([median([3, 1, 2]), median([4, 1, 3, 2]), median([7])], [2, 2, 7]);
  assertThrows(() => median([]), RangeError, "Cannot take a median");
});

Deno.test("ratiosOf() divides by what the machine needs for nothing", () => {
  assertEquals(ratiosOf(figures), {
    readToFloor: 1.2,
    collectEncodeToFloor: 4,
    cycleToFloor: 4,
    startToBare: 2,
    onceToBare: 2.5,
    rssToBare: 1.5,
    bytesPerPoint: 14,
  });
});

Deno.test("ratiosOf() leaves out what needs the floor when there is none", () => {
  const names = Object.keys(ratiosOf({ ...figures, floor: { skipped: "gcc is not installed" } }));
  assertEquals(names.filter((name) => name.endsWith("Floor")), []);
});

Deno.test("worsened() names ratios that are more than 15 % above the baseline", () => {
  const baseline = { startToBare: 2, onceToBare: 2, rssToBare: 2, gone: 1 };
  assertEquals(worsened({ startToBare: 2.3, onceToBare: 2.31, rssToBare: 1 }, baseline), [
    "onceToBare: 2.31, baseline 2, 16 % worse",
  ]);
});

Deno.test("budgetsOf() says which budgets of the design are met", () => {
  const missed = budgetsOf(figures).filter(({ isMet }) => !isMet).map(({ what, value, max }) => ({
    what,
    value,
    max,
  }));
  assertEquals(missed, [
    { what: "once, spawn to exit, ms", value: 100, max: 90 },
    { what: "exec -- true, delivering, beyond both, ms", value: 61, max: 60 },
  ]);
});

const run = {
  ...{
    points: 50,
    cpuMs: 2,
    userMs: 1.5,
    systemMs: 0.5,
    threads: {},
    bytesPerPoint: 20,
    requestBytes: 1_000,
  },
  memory: figures.memory,
};

Deno.test("toLean() divides what programs cost by what the lean Collector does", () => {
  const [lean, other] = [besideOf(run), besideOf({ ...run, points: 100, cpuMs: 6, bytesPerPoint: 10 })];
  assertEquals([lean.cpuUsPerPoint, lean.rssMiB, other.cpuUsPerPoint], [40, 48, 60]);
  assertEquals(toLean({ collectorLean: lean, other }), {
    other: { cpuPerCycle: 3, cpuPerPoint: 1.5, rss: 1, bytesPerPoint: 0.5 },
  });
  assertThrows(() => toLean({ other }), RangeError, "no lean Collector");
});

const ROLLUP = `55d0-7ffd ---p 00000000 00:00 0 [rollup]
Rss:               50012 kB
Pss:               41000 kB
Shared_Clean:       9000 kB
Private_Clean:      1000 kB
Private_Dirty:     20012 kB
`;

Deno.test("parseSmapsRollup() adds clean and dirty private pages", () => {
  assertEquals(parseSmapsRollup(ROLLUP), { rss: 50_012, pss: 41_000, private: 21_012 });
  assertThrows(() => parseSmapsRollup("Rss: 1 kB\n"), SyntaxError, `no "Pss"`);
});

Deno.test("readMemory() reads a living process", async () => {
  const { rss, pss, private: own } = await readMemory(Deno.pid);
  assert(rss >= pss && pss >= own && own > 1_000, `${rss} ${pss} ${own}`);
});

Deno.test("CpuMeter counts the CPU that a process uses between two samples", () => {
  const meter = new CpuMeter(Deno.pid);
  const total = () => [...meter.sample().values()].reduce((sum, each) => sum + each, 0);
  const before = total();
  let sum = 0;
  for (let at = 0; at < 5_000_000; at++) sum += at % 7;
  assertGreater(sum, 0);
  assertGreater(total() - before, 1e6, "a busy loop of some milliseconds");
});

Deno.test("readUserSystem() agrees with CpuMeter to some ticks", () => {
  const { userMs, systemMs } = readUserSystem(Deno.pid);
  const metered = [...new CpuMeter(Deno.pid).sample().values()].reduce((sum, each) => sum + each, 0) / 1e6;
  // Ticks also count threads that have ended, which the meter has never seen.
  assertGreater(userMs, 0);
  assertGreater(userMs + systemMs, metered - 50);
});

Deno.test("withFloor() measures with gcc, hot and paced, or says why not", () =>
  withFloor(async (floor) => {
    if ("skipped" in floor) return assertEquals(floor.skipped, "gcc is not installed");
    assertGreater(await floor.hot(["/proc/stat", "/proc/meminfo", "/not/there"]), 0);
    assertGreater(await floor.paced(["/proc/stat"], 1), 0);
    await assertRejects(() => floor.hot(["/not/there"]), Error, "expected files that open");
  }));
