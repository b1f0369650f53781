/**
 * The boot instant under clock steps: V24 and otlp M4.
 * @module
 */
import { assertEquals } from "@std/assert";
import { BootClock, type SavedBoot } from "../collectors/boot_clock.ts";
import { CounterLedger } from "../collectors/counters.ts";
import { series } from "../collectors/metric.ts";

/** Seconds and milliseconds as nanoseconds. */
const ns = (seconds: number) => BigInt(Math.round(seconds * 1000)) * 1_000_000n;

const at = (wall: number, uptime: number | undefined) => ({ timeNs: ns(wall), uptime, monotonicMs: 0 });

const clockOf = (options: { plausible?: number; saved?: SavedBoot; bootId?: string } = {}) =>
  new BootClock({
    bootId: options.bootId ?? "boot",
    plausibleNs: ns(options.plausible ?? 1_700_000_000),
    saved: options.saved,
  });

Deno.test("V24: observe() finds boot once, and a forward step does not move it", () => {
  const clock = clockOf();
  clock.observe(at(1795221971, 1000));
  assertEquals(clock.bootNs, ns(1795220971));
  clock.observe(at(1795225581, 1010));
  assertEquals(clock.bootNs, ns(1795220971));
});

Deno.test("V24: observe() finds boot anew when the clock was set back to before it", () => {
  const clock = clockOf();
  clock.observe(at(1795221971, 1000));
  clock.observe(at(1795220000, 1010));
  assertEquals(clock.bootNs, ns(1795218990));
});

Deno.test("V24: the ledger's start times stay through a step and move only out of the future", () => {
  const clock = clockOf();
  const ledger = new CounterLedger({ clock, is32Bit: false });
  const about = { name: "test", unit: "1", description: "", source: "", valueType: "int" } as const;
  const metric = { ...about, kind: "sum", monotonic: true } as const;
  const [early, late] = [series(metric, { n: 1 }), series(metric, { n: 2 })];
  const starts = (cycle: ReturnType<typeof at>, all: readonly (typeof early)[]) => {
    clock.observe(cycle);
    const found = all.map((one) => ledger.observe(one, 5, cycle)?.startNs);
    ledger.endCycle(cycle);
    return found;
  };
  assertEquals(starts(at(1795221971, 1000), [early]), [ns(1795220971)]);
  assertEquals(starts(at(1795225581, 1010), [early, late]), [ns(1795220971), ns(1795221971)]);
  assertEquals(starts(at(1795220000, 1020), [early, late]), [ns(1795218980), ns(1795220000)]);
  assertEquals(starts(at(1795220010, 1030), [early, late]), [ns(1795218980), ns(1795220000)]);
});

Deno.test("observe() does not follow drift and the coarse uptime", () => {
  const clock = clockOf();
  for (let cycle = 0; cycle < 100; cycle++) clock.observe(at(1795221971 + cycle * 10.009, 1000 + cycle * 10));
  assertEquals(clock.bootNs, ns(1795220971));
});

Deno.test("observe() settles only when the clock is believable", () => {
  const clock = clockOf();
  clock.observe(at(100, 20));
  assertEquals([clock.bootNs, clock.save()], [ns(80), undefined]);
  clock.observe(at(1795221971, 30));
  assertEquals(clock.bootNs, ns(1795221941));
  clock.observe(at(1795221981, 40));
  assertEquals(clock.save(), { bootId: "boot", bootNs: ns(1795221941).toString() });
});

Deno.test("a kept boot instant holds for the same boot only, and not when it lies in the future", () => {
  const saved = { bootId: "boot", bootNs: ns(1795220000).toString() };
  const same = clockOf({ saved });
  same.observe(at(1795221971, 1000));
  assertEquals(same.bootNs, ns(1795220000));
  const other = clockOf({ saved, bootId: "another" });
  other.observe(at(1795221971, 1000));
  assertEquals(other.bootNs, ns(1795220971));
  const future = clockOf({ saved: { bootId: "boot", bootNs: ns(1895220000).toString() } });
  future.observe(at(1795221971, 1000));
  assertEquals(future.bootNs, ns(1795220971));
  const damaged = clockOf({ saved: { bootId: "boot", bootNs: "soon" } });
  damaged.observe(at(1795221971, 1000));
  assertEquals(damaged.bootNs, ns(1795220971));
});

Deno.test("observe() without an uptime knows no boot instant", () => {
  const clock = clockOf();
  clock.observe(at(1795221971, undefined));
  assertEquals(clock.bootNs, undefined);
});
