/**
 * The ledger: start times, resets, dips, wraps, replaced and ended series; V11, V24 and V25 by name.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BootClock } from "../collectors/boot_clock.ts";
import type { Cycle } from "../collectors/collector.ts";
import { CounterLedger, SERIES_MAX } from "../collectors/counters.ts";
import { type Descriptor, type FallRule, type Point, type Series, series } from "../collectors/metric.ts";

const SECOND = 1_000_000_000n;
const FIRST_NS = 1_795_221_971n * SECOND;
const BOOT_NS = FIRST_NS - 1000n * SECOND;

/** A counter with a rule. */
function counter(fall?: FallRule, valueType: "int" | "double" = "int"): Descriptor {
  const about = { name: "test.count", unit: "1", description: "", source: "" };
  return { ...about, kind: "sum", monotonic: true, valueType, ...(fall === undefined ? {} : { fall }) };
}

/** A ledger with a clock that goes on ten seconds per cycle. */
class Rig {
  readonly clock: BootClock;
  readonly ledger: CounterLedger;
  #at = 0;

  constructor(options: { is32Bit?: boolean; saved?: unknown; cycle?: number } = {}) {
    this.#at = options.cycle ?? 0;
    this.clock = new BootClock({ bootId: "boot", plausibleNs: 0n });
    this.ledger = new CounterLedger({
      clock: this.clock,
      is32Bit: options.is32Bit ?? false,
      saved: options.saved,
    });
  }

