/** What is between the receiver and the courier at most, and what a request does that finds it full. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type FlightBudget, Share } from "../exporters/receiver_body.ts";
import { RefusedRequest } from "../exporters/receiver_refusal.ts";
import { logs } from "./received_samples.ts";
import { Rig } from "./receiver_rig.ts";

/** Two of these are more than may be under way. */
const LARGE = logs(10_000);
const ROOM = { type: "room", bytes: 100_000_000 } as const;

/** Lets everything happen that does not wait for time or the courier. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

function requestOf(budget: FlightBudget) {
  const share = new Share(budget);
  return { signal: "logs", encoding: "protobuf", isGzipped: false, body: LARGE.slice(), share } as const;
}

Deno.test("while the courier is behind a request waits, and goes on when it has caught up", async () => {
  await using rig = new Rig({ room: ROOM.bytes });
  assert(LARGE.length > 1_100_000 && LARGE.length < 2_000_000, String(LARGE.length));
  assertEquals((await rig.intake.take(requestOf(rig.budget))).status, 200);
  rig.intake.sendAll();
  const first = rig.batches.length;
  const second = rig.intake.take(requestOf(rig.budget));
  await settle();
  assertEquals(rig.batches.length, first);
  rig.handOver.hear({ ...ROOM, sequence: first });
  assertEquals((await second).status, 200);
  rig.intake.sendAll();
  assertEquals(rig.batches.length, 2 * first);
});

Deno.test("a request that waited 3 s for the courier, or into the stop, is answered 503", async () => {
  await using rig = new Rig({ room: ROOM.bytes });
  await rig.intake.take(requestOf(rig.budget));
  rig.intake.sendAll();
  const first = rig.batches.length;
  let isOver = false;
  const late = assertRejects(() => rig.intake.take(requestOf(rig.budget)), RefusedRequest, "full")
    .finally(() => isOver = true);
  await settle();
  rig.pass(2_900);
  await settle();
  assert(!isOver);
  rig.pass(200);
  assertEquals((await late).status, 503);
  const last = assertRejects(() => rig.intake.take(requestOf(rig.budget)), RefusedRequest, "full");
  await settle();
  rig.intake.stopWaiting();
  assertEquals([(await last).status, rig.batches.length, rig.report().deferred], [503, first, 20_000]);
});

Deno.test("one request alone may be larger than what may be under way, and goes out in batches", async () => {
  await using rig = new Rig({ room: ROOM.bytes });
  const body = logs(16_000);
  assert(body.length > 2_097_152);
  assertEquals((await rig.intake.take({ ...requestOf(rig.budget), body })).status, 200);
  rig.intake.sendAll();
  assert(rig.batches.every((it) => it.body.length <= 524_288));
  assertEquals(rig.batches.reduce((total, it) => total + (it.headers[0]?.items ?? 0), 0), 16_000);
});
