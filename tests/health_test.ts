/** Health by what was accepted: a row per situation. */
import { assertEquals } from "@std/assert";
import { judgeHealth } from "../commands/health.ts";
import type { LaneReport, LastFailure } from "../exporters/report.ts";

const NOW_MS = 1_800_000_000_000;

const LANE: LaneReport = {
  ...{
    destination: "default",
    signal: "metrics",
    produced: 10,
    delivered: 10,
    rejected: 0,
    dropped: {},
    merged: 0,
  },
  ...{
    quarantined: 0,
    queued: 0,
    queuedBytes: 0,
    spoolBytes: 0,
    spoolBatches: 0,
    inherited: 0,
    attempts: {},
  },
  ...{ durations: [], requestBytes: 0, badResponses: 0, breaker: "closed", lastAcceptedMs: NOW_MS - 5_000 },
};

const failure = (agoMs: number, status?: number): LastFailure => ({
  class: status === 401 || status === 302 ? "destination" : "transient",
  cause: status === 401 ? "auth" : status === 302 ? "redirect" : "refused",
  message: "words",
  timeMs: NOW_MS - agoMs,
  ...(status === undefined ? {} : { status }),
});

const rows:
  readonly (readonly [name: string, lane: Partial<LaneReport>, code: 0 | 69 | 77, why: string[]])[] = [
    ["all is accepted", {}, 0, []],
    ["a lane without data", { produced: 0, delivered: 0 }, 0, []],
    ["a failure that is over", { lastFailure: failure(9_000) }, 0, []],
    ["a short outage", { queued: 5, lastFailure: failure(1_000) }, 0, []],
    [
      "a long outage",
      { queued: 5, lastAcceptedMs: NOW_MS - 120_000, lastFailure: failure(1_000) },
      69,
      ["metrics to default: nothing accepted for 120 s: refused"],
    ],
    ["a silent backlog", { queued: 5, lastAcceptedMs: NOW_MS - 70_000 }, 69, [
      "metrics to default: nothing accepted for 70 s",
    ]],
    ["a refused key", { queued: 5, lastFailure: failure(1_000, 401) }, 77, ["metrics to default: 401 auth"]],
    ["a redirect", { queued: 5, lastFailure: failure(1_000, 302) }, 69, ["metrics to default: 302 redirect"]],
    ["a key that is right again", { lastFailure: failure(9_000, 401) }, 0, []],
  ];

for (const [name, lane, code, why] of rows) {
  Deno.test(`judgeHealth(): ${name}`, () => {
    const pulse = { timeMs: NOW_MS, startedMs: NOW_MS - 600_000, intervalMs: 10_000 };
    assertEquals(judgeHealth({ ...pulse, lanes: [{ ...LANE, ...lane }] }), { code, why });
  });
}

Deno.test("judgeHealth() gives a slow interval its time", () => {
  const pulse = { timeMs: NOW_MS, startedMs: NOW_MS - 600_000, intervalMs: 60_000 };
  const lanes = [{ ...LANE, queued: 5, lastAcceptedMs: NOW_MS - 150_000 }];
  assertEquals(judgeHealth({ ...pulse, lanes }).code, 0);
});
