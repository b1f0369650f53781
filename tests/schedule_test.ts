/** The crank in virtual time: at once, on the grid, no drift, no burst. */
import { assertEquals } from "@std/assert";
import { crank, nextDue, type Ticker } from "../commands/schedule.ts";

/** Time that passes only by sleeping, or when a cycle says that it took some. */
class VirtualTicker implements Ticker {
  ms = 1000;
  readonly mono = (): number => this.ms;
  readonly sleep = (ms: number): Promise<void> => {
    if (ms > 0) this.ms += ms;
    return Promise.resolve();
  };
}

interface Ran {
  readonly cycles: number[];
  readonly prepared: number[];
}

async function run(count: number, options: {
  interval?: () => number;
  isPreparing?: (withinMs: number) => boolean;
  cycle?: (ticker: VirtualTicker, n: number) => void;
}): Promise<Ran> {
  const ticker = new VirtualTicker();
  const stop = new AbortController();
  const ran: Ran = { cycles: [], prepared: [] };
  await crank({
    intervalMs: options.interval ?? (() => 1000),
    prepare: () => ran.prepared.push(ticker.mono()),
    ...(options.isPreparing === undefined ? {} : { isPreparing: options.isPreparing }),
    cycle: () => {
      ran.cycles.push(ticker.mono());
      options.cycle?.(ticker, ran.cycles.length);
      if (ran.cycles.length === count) stop.abort();
    },
    signal: stop.signal,
  }, ticker);
  return ran;
}

Deno.test("crank() turns at once and then on the grid, however long a cycle takes", async () => {
  const ran = await run(5, { cycle: (ticker, n) => ticker.ms += n * 150 });
  assertEquals(ran.cycles, [1000, 2000, 3000, 4000, 5000]);
});

Deno.test("crank() starts slow work half an interval ahead, at most a second", async () => {
  assertEquals((await run(2, {})).prepared, [1500]);
  assertEquals((await run(2, { interval: () => 10_000 })).prepared, [10_000]);
});

Deno.test("crank() sleeps through to the next cycle when no slow work falls due before it", async () => {
  const asked: number[] = [];
  const isPreparing = (withinMs: number) => asked.push(withinMs) % 2 === 0;
  const ran = await run(5, { isPreparing });
  assertEquals(asked, Array(5).fill(1000));
  assertEquals(ran, { cycles: [1000, 2000, 3000, 4000, 5000], prepared: [2500, 4500] });
});

Deno.test("crank() makes one cycle of a long stop, never a burst", async () => {
  const ran = await run(4, { cycle: (ticker, n) => ticker.ms += n === 2 ? 10_300 : 0 });
  assertEquals(ran.cycles, [1000, 2000, 13_000, 14_000]);
});

Deno.test("crank() takes a new interval from the next turn on", async () => {
  let interval = 1000;
  const ran = await run(4, {
    interval: () => interval,
    cycle: (_ticker, n) => interval = n >= 2 ? 5000 : 1000,
  });
  assertEquals(ran.cycles, [1000, 2000, 7000, 12_000]);
});

Deno.test("nextDue() is strictly later than now", () => {
  assertEquals(nextDue(1000, 500, 1000), 1500);
  assertEquals(nextDue(1000, 500, 1499.9), 1500);
  assertEquals(nextDue(1000, 500, 1500), 2000);
});
