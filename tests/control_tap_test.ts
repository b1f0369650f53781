/** Taps in virtual time: what left since the last question, bounded, and nothing asked of the courier without a listener. */
import { assertEquals, assertRejects } from "@std/assert";
import { Taps } from "../commands/control_tap.ts";
import type { Posted } from "../exporters/messages.ts";

const POSTED: Posted = {
  ...{ destination: "default", signal: "metrics", encoding: "protobuf", gzipped: false, outcome: "accepted" },
  ...{ status: 200, rejected: 0, timeMs: 0, body: new Uint8Array([1, 2, 3]) },
};

/** Taps on a source of the test's own; waits end at once, time is what the test says. */
function rig() {
  const state: { nowMs: number; tell: ((posted: Posted) => void) | undefined; subscriptions: number } = {
    nowMs: 0,
    tell: undefined,
    subscriptions: 0,
  };
  const taps = new Taps({
    tap: (listener) => {
      state.subscriptions++;
      state.tell = listener;
      return () => state.tell = undefined;
    },
    nowMs: () => state.nowMs,
    sleep: () => Promise.resolve(),
  });
  return { taps, state };
}

Deno.test("Taps.ask() gives what left since the last question, in base64 and in order", async () => {
  const { taps, state } = rig();
  const { id } = await taps.ask(undefined);
  state.tell?.(POSTED);
  state.tell?.({ ...POSTED, destination: "second" });
  const answer = await taps.ask(id);
  assertEquals(answer.records.map(({ destination, body }) => [destination, body]), [["default", "AQID"], [
    "second",
    "AQID",
  ]]);
  assertEquals((await taps.ask(id)).records, []);
  assertEquals(state.subscriptions, 1);
});

Deno.test("Taps keep signals apart and listeners from each other", async () => {
  const { taps, state } = rig();
  const logs = await taps.ask(undefined, "logs");
  const all = await taps.ask(undefined);
  state.tell?.(POSTED);
  assertEquals((await taps.ask(logs.id)).records, []);
  assertEquals((await taps.ask(all.id)).records.length, 1);
});

Deno.test("Taps count what a slow listener loses: too many, and too large", async () => {
  const { taps, state } = rig();
  const { id } = await taps.ask(undefined);
  for (let at = 0; at < 300; at++) state.tell?.(POSTED);
  state.tell?.({ ...POSTED, body: new Uint8Array(2 * 1024 * 1024) });
  const { records, skipped } = await taps.ask(id);
  assertEquals([records.length, skipped], [256, 45]);
});

Deno.test("Taps answer in parts that fit a line", async () => {
  const { taps, state } = rig();
  const { id } = await taps.ask(undefined);
  for (let at = 0; at < 3; at++) state.tell?.({ ...POSTED, body: new Uint8Array(700 * 1024) });
  const sizes = [];
  for (let at = 0; at < 3; at++) sizes.push((await taps.ask(id)).records.length);
  assertEquals(sizes, [1, 1, 1]);
});

Deno.test("Taps forget a listener that stopped asking, and then the source", async () => {
  const { taps, state } = rig();
  await taps.ask(undefined);
  state.nowMs = 16_000;
  taps.sweep();
  assertEquals(state.tell, undefined);
});

Deno.test("Taps refuse a fifth listener", async () => {
  const { taps } = rig();
  for (let at = 0; at < 4; at++) await taps.ask(undefined);
  await assertRejects(() => taps.ask(undefined), RangeError, "Cannot tap: 4 others do, expected fewer");
});

Deno.test("Taps.end() frees a place at once and stops the courier's telling with the last one", async () => {
  const { taps, state } = rig();
  const ids: number[] = [];
  for (let at = 0; at < 4; at++) ids.push((await taps.ask(undefined)).id);
  await assertRejects(() => taps.ask(undefined), RangeError, "Cannot tap: 4 others do");
  taps.end(ids[0] ?? 0);
  ids.push((await taps.ask(undefined)).id);
  for (const id of ids) taps.end(id);
  assertEquals(state.tell, undefined);
});

Deno.test("Taps give the place of a reader that is gone to another, before it is forgotten", async () => {
  const { taps, state } = rig();
  for (let at = 0; at < 4; at++) await taps.ask(undefined);
  state.nowMs = 4_000;
  assertEquals((await taps.ask(undefined)).records, []);
});
