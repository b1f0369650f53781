/**
 * Backends that are away or busy: waits, order and books in virtual time (F1 to F13 of otlp 5).
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FakeVendor } from "./fake_vendor.ts";
import { LaneRig, range } from "./lane_rig.ts";
import { VirtualClock } from "./virtual_clock.ts";

const MINUTE = 60_000;

function throttled(status: number, headers: Record<string, string>): Response {
  return new Response(null, { status, headers });
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

Deno.test("F1: a port closed for 60 s loses nothing, and every gap is inside its envelope", async () => {
  for (let startValue = 1; startValue <= 20; startValue++) {
    const rig = new LaneRig({ startValue });
    rig.vendor.react = () => rig.clock.mono() < MINUTE ? "refused" : 200;
    rig.give();
    await rig.runTo(160_000);
    const attempts = rig.vendor.times.length;
    assert(attempts >= 4, `${attempts} attempts`);
    gaps(rig.vendor.times).forEach((gap, index) => {
      assert(gap >= 100 && gap <= Math.min(60_000, 1000 * 2 ** index), `gap ${index}: ${gap}`);
    });
    assertEquals(rig.delivered, [1]);
    await rig.stop();
  }
});

Deno.test("F1: forty batches of a short outage are delivered in order within 70 s of its end", async () => {
  for (let startValue = 1; startValue <= 20; startValue++) {
    const rig = new LaneRig({ startValue });
    rig.vendor.react = () => rig.clock.mono() < 40_000 ? "refused" : 200;
    rig.giveEvery(1_000, 120_000);
    await rig.runTo(110_000);
    assertEquals(rig.delivered.slice(0, 40), range(1, 40));
    await rig.runTo(200_000);
    assertEquals(rig.delivered, range(1, 120));
    await rig.stop();
  }
});

Deno.test("F5: a backend that never answers costs one timeout per attempt", async () => {
  const rig = new LaneRig();
  rig.vendor.react = () => rig.clock.mono() < 30_000 ? "hang" : 200;
  rig.give();
  await rig.runTo(2 * MINUTE);
  assertEquals(rig.delivered, [1]);
  gaps(rig.vendor.times).forEach((gap) => assert(gap >= 10_100, `${gap}`));
  assertStrictEquals(
    rig.vendor.renewed,
    rig.vendor.received.filter(({ status }) => status === "hang").length,
  );
  await rig.stop();
});

Deno.test("F3, F4: a batch without an answer is resent byte by byte the same", async () => {
  const rig = new LaneRig();
  rig.vendor.react = (_request, index) => index === 0 ? "closed" : 200;
  rig.give();
  await rig.runTo(2_000);
  assertStrictEquals(rig.vendor.received.length, 2);
  assertEquals(rig.vendor.received[0]?.body, rig.vendor.received[1]?.body);
  await rig.stop();
});

Deno.test("F3: the breaker opens at the fifth failure and closes with the first success", async () => {
  const rig = new LaneRig();
  rig.vendor.react = (_request, index) => index < 5 ? "refused" : 200;
  rig.give();
  let states: string[] = [];
  rig.clock.at(0, () => states = []);
  while (rig.vendor.received.length < 6) {
    await rig.runTo(rig.clock.mono() + 50);
    const state = `${Math.min(rig.vendor.received.length, 6)} ${rig.report.breaker}`;
    if (states.at(-1) !== state) states.push(state);
  }
  assertEquals(states.slice(-3), ["4 closed", "5 open", "6 closed"]);
  await rig.stop();
});

Deno.test("F9: after 429 with Retry-After 20 nothing leaves the lane for 20 s, and other lanes go on", async () => {
  const clock = new VirtualClock();
  const origin = { untilMs: 0 };
  const rig = new LaneRig({ clock, origin });
  const other = new LaneRig({ clock, origin, config: { signal: "logs" } });
  rig.vendor.react = (_request, index) => index === 0 ? throttled(429, { "retry-after": "20" }) : 200;
  rig.giveEvery(1_000, 30_000);
  other.giveEvery(1_000, 30_000);
  await clock.runTo(40_000, () => rig.lane.isWaiting && other.lane.isWaiting);
  const second = rig.vendor.times[1] ?? 0;
  assert(second >= 20_000 && second <= 22_000, `${second}`);
  assertEquals(other.vendor.times, range(0, 29).map((s) => s * 1000));
  assertEquals(rig.delivered, range(1, 30));
  await Promise.all([rig.stop(), other.stop()]);
});

Deno.test("F9: 503 with Retry-After pauses every lane to that origin", async () => {
  const clock = new VirtualClock();
  const origin = { untilMs: 0 };
  const rig = new LaneRig({ clock, origin });
  const other = new LaneRig({ clock, origin, config: { signal: "logs" } });
  rig.vendor.react = (_request, index) => index === 0 ? throttled(503, { "retry-after": "20" }) : 200;
  rig.give();
  clock.at(1_000, () => other.give());
  await clock.runTo(40_000, () => rig.lane.isWaiting && other.lane.isWaiting);
  assert((other.vendor.times[0] ?? 0) >= 20_000, `${other.vendor.times}`);
  await Promise.all([rig.stop(), other.stop()]);
});

Deno.test("F11: Retry-After of a day waits for the cap, probes once and drops nothing", async () => {
  const rig = new LaneRig();
  rig.vendor.react = (_request, index) => index === 0 ? throttled(503, { "retry-after": "86400" }) : 200;
  rig.give();
  await rig.runTo(340_000);
  const second = rig.vendor.times[1] ?? 0;
  assert(second >= 300_000 && second <= 330_000, `${second}`);
  assertEquals(rig.delivered, [1]);
  await rig.stop();
});

Deno.test("F12: a malformed Retry-After means ordinary backoff", async () => {
  for (const value of ["abc", "-5", "", "1e3"]) {
    const rig = new LaneRig();
    rig.vendor.react = (_request, index) => index === 0 ? throttled(429, { "retry-after": value }) : 200;
    rig.give();
    await rig.runTo(1_500);
    const gap = gaps(rig.vendor.times)[0] ?? Infinity;
    assert(gap >= 100 && gap <= 1_000, `"${value}": ${gap}`);
    await rig.stop();
  }
});

Deno.test("F13: twenty 429 without a header wait ever longer, no two gaps alike, with the breaker open", async () => {
  const rig = new LaneRig();
  rig.vendor.react = (_request, index) => index < 20 ? 429 : 200;
  rig.give();
  await rig.runTo(30 * MINUTE);
  const waits = gaps(rig.vendor.times);
  assertStrictEquals(waits.length, 20);
  assertStrictEquals(new Set(waits).size, 20);
  waits.forEach((gap) => assert(gap <= 60_000, `${gap}`));
  assertEquals(rig.report.attempts, { "429": 20, "200": 1 });
  await rig.stop();
});

Deno.test("profile heka: five attempts 1, 2, 4, 5 s apart, then 500 is dropped and 503 is kept", async () => {
  for (const [status, dropped] of [[500, { retries_exhausted: 10 }], [503, {}]] as const) {
    const rig = new LaneRig({ config: { retry: { profile: "heka", retryAfterMaxMs: 300_000 } } });
    rig.vendor.react = () => status;
    rig.give();
    await rig.runTo(12_000);
    assertEquals(gaps(rig.vendor.times.slice(0, 5)), [1000, 2000, 4000, 5000]);
    assertEquals(rig.report.dropped, dropped);
    await rig.stop();
  }
});

Deno.test("F28: a black-holed destination does not delay a healthy one, and memory stays bounded", async () => {
  const clock = new VirtualClock();
  const dead = new LaneRig({ clock, vendor: new FakeVendor(clock, () => "hang") });
  const healthy = new LaneRig({ clock });
  dead.giveEvery(10_000, 60 * MINUTE);
  healthy.giveEvery(10_000, 60 * MINUTE);
  await clock.runTo(
    60 * MINUTE,
    () => healthy.lane.isWaiting && (dead.lane.isWaiting || dead.vendor.hanging > 0),
  );
  assertEquals(healthy.vendor.times, range(0, 359).map((n) => n * 10_000));
  assertStrictEquals(dead.report.queued, 3_600);
  await Promise.all([dead.stop(), healthy.stop()]);
});
