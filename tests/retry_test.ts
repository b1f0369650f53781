/**
 * Waits: Retry-After in both forms and the backoff of both profiles.
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { backoffMs, holdMs } from "../exporters/backoff.ts";
import { parseHttpDate, resetSeconds, retryAfterMs } from "../exporters/retry_after.ts";

const NOW = Date.parse("2026-11-21T08:00:00Z");
const context = { date: null, wallMs: NOW, maxMs: 300_000, random: () => 0 };

Deno.test("F12: retryAfterMs() takes digits and lists, and treats the rest as absent", () => {
  const cases: [string | null, number | undefined][] = [
    ["20", 20_000],
    [" 20 ", 20_000],
    ["0", 100],
    ["5, 7", 7_000],
    ["abc", undefined],
    ["-5", undefined],
    ["", undefined],
    ["1e3", undefined],
    ["5, x", undefined],
    ["1.5", undefined],
    [null, undefined],
  ];
  for (const [value, expected] of cases) {
    assertStrictEquals(retryAfterMs(value, context), expected, `${value}`);
  }
});

Deno.test("F11: retryAfterMs() caps a day at the configured maximum", () => {
  assertStrictEquals(retryAfterMs("86400", context), 300_000);
});

Deno.test("retryAfterMs() adds jitter, and never waits less than asked", () => {
  assertStrictEquals(retryAfterMs("20", { ...context, random: () => 0.5 }), 21_000);
});

Deno.test("F10: retryAfterMs() reads a date against the answer's Date, not against a wrong clock", () => {
  const date = "Sat, 21 Nov 2026 09:00:00 GMT";
  const after = "Sat, 21 Nov 2026 09:00:30 GMT";
  assertStrictEquals(retryAfterMs(after, { ...context, date }), 30_000);
  assertStrictEquals(retryAfterMs("Sat, 21 Nov 2026 08:00:30 GMT", context), 30_000);
  assertStrictEquals(retryAfterMs("Sat, 21 Nov 2026 07:59:59 GMT", context), undefined);
});

Deno.test("parseHttpDate() reads all three forms of RFC 9110", () => {
  const expected = Date.parse("1994-11-06T08:49:37Z");
  assertStrictEquals(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
  assertStrictEquals(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), expected);
  assertStrictEquals(parseHttpDate("Sun Nov  6 08:49:37 1994"), expected);
  assertStrictEquals(parseHttpDate("1994-11-06"), undefined);
  assertStrictEquals(parseHttpDate("Sun, 99 Nov 1994 08:49:37 GMT"), undefined);
});

Deno.test("backoffMs() keeps every wait inside its full-jitter envelope", () => {
  const ceilings = [1, 2, 4, 8, 16, 32, 60, 60, 60].map((s) => s * 1000);
  const waits = (random: number) =>
    ceilings.map((_, i) => backoffMs(i + 1, { profile: "otlp" }, () => random));
  assertEquals(waits(0), ceilings.map(() => 100));
  assertEquals(waits(1), ceilings);
  assertStrictEquals(backoffMs(5000, { profile: "otlp" }, () => 1), 60_000);
});

Deno.test("backoffMs() of profile heka waits 1, 2, 4, 5 s without jitter", () => {
  assertEquals([1, 2, 3, 4].map((n) => backoffMs(n, { profile: "heka" }, () => 0.3)), [
    1000,
    2000,
    4000,
    5000,
  ]);
});

Deno.test("holdMs() probes a faulty destination between 15 s and 15 min", () => {
  for (let probes = 1; probes < 40; probes++) {
    for (const random of [0, 0.5, 1]) {
      const wait = holdMs(probes, () => random);
      assert(wait >= 15_000 && wait <= 900_000, `${wait}`);
    }
  }
});

Deno.test("resetSeconds() reads a rate limit's reset as what is left or as a time, never as 300 s of waiting", () => {
  const cases: [string | null, number | undefined][] = [
    ["7", 7_000],
    [String(NOW / 1000 + 12), 12_000],
    [String(NOW + 12_500), 13_000],
    [`${NOW / 1000 + 3}.25`, 4_000],
    [String(NOW / 1000 - 5), undefined],
    ["soon", undefined],
    [null, undefined],
  ];
  for (const [value, expected] of cases) {
    assertStrictEquals(retryAfterMs(resetSeconds(value, context), context), expected, `${value}`);
  }
  // The answer's own Date counts, not a clock of ours that is wrong by an hour.
  const wrong = { ...context, date: "Sat, 21 Nov 2026 09:00:00 GMT" };
  assertStrictEquals(resetSeconds(String(NOW / 1000 + 3_604), wrong), "4");
});

Deno.test("backoffMs() takes another beginning, growth and end", () => {
  const backoff = { initialMs: 200, maxMs: 1_000, multiplier: 3 };
  const waits = [1, 2, 3, 1000].map((n) => backoffMs(n, { profile: "otlp", backoff }, () => 1));
  assertEquals(waits, [200, 600, 1_000, 1_000]);
  assertStrictEquals(backoffMs(2, { profile: "otlp", backoff }, () => 0), 100);
});
