/** The byte budget in virtual time: the day's bytes are kept by stretching first, shedding next, in order. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { ByteBudget, SHEDS } from "../commands/budget.ts";
import { type AccountMemory, DayAccount } from "../commands/budget_account.ts";
import { metricFacts } from "../commands/metric_facts.ts";
import { type Choice, parseChoice, selector } from "../config/glob.ts";

const DAY_MS = 86_400_000;
const KIB = 1024;
const MIDNIGHT_MS = Date.UTC(2026, 10, 21);

/** A budget whose clock is `midnight + nowMs()`. */
function budgetAt(perDay: number, nowMs: () => number, memory?: AccountMemory): ByteBudget {
  const account = new DayAccount(() => MIDNIGHT_MS + nowMs(), memory);
  return new ByteBudget(perDay, { intervalMs: 10_000, account });
}

interface Day {
  readonly bytes: number;
  readonly cycles: number;
  readonly intervals: readonly number[];
  readonly shed: readonly string[];
}

/** A day of cycles; `perCycle` gives the body's bytes by how much is shed. */
function day(perDay: number, configuredMs: number, perCycle: (sheds: number) => number): Day {
  let [nowMs, bytes, requests] = [0, 0, 0];
  const budget = budgetAt(perDay, () => nowMs);
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

Deno.test("the first step of ByteBudget sheds every metric of sonde itself", () => {
  const own = metricFacts().filter(({ collectors }) => collectors.every((name) => name === "agent"));
  assert(own.length > 10);
  const isLeft = selector((SHEDS[0]?.metrics ?? []).map(parseChoice));
  assertEquals(own.map(({ descriptor: { name } }) => name).filter((name) => isLeft(name, true)), []);
});

Deno.test("ByteBudget takes back what it shed when there is room again", () => {
  let [nowMs, bytes, requests] = [0, 0, 0];
  const budget = budgetAt(4 * KIB * KIB, () => nowMs);
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
  const budget = budgetAt(8 * KIB * KIB, () => nowMs);
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
  const budget = budgetAt(64 * KIB, () => nowMs);
  const off: readonly Choice[] = [parseChoice("-system.uptime")];
  for (let cycle = 1; cycle <= 40; cycle++) {
    budget.observe({ bytes: cycle * 5_000, requests: cycle }, 10_000);
    nowMs += budget.intervalMs;
  }
  const wants = selector(budget.choices(off));
  const names = ["system.cpu.time", "system.uptime", "sonde.delivery.queued", "system.network.packet.count"];
  assertEquals(names.map((name) => wants(name, true)), [true, false, false, false]);
});

/** A memory that a next life reads. */
class Kept implements AccountMemory {
  found: unknown = undefined;
  save(value: unknown): boolean {
    this.found = JSON.parse(JSON.stringify(value));
    return true;
  }
}

Deno.test("ByteBudget: a service that is restarted all day keeps the day's bytes", () => {
  const [perDay, kept] = [4 * KIB * KIB, new Kept()];
  let [nowMs, total] = [0, 0];
  while (nowMs < DAY_MS) {
    const budget = budgetAt(perDay, () => nowMs, kept);
    // Ten cycles, then it is killed.
    let bytes = 0;
    for (let cycle = 1; cycle <= 10 && nowMs < DAY_MS; cycle++) {
      const size = 3_000 - 600 * budget.state().shed.length;
      budget.observe({ bytes: bytes += size, requests: cycle }, 10_000);
      total += size + 600;
      nowMs += budget.intervalMs;
    }
    assertEquals(budget.state().sentBytes, nowMs < DAY_MS ? total : 0);
  }
  assertLess(total, perDay * 1.1);
});

Deno.test("ByteBudget: a day that is spent gives a sign of life an hour, and the next day begins at midnight", () => {
  let nowMs = DAY_MS / 2;
  const budget = budgetAt(64 * KIB, () => nowMs);
  let bytes = 0;
  for (let cycle = 1; cycle <= 40; cycle++) {
    budget.observe({ bytes: bytes += 20_000, requests: cycle }, 10_000);
    nowMs += 1_000;
  }
  assertEquals(budget.intervalMs, 3_600_000);
  nowMs = DAY_MS - 60_000;
  budget.observe({ bytes: bytes += 20_000, requests: 41 }, 10_000);
  assertEquals(budget.intervalMs, 60_000);
  nowMs = DAY_MS;
  assertEquals(budget.state().sentBytes, 0);
});

Deno.test("DayAccount believes no damaged record, and no day of a clock that is not set", () => {
  let wallMs = MIDNIGHT_MS;
  const day = MIDNIGHT_MS / DAY_MS;
  for (
    const found of [undefined, 7, [], { day }, { day: -1, bytes: 5 }, { day, bytes: 1.5 }, {
      day,
      bytes: "5",
    }]
  ) {
    assertEquals(new DayAccount(() => wallMs, { found, save: () => true }).bytes, 0);
  }
  const kept = new Kept();
  kept.found = { day, bytes: 500 };
  wallMs = 3_000;
  const account = new DayAccount(() => wallMs, kept);
  account.add(100);
  assertEquals([account.bytes, kept.found], [600, { day, bytes: 600 }]);
  wallMs = MIDNIGHT_MS + 5;
  assertEquals([account.bytes, account.restMs], [600, DAY_MS - 5]);
  wallMs = MIDNIGHT_MS + DAY_MS;
  assertEquals(account.bytes, 0);
});