  get now(): Cycle {
    const at = BigInt(this.#at);
    return {
      timeNs: FIRST_NS + at * 10n * SECOND,
      uptime: 1000 + this.#at * 10,
      monotonicMs: this.#at * 10_000,
    };
  }

  /** One cycle of these values; `hasFault` as when a collector could not read everything. */
  cycle(values: readonly (readonly [Series, number | bigint])[], hasFault = false): Point[] {
    const cycle = this.now;
    this.clock.observe(cycle);
    this.ledger.enter("test");
    const points = values.flatMap(([one, value]): Point[] => {
      const observed = this.ledger.observe(one, value, cycle);
      return observed === undefined ? [] : [{ series: one, ...observed }];
    });
    if (hasFault) this.ledger.spare();
    points.push(...this.ledger.endCycle(cycle));
    this.#at++;
    return points;
  }
}

/** Value and start of the first point. */
const first = (points: readonly Point[]) => [points[0]?.value, points[0]?.startNs] as const;
/** Time of cycle `at`. */
const timeOf = (at: number) => FIRST_NS + BigInt(at) * 10n * SECOND;

Deno.test("observe() starts counters that are there at first at the boot instant", () => {
  const rig = new Rig();
  const one = series(counter());
  assertEquals(first(rig.cycle([[one, 5]])), [5, BOOT_NS]);
  assertEquals(first(rig.cycle([[one, 9]])), [9, BOOT_NS]);
});

Deno.test("observe() starts a series that appears later at the cycle before", () => {
  const rig = new Rig();
  const metric = counter();
  const [sda, sdb] = [series(metric, { device: "sda" }), series(metric, { device: "sdb" })];
  rig.cycle([[sda, 5]]);
  rig.cycle([[sda, 6]]);
  const points = rig.cycle([[sda, 7], [sdb, 1]]);
  assertEquals(points.map((point) => point.startNs), [BOOT_NS, timeOf(1)]);
});

Deno.test("observe() starts a metric that is switched on later at boot: its counters ran since then", () => {
  const rig = new Rig();
  rig.cycle([[series(counter(), { device: "sda" }), 5]]);
  const later = series({ ...counter(), name: "test.later" });
  assertEquals(first(rig.cycle([[later, 70]])), [70, BOOT_NS]);
});

Deno.test("observe() takes a fall without a rule for a reset that began at the cycle before", () => {
  const rig = new Rig();
  const one = series(counter());
  rig.cycle([[one, 500]]);
  assertEquals(first(rig.cycle([[one, 3]])), [3, timeOf(0)]);
  assertEquals(first(rig.cycle([[one, 4]])), [4, timeOf(0)]);
});

Deno.test("observe() clamps a dip until the counter has caught up", () => {
  const rig = new Rig();
  const one = series(counter({ rule: "dip", tolerance: 3 }, "double"));
  const values = [100, 98.5, 97.5, 99, 100.5].map((value) => first(rig.cycle([[one, value]])));
  assertEquals(values, [100, 100, 100, 100, 100.5].map((value) => [value, BOOT_NS]));
  assertEquals(first(rig.cycle([[one, 97.5]])), [97.5, timeOf(4)]);
});

Deno.test("V11: observe() unwraps bytes of 32-bit kernels and takes the same fall elsewhere for a reset", () => {
  const one = series(counter({ rule: "ulong" }));
  const narrow = new Rig({ is32Bit: true });
  narrow.cycle([[one, 4294960000]]);
  assertEquals(first(narrow.cycle([[one, 1000]])), [4294968296, BOOT_NS]);
  const wide = new Rig();
  wide.cycle([[one, 4294960000]]);
  assertEquals(first(wide.cycle([[one, 1000]])), [1000, timeOf(0)]);
});

Deno.test("V25: observe() adds 2^32 for each wrap of a 32-bit word", () => {
  const rig = new Rig();
  const one = series(counter({ rule: "u32", scale: 1 }));
  rig.cycle([[one, 0xfffffffe]]);
  assertEquals(first(rig.cycle([[one, 1]])), [0xfffffffe + 3, BOOT_NS]);
  rig.cycle([[one, 0xf0000000]]);
  assertEquals(first(rig.cycle([[one, 5]])), [2 * 2 ** 32 + 5, BOOT_NS]);
  assertEquals(first(rig.cycle([[one, 4]])), [4, timeOf(3)]);
});

Deno.test("observe() keeps 64-bit counters exact", () => {
  const rig = new Rig();
  const one = series(counter());
  rig.cycle([[one, 2n ** 53n + 1n]]);
  assertEquals(first(rig.cycle([[one, 2n ** 64n - 1n]])), [2n ** 64n - 1n, BOOT_NS]);
});

Deno.test("observe() begins anew for another device behind the same name, and goes on for the same one", () => {
  const rig = new Rig();
  const metric = counter();
  const disk = (identity: string) => series(metric, { device: "sda" }, { identity });
  rig.cycle([[disk("8:0 5"), 100]]);
  assertEquals(rig.cycle([[disk("8:0 5"), 110]]).map(({ value, startNs }) => [value, startNs]), [[
    110,
    BOOT_NS,
  ]]);
  assertEquals(rig.cycle([[disk("8:0 6"), 300]]).map(({ value, startNs }) => [value, startNs]), [[
    300,
    timeOf(1),
  ]]);
});

Deno.test("endCycle() ends a series once and forgets it; one that returns has an unknown start", () => {
  const rig = new Rig();
  const one = series(counter());
  rig.cycle([[one, 5]]);
  assertEquals(rig.cycle([]), [{ series: one, value: 0, startNs: BOOT_NS, ended: true }]);
  assertEquals(rig.cycle([]), []);
  assertEquals(first(rig.cycle([[one, 50]])), [50, timeOf(3)]);
});

Deno.test("endCycle() spares the series of a collector with a fault, but not for ever", () => {
  const rig = new Rig();
  const one = series(counter());
  rig.cycle([[one, 5]]);
  assertEquals(rig.cycle([], true), []);
  assertEquals(first(rig.cycle([[one, 6]])), [6, BOOT_NS]);
  const ends = Array.from({ length: 12 }, () => rig.cycle([], true).length);
  assertEquals(ends, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
});

Deno.test("endCycle() ends gauges and UpDownCounters too", () => {
  const rig = new Rig();
  const about = { unit: "1", description: "", source: "", valueType: "int" } as const;
  const level = series({ ...about, name: "test.level", kind: "sum", monotonic: false });
  const gauge = series({ ...about, name: "test.gauge", kind: "gauge" });
  const points = rig.cycle([[level, 9], [gauge, 7]]);
  assertEquals(points.map((point) => point.startNs), [BOOT_NS, 0n]);
  assertEquals(first(rig.cycle([[level, 2], [gauge, 1]])), [2, BOOT_NS]);
  assertEquals(rig.cycle([]).map((point) => point.ended), [true, true]);
});

Deno.test("observe() refuses more series than it can follow and counts them", () => {
  const rig = new Rig();
  const metric = counter();
  const values = Array.from({ length: SERIES_MAX + 3 }, (_, at) => [series(metric, { at }), at] as const);
  assertEquals(rig.cycle(values).length, SERIES_MAX);
  assertEquals(rig.ledger.refused, 3);
});

Deno.test("save() and a new ledger carry wraps and later starts over a restart of the same boot", () => {
  const before = new Rig();
  const wrapping = series(counter({ rule: "u32", scale: 1 / 1000 }, "double"), { device: "sda" });
  const metric = counter();
  const late = series(metric, { device: "sdb" }, { identity: "8:16" });
  before.cycle([[wrapping, 4294960], [series(metric, { device: "sdc" }), 1]]);
  before.cycle([[wrapping, 5], [late, 2n ** 60n]]);
  const saved: unknown = JSON.parse(JSON.stringify(before.ledger.save()));
  const after = new Rig({ saved, cycle: 3 });
  const points = after.cycle([[wrapping, 6], [late, 2n ** 60n + 1n]]);
  assertEquals(points.map(({ value, startNs }) => [value, startNs]), [
    [4294973.296, BOOT_NS],
    [2n ** 60n + 1n, timeOf(0)],
  ]);
  for (
    const damaged of [undefined, 7, { bootId: "other", counts: [] }, {
      bootId: "boot",
      counts: [1, {}, null],
    }]
  ) {
    assertEquals(first(new Rig({ saved: damaged, cycle: 3 }).cycle([[wrapping, 6]])), [6, BOOT_NS]);
  }
});

Deno.test("a cumulative series never falls within one start time and never starts after its time", () => {
  const rules: (FallRule | undefined)[] = [
    undefined,
    { rule: "dip", tolerance: 3 },
    { rule: "u32", scale: 1 / 1000 },
    { rule: "ulong" },
  ];
  const word = fc.oneof(fc.nat(20), fc.integer({ min: 2 ** 32 - 20, max: 2 ** 32 - 1 }), fc.nat(2 ** 31 - 1));
  const steps = fc.array(fc.option(word, { nil: undefined, freq: 8 }), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(fc.constantFrom(...rules), fc.boolean(), steps, (rule, is32Bit, values) => {
      const rig = new Rig({ is32Bit });
      const one = series(counter(rule, "double"));
      let last: Point | undefined;
      for (const value of values) {
        const { timeNs } = rig.now;
        const [point] = rig.cycle(
          value === undefined ? [] : [[one, rule?.rule === "u32" ? value / 1000 : value]],
        );
        if (point === undefined) continue;
        assert(point.startNs <= timeNs);
        if (point.ended) last = undefined;
        else {
          assert(last?.startNs !== point.startNs || point.value >= last.value);
          last = point;
        }
      }
    }),
    { numRuns: 500 },
  );
});
