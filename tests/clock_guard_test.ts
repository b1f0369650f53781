/**
 * Clocks that step, that are not set yet, and hosts that sleep: what leaves the host is ordered and dated all the same
 * (F30 to F32 of otlp 5, host-metrics P26).
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { BootClock } from "../collectors/boot_clock.ts";
import { CounterLedger } from "../collectors/counters.ts";
import { emptyBaseline, toDelta } from "../collectors/delta.ts";
import { series, type Snapshot, type Sum } from "../collectors/metric.ts";
import { ClockGuard } from "../commands/clock_guard.ts";
import { crank } from "../commands/schedule.ts";
import { VirtualClock } from "./virtual_clock.ts";

const SECOND = 1_000_000_000n;
const INTERVAL_MS = 10_000;
const UPTIME_S = 5_000;
const PLAUSIBLE_NS = BigInt(Date.UTC(2026, 10, 1)) * 1_000_000n;

const COUNTER: Sum = {
  kind: "sum",
  name: "test.count",
  unit: "1",
  description: "",
  source: "",
  valueType: "int",
  monotonic: true,
};

/** A host with one counter of ten a second, cranked in virtual time behind a guard. */
class Host {
  readonly clock = new VirtualClock();
  readonly guard = new ClockGuard(PLAUSIBLE_NS);
  readonly sent: Snapshot[] = [];
  readonly #boot = new BootClock({ bootId: "boot", plausibleNs: PLAUSIBLE_NS });
  readonly #ledger = new CounterLedger({ clock: this.#boot, is32Bit: false });
  readonly #series = series(COUNTER);
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  cycles = 0;

  start(): void {
    const turn = {
      intervalMs: () => INTERVAL_MS,
      prepare: () => {},
      cycle: () => this.#cycle(),
      signal: this.#stop.signal,
    };
    this.#running = crank(turn, this.clock);
  }

  async runTo(ms: number): Promise<void> {
    await this.clock.runTo(ms, () => true);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  get stamps(): bigint[] {
    return this.sent.map(({ timeNs }) => timeNs);
  }

  #cycle(): void {
    this.cycles++;
    const monotonicMs = this.clock.mono();
    const uptime = UPTIME_S + monotonicMs / 1000;
    const cycle = { timeNs: BigInt(Math.round(this.clock.wall())) * 1_000_000n, uptime, monotonicMs };
    this.#boot.observe(cycle);
    const observed = this.#ledger.observe(this.#series, BigInt(Math.round(monotonicMs / 100)), cycle);
    const points = observed === undefined ? [] : [{ series: this.#series, ...observed }];
    this.#ledger.endCycle(cycle);
    const snapshot: Snapshot = { timeNs: cycle.timeNs, points, omitted: [] };
    this.sent.push(...this.guard.pass(snapshot, { monotonicMs, intervalMs: INTERVAL_MS }));
  }
}

/** Stamps that are not later than the one before. */
function falls(stamps: readonly bigint[]): number {
  return stamps.filter((stamp, at) => at > 0 && stamp <= (stamps[at - 1] ?? 0n)).length;
}

const startsOf = (snapshots: readonly Snapshot[]): bigint[] =>
  snapshots.flatMap(({ points }) => points.map(({ startNs }) => startNs));

Deno.test("F30: +1 h and -2 s leave stamps rising, starts and timers alone; -1 h is one counted regression", async () => {
  const host = new Host();
  host.clock.at(60_500, () => host.clock.wallStepMs += 3_600_000);
  host.clock.at(120_500, () => host.clock.wallStepMs -= 2_000);
  host.start();
  await host.runTo(175_000);
  assertStrictEquals(host.cycles, 18);
  assertEquals([falls(host.stamps), host.guard.regressions, host.sent.length], [0, 0, 18]);
  host.clock.wallStepMs -= 3_600_000;
  await host.runTo(300_000);
  assertEquals([falls(host.stamps), host.guard.regressions, host.guard.held], [1, 1, 0]);
  assertStrictEquals(host.guard.takeEvent(), "clock stepped back");
  assertStrictEquals(new Set(startsOf(host.sent)).size, 1);
  assertStrictEquals(host.cycles, 31);
  await host.stop();
});

Deno.test("F30: a step back of just one interval holds one cycle and sends no time twice", async () => {
  const host = new Host();
  host.clock.at(25_000, () => host.clock.wallStepMs -= INTERVAL_MS);
  host.start();
  await host.runTo(100_000);
  assertEquals([falls(host.stamps), host.guard.regressions, host.guard.held], [0, 0, 1]);
  assertStrictEquals(host.sent.length, host.cycles - 1);
  await host.stop();
});

Deno.test("F31, P26: a clock of 1970 holds everything back; once it is set, all of it goes out with its true time", async () => {
  const host = new Host();
  const unset = -host.clock.wall() + 100_000;
  host.clock.wallStepMs = unset;
  host.start();
  await host.runTo(119_000);
  assertEquals([host.sent.length, host.guard.waiting], [0, 12]);
  assertStrictEquals(host.guard.takeEvent(), "clock not set, keeping data back");
  host.clock.wallStepMs = 0;
  await host.runTo(180_000);
  assertStrictEquals(host.guard.takeEvent(), "clock set");
  assertStrictEquals(host.sent.length, host.cycles);
  assertEquals(falls(host.stamps), 0);
  const beganNs = BigInt(host.clock.wall() - host.clock.mono()) * 1_000_000n;
  host.stamps.forEach((stamp, at) => {
    const offBy = stamp - beganNs - BigInt(at) * 10n * SECOND;
    assert(offBy < SECOND && offBy > -SECOND, `cycle ${at} is off by ${offBy} ns`);
  });
  // The counter began at boot, in both reckonings of time.
  const bootNs = beganNs - BigInt(UPTIME_S) * SECOND;
  for (const start of startsOf(host.sent)) {
    assert(start - bootNs < SECOND && bootNs - start < SECOND, `${start} is not ${bootNs}`);
  }
  await host.stop();
});

Deno.test("F31: a clock that is never set costs the oldest, bounded and counted", async () => {
  const host = new Host();
  host.clock.wallStepMs = -host.clock.wall();
  host.start();
  await host.runTo(200 * INTERVAL_MS - 1);
  assertEquals([host.sent.length, host.guard.waiting, host.guard.dropped], [0, 120, 80]);
  await host.stop();
});

Deno.test("F32: ten minutes of SIGSTOP are one cycle with one delta of ten minutes, and no burst", async () => {
  const host = new Host();
  host.start();
  await host.runTo(25_000);
  const before = host.cycles;
  host.clock.skip(600_000);
  await host.runTo(host.clock.mono());
  assertStrictEquals(host.cycles, before + 1);
  await host.runTo(host.clock.mono() + 20_000);
  assertStrictEquals(host.cycles, before + 3);
  let baseline = emptyBaseline("boot");
  const deltas = host.sent.map((snapshot) => {
    const derived = toDelta(snapshot, baseline, { sinceNs: 0n });
    baseline = derived.baseline;
    return derived.snapshot.points.map(({ value }) => Number(value));
  });
  assertEquals(deltas.flat().slice(-3).map((value) => Math.round(value / 100)), [61, 1, 1]);
  await host.stop();
});
