/** The byte budget in virtual time: the day's bytes are kept by stretching first, shedding next, in order. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { ByteBudget, SHEDS } from "../commands/budget.ts";
import { type Choice, parseChoice, selector } from "../config/glob.ts";

const DAY_MS = 86_400_000;
const KIB = 1024;

interface Day {
  readonly bytes: number;
  readonly cycles: number;
  readonly intervals: readonly number[];
  readonly shed: readonly string[];
}

/** A day of cycles; `perCycle` gives the body's bytes by how much is shed. */
function day(perDay: number, configuredMs: number, perCycle: (sheds: number) => number): Day {
  let [nowMs, bytes, requests] = [0, 0, 0];
  const budget = new ByteBudget(perDay, { intervalMs: configuredMs, nowMs: () => nowMs });
  const intervals: number[] = [];
  while (nowMs < DAY_MS) {
    bytes += perCycle(budget.state().shed.length);
    requests++;
    budget.observe({ bytes, requests }, configuredMs);
    intervals.push(budget.intervalMs);
    nowMs += budget.intervalMs;
  }
  return { bytes: bytes + requests * 600, cycles: requests, intervals, shed: budget.state().shed };
}

Deno.test("ByteBudget leaves an interval alone that fits the day", () => {
  const { intervals, shed } = day(100 * KIB * KIB, 10_000, () => 3_000);
  assertEquals([new Set(intervals), shed], [new Set([10_000]), []]);
});

Deno.test("ByteBudget stretches the interval before it sheds anything, and keeps the day", () => {
  const perDay = 12 * KIB * KIB;
  const { bytes, intervals, shed } = day(perDay, 10_000, () => 3_000);
  assertEquals(shed, []);
  assertLess(bytes, perDay * 1.02);
  assertLess(perDay * 0.9, bytes);
  assert(Math.max(...intervals) <= 60_000, String(Math.max(...intervals)));
});

Deno.test("ByteBudget sheds in the documented order, and at last stretches on", () => {
  const perDay = 256 * KIB;
  const { bytes, intervals, shed } = day(perDay, 10_000, (sheds) => 3_000 - 500 * sheds);
  assertEquals(shed, SHEDS.map(({ name }) => name));
  assertLess(bytes, perDay * 1.1);
  assert(Math.max(...intervals) > 60_000);
});

Deno.test("ByteBudget takes back what it shed when there is room again", () => {
  let [nowMs, bytes, requests] = [0, 0, 0];
  const budget = new ByteBudget(4 * KIB * KIB, { intervalMs: 10_000, nowMs: () => nowMs });
  const turn = (size: number, cycles: number) => {
    for (let cycle = 0; cycle < cycles; cycle++) {
      bytes += size;
      budget.observe({ bytes, requests: ++requests }, 10_000);
      nowMs += budget.intervalMs;
    }
  };
  turn(6_000, 200);
  assert(budget.state().shed.length > 0);
  turn(100, 2_000);
  assertEquals(budget.state().shed, []);
});

Deno.test("ByteBudget waits out an outage without forgetting what a cycle takes", () => {
  let nowMs = 0;
  const budget = new ByteBudget(8 * KIB * KIB, { intervalMs: 10_000, nowMs: () => nowMs });
  for (let cycle = 1; cycle <= 20; cycle++) {
    budget.observe({ bytes: cycle * 4_000, requests: cycle }, 10_000);
    nowMs += budget.intervalMs;
  }
  const before = budget.intervalMs;
  for (let cycle = 0; cycle < 5; cycle++) budget.observe({ bytes: 80_000, requests: 20 }, 10_000);
  assertLess(Math.abs(budget.intervalMs - before) / before, 0.5);
});

Deno.test("choices() sheds by name, keeps what the operator switched off, and leaves the core at the end", () => {
  let nowMs = 0;
  const budget = new ByteBudget(64 * KIB, { intervalMs: 10_000, nowMs: () => nowMs });
  const off: readonly Choice[] = [parseChoice("-system.uptime")];
  for (let cycle = 1; cycle <= 40; cycle++) {
    budget.observe({ bytes: cycle * 5_000, requests: cycle }, 10_000);
    nowMs += budget.intervalMs;
  }
  const wants = selector(budget.choices(off));
  const names = ["system.cpu.time", "system.uptime", "sonde.delivery.queued", "system.network.packet.count"];
  assertEquals(names.map((name) => wants(name, true)), [true, false, false, false]);
});
