/**
 * Backends that refuse: one batch, a size, or everything (F15 to F22, F44 of otlp 5).
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { QueueBudget } from "../exporters/queue.ts";
import { LaneRig, range } from "./lane_rig.ts";

const MINUTE = 60_000;

Deno.test("F15: one 400 among ten batches is counted, and delays nobody", async () => {
  const rig = new LaneRig();
  rig.vendor.react = (_request, index) => index === 4 ? new Response("bad point", { status: 400 }) : 200;
  for (let i = 0; i < 10; i++) rig.give();
  await rig.runTo(2_000);
  assertEquals(rig.delivered, [1, 2, 3, 4, 6, 7, 8, 9, 10]);
  assertStrictEquals(rig.report.rejected, 10);
  assertEquals(rig.events, ["backend refused a batch"]);
  await rig.stop();
});

Deno.test("the same words of refusal are said once, other words again", async () => {
  const rig = new LaneRig();
  rig.vendor.react = (_request, index) =>
    new Response(index < 9 ? `point ${index} is bad` : "quota", { status: 400 });
  for (let i = 0; i < 12; i++) rig.give();
  await rig.runTo(2_000);
  assertStrictEquals(rig.logs.length, 2);
  await rig.stop();
});

Deno.test("F18: partial success counts what was rejected, once", async () => {
  const rig = new LaneRig();
  const body = JSON.stringify({ partialSuccess: { rejectedDataPoints: "9", errorMessage: "too old" } });
  rig.vendor.react = () => new Response(body, { headers: { "content-type": "application/json" } });
  rig.give();
  await rig.runTo(1_000);
  const { delivered, rejected, rejection } = rig.report;
  assertEquals([delivered, rejected, rejection], [1, 9, "too old"]);
  assertStrictEquals(rig.vendor.received.length, 1);
  await rig.stop();
});

Deno.test("F20, F21: a web page or a redirect holds the backlog, and delivers it after the fix", async () => {
  const page = () => new Response("<html>", { headers: { "content-type": "text/html" } });
  const elsewhere = () => new Response(null, { status: 307, headers: { location: "http://other/" } });
  for (const reaction of [page, elsewhere]) {
    const rig = new LaneRig();
    rig.vendor.react = () => rig.clock.mono() < 5 * MINUTE ? reaction() : 200;
    rig.giveEvery(10_000, 5 * MINUTE);
    await rig.runTo(5 * MINUTE);
    assertStrictEquals(rig.report.queued, 300);
    assertStrictEquals(rig.report.breaker, "open");
    assert(rig.vendor.received.length < 12, `${rig.vendor.received.length} probes`);
    await rig.runTo(30 * MINUTE);
    assertStrictEquals(rig.report.delivered, 300);
    await rig.stop();
  }
});

Deno.test("F22: 401 costs one batch per probe; renewed credentials are tried at once", async () => {
  const rig = new LaneRig();
  rig.vendor.react = () => rig.clock.mono() < 10 * MINUTE ? 401 : 200;
  rig.giveEvery(10_000, 10 * MINUTE);
  await rig.runTo(10 * MINUTE);
  const probes = rig.vendor.received.length;
  assertStrictEquals(rig.report.rejected, probes * 10);
  rig.lane.retryNow();
  await rig.runTo(25 * MINUTE);
  assertStrictEquals(rig.report.delivered, (60 - probes) * 10);
  await rig.stop();
});

Deno.test("twenty batches refused in a row hold the rest", async () => {
  const rig = new LaneRig();
  rig.vendor.react = () => 400;
  for (let i = 0; i < 30; i++) rig.give();
  await rig.runTo(1_000);
  assertEquals([rig.report.rejected, rig.report.queued, rig.report.breaker], [200, 100, "open"]);
  await rig.stop();
});

Deno.test("F44: a batch that kills its connection is put aside after ten tries, the others flow", async () => {
  const rig = new LaneRig();
  rig.vendor.react = ({ body }) => new TextDecoder().decode(body).startsWith("batch 1 ") ? "closed" : 200;
  for (let i = 0; i < 8; i++) rig.give();
  await rig.runTo(5 * MINUTE);
  assertEquals(rig.delivered.toSorted((a, b) => a - b), range(2, 8));
  assertEquals(rig.report.queued, 0);
  // Without a disk there is no quarantine.
  assertEquals(rig.report.dropped, { retries_exhausted: 10 });
  await rig.stop();
});

Deno.test("the memory queue keeps its bound by dropping the oldest, of the lane that holds most", async () => {
  const rig = new LaneRig({ budget: new QueueBudget(10_000) });
  rig.vendor.react = () => rig.clock.mono() < MINUTE ? "refused" : 200;
  for (let i = 0; i < 20; i++) rig.give({}, 1_000);
  await rig.runTo(1_000);
  const { queued, dropped, queuedBytes } = rig.report;
  assert(queuedBytes <= 10_000, `${queuedBytes}`);
  assertEquals(dropped, { queue_full: 200 - queued });
  await rig.runTo(5 * MINUTE);
  assertEquals(rig.delivered.slice(-3), [18, 19, 20]);
  await rig.stop();
});

Deno.test("a batch older than the destination takes is dropped before it is sent", async () => {
  const rig = new LaneRig({ config: { maxAgeMs: MINUTE } });
  rig.vendor.react = () => rig.clock.mono() < 2 * MINUTE ? "refused" : 200;
  rig.give();
  rig.clock.at(110_000, () => rig.give());
  await rig.runTo(4 * MINUTE);
  assertEquals(rig.delivered, [2]);
  assertEquals(rig.report.dropped, { too_old: 10 });
  await rig.stop();
});

Deno.test("an outage of an hour is at most sixty-odd lines, with one at its end", async () => {
  const rig = new LaneRig();
  rig.vendor.react = () => rig.clock.mono() < 60 * MINUTE ? "refused" : 200;
  rig.giveEvery(10_000, 60 * MINUTE);
  await rig.runTo(120 * MINUTE);
  assert(rig.logs.length <= 62, `${rig.logs.length} lines`);
  assertEquals([rig.events[0], rig.events.at(-1)], ["delivery failing", "delivery resumed"]);
  assertStrictEquals(rig.logs.at(-1)?.fields?.["drained"], 3_600);
  await rig.stop();
});
