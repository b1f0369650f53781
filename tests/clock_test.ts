/** Real waiting: how it ends, and that it leaves no timer behind (the sanitizers look). */
import { assertEquals } from "@std/assert";
import { sleep, sleepBriefly } from "../exporters/clock.ts";

/** What has settled by the end of this turn of the event loop. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  const turn = new Promise<false>((resolve) => setTimeout(() => resolve(false), 5));
  return await Promise.race([promise.then(() => true), turn]);
}

for (const [name, wait] of [["sleep", sleep], ["sleepBriefly", sleepBriefly]] as const) {
  Deno.test(`${name}() ends by itself`, async () => {
    await wait(1);
    await wait(0, new AbortController().signal);
    await wait(-5);
    await wait(0.4);
  });

  Deno.test(`${name}() ends when its signal aborts, before or meanwhile, and never rejects`, async () => {
    await wait(60_000, AbortSignal.abort());
    const over = new AbortController();
    const asleep = wait(60_000, over.signal);
    assertEquals(await isSettled(asleep), false);
    over.abort();
    await asleep;
  });

  Deno.test(`${name}() goes on for times that no timer can hold`, async () => {
    for (const ms of [2 ** 31, 2 ** 40, Infinity]) {
      const over = new AbortController();
      const asleep = wait(ms, over.signal);
      assertEquals(await isSettled(asleep), false, `${ms}`);
      over.abort();
      await asleep;
    }
  });
}
