/**
 * Stopping: what a flush sends, how long it takes, and what it leaves (F33 to F35 of otlp 5), without a disk.
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { LaneSpool } from "../exporters/backlog.ts";
import { withoutLater } from "../exporters/report.ts";
import { LaneRig, range } from "./lane_rig.ts";

Deno.test("F33: a stop with a healthy backend delivers fifty queued batches at once", async () => {
  const rig = new LaneRig();
  for (let i = 0; i < 50; i++) rig.give();
  await rig.stop();
  assertEquals(rig.delivered, range(1, 50));
  assertStrictEquals(rig.vendor.times.at(-1), 0);
});

Deno.test("F34: a stop with a hanging backend ends at the deadline, not at the attempt's timeout", async () => {
  const rig = new LaneRig();
  rig.vendor.react = () => "hang";
  rig.give();
  await rig.runTo(1_000);
  await rig.stop(5_000);
  assertStrictEquals(rig.clock.mono(), 6_000);
  assertEquals(rig.report.dropped, { shutdown: 10 });
  assertStrictEquals(rig.vendor.received.length, 1);
});

Deno.test("F34: a stop during an outage makes one attempt and waits for nothing", async () => {
  const rig = new LaneRig();
  rig.vendor.react = () => "refused";
  rig.giveEvery(1_000, 60_000);
  await rig.runTo(60_000);
  const before = rig.vendor.received.length;
  let endedMs = Infinity;
  rig.running.then(() => endedMs = rig.clock.mono());
  await rig.stop(5_000);
  assertStrictEquals(rig.vendor.received.length, before + 1);
  assertStrictEquals(endedMs, 60_000);
});

Deno.test("a flush of a lane that was well retries until its deadline", async () => {
  const rig = new LaneRig();
  rig.vendor.react = () => "refused";
  rig.give();
  await rig.stop(5_000);
  assert(rig.vendor.received.length >= 3, `${rig.vendor.received.length}`);
  assert((rig.vendor.times.at(-1) ?? 0) <= 5_000);
});

Deno.test("a flush does not break a wait that the server asked for", async () => {
  const rig = new LaneRig();
  rig.vendor.react = () => new Response(null, { status: 429, headers: { "retry-after": "60" } });
  rig.give();
  await rig.runTo(1_000);
  await rig.stop(5_000);
  assertStrictEquals(rig.vendor.received.length, 1);
});

Deno.test("F35: a second stop cuts the first one short", async () => {
  const rig = new LaneRig();
  rig.vendor.react = () => "hang";
  rig.give();
  await rig.runTo(1_000);
  let endedMs = Infinity;
  rig.running.then(() => endedMs = rig.clock.mono());
  rig.clock.at(2_000, () => rig.lane.flush({ deadlineMs: 0, final: true, brief: true }));
  await rig.stop(5_000);
  assertStrictEquals(endedMs, 2_000);
});

Deno.test("a flush that is not final leaves the lane running", async () => {
  const rig = new LaneRig();
  rig.give();
  const flushed = rig.lane.flush({ deadlineMs: 1_000, final: false, brief: false });
  await rig.runTo(10);
  await flushed;
  rig.give();
  await rig.runTo(20);
  assertEquals(rig.delivered, [1, 2]);
  await rig.stop();
});

/** A disk that takes nothing, and takes its time to say so. */
function fullDisk(meanwhile: () => void): LaneSpool {
  return {
    ...{ items: 0, bytes: 0, batches: 0, inherited: 0, oldestTimeMs: undefined },
    ...{ onDrop: () => {}, onAdopt: () => {} },
    append: () => Promise.resolve(undefined),
    head: () => Promise.resolve(undefined),
    after: () => Promise.resolve(undefined),
    holds: () => false,
    acknowledge: () => Promise.resolve(false),
    quarantine: () => Promise.resolve(false),
    sync: () => Promise.resolve(meanwhile()),
  };
}

Deno.test("a flush gives what is left at its end, not what came while the disk was asked", async () => {
  const rig: LaneRig = new LaneRig({ spool: fullDisk(() => rig.give()) });
  rig.give();
  const flushed = rig.lane.flush({ deadlineMs: 1_000, final: false, brief: false });
  const queued = flushed.then(() => rig.report.queued);
  await rig.runTo(10);
  assertEquals([await flushed, await queued], [0, 10]);
  await rig.stop();
});

Deno.test("withoutLater() leaves out what came after a flush", () => {
  const rig = new LaneRig();
  rig.give();
  rig.give();
  const report = { lanes: [rig.report] };
  const { destination, signal } = rig.report;
  const queuedAfter = (items: number) =>
    withoutLater(report, [{ destination, signal, items }]).lanes[0]?.queued;
  assertEquals([queuedAfter(0), queuedAfter(10), queuedAfter(50)], [0, 10, 20]);
  return rig.stop();
});
