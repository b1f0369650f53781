/**
 * The breaker's states and waits, and the pacer's.
 * @module
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { Breaker } from "../exporters/breaker.ts";
import { Pacer } from "../exporters/pacer.ts";

Deno.test("Breaker: five failures open it, a probe half-opens it, a success closes it", () => {
  const breaker = new Breaker({ profile: "otlp" }, () => 1);
  const states: string[] = [];
  for (let n = 0; n < 5; n++) {
    breaker.begin();
    states.push(breaker.state);
    breaker.fail(0);
  }
  states.push(breaker.state);
  breaker.begin();
  states.push(breaker.state);
  breaker.succeed();
  states.push(breaker.state);
  assertEquals(states, ["closed", "closed", "closed", "closed", "closed", "open", "half_open", "closed"]);
});

Deno.test("Breaker: its delay is the backoff, and starts anew after a success", () => {
  const breaker = new Breaker({ profile: "otlp" }, () => 1);
  const waits = [1, 2, 3, 4, 5, 6, 7, 8].map(() => {
    breaker.fail(1_000);
    return breaker.nextMs - 1_000;
  });
  assertEquals(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  breaker.succeed();
  breaker.fail(0);
  assertStrictEquals(breaker.nextMs, 1_000);
});

Deno.test("Breaker: a wait the server asked for is known as such", () => {
  const breaker = new Breaker({ profile: "otlp" }, () => 0);
  breaker.fail(0, 20_000);
  assertEquals([breaker.nextMs, breaker.isAsked], [20_000, true]);
  breaker.fail(0);
  assertEquals([breaker.nextMs, breaker.isAsked], [100, false]);
});

Deno.test("Breaker: one class C opens it, and new credentials are tried at once", () => {
  const breaker = new Breaker({ profile: "otlp" }, () => 1);
  breaker.hold(0);
  assertEquals([breaker.state, breaker.nextMs], ["open", 30_000]);
  breaker.retryNow();
  assertEquals([breaker.state, breaker.nextMs], ["open", 0]);
});

Deno.test("Breaker: its threshold and its reset time can be others", () => {
  const breaker = new Breaker({ profile: "otlp", breaker: { failures: 2, resetMs: 7_000 } }, () => 1);
  breaker.fail(0);
  assertEquals([breaker.state, breaker.nextMs], ["closed", 1_000]);
  breaker.fail(1_000);
  assertEquals([breaker.state, breaker.nextMs], ["open", 8_000]);
  breaker.fail(8_000, 20_000);
  assertStrictEquals(breaker.nextMs, 28_000);
  breaker.hold(28_000);
  assertStrictEquals(breaker.nextMs, 35_000);
});

Deno.test("Breaker: nineteen refusals do not hold the lane, the twentieth does", () => {
  const breaker = new Breaker({ profile: "otlp" }, () => 1);
  for (let n = 0; n < 19; n++) breaker.refuse(0);
  assertStrictEquals(breaker.state, "closed");
  breaker.refuse(0);
  assertStrictEquals(breaker.state, "open");
});

/** Spacing between requests `afterMs` into a drain that followed an outage of `outageMs`. */
function spacing(outageMs: number, { gapMs = 10_000, afterMs = 0, sinceFailureMs = 0 } = {}): number {
  const pacer = new Pacer();
  pacer.arrived(0);
  pacer.arrived(gapMs);
  pacer.failed(0);
  pacer.failed(outageMs - sinceFailureMs);
  pacer.resumed(outageMs);
  pacer.sent(outageMs + afterMs);
  return pacer.nextMs - outageMs - afterMs;
}

Deno.test("Pacer: after a short outage forty batches fit into what is left of 70 s", () => {
  assertStrictEquals(spacing(100_000) * 40, 62_000);
  assertStrictEquals(spacing(100_000, { sinceFailureMs: 58_000 }), 100);
  // Never slower than half the time between arrivals, or the drain would not end.
  assertStrictEquals(spacing(100_000, { gapMs: 1_000 }), 500);
});

Deno.test("Pacer: after a long outage a lane begins near its own rate and doubles every ten minutes", () => {
  const waits = [0, 10, 20, 30, 120].map((minutes) => spacing(3_600_000, { afterMs: minutes * 60_000 }));
  assertEquals(waits, [4_000, 2_000, 1_000, 500, 500]);
});
