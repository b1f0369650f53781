/** How a one-shot verb ends and what it says, from its delivery report (design 6, issue 6.5). */
import { assertEquals } from "@std/assert";
import { judge } from "../commands/verdict.ts";
import { Account } from "../exporters/account.ts";
import type { DropReason } from "../exporters/account.ts";
import type { LaneReport } from "../exporters/report.ts";

const WAITING = {
  queued: 0,
  queuedBytes: 0,
  spoolBytes: 0,
  spoolBatches: 0,
  inherited: 0,
  breaker: "closed",
} as const;

/** A lane that has delivered all but what was dropped. */
function lane(dropped: Partial<Record<DropReason, number>>, more: Partial<LaneReport> = {}): LaneReport {
  const account = new Account();
  return {
    ...{ destination: "default", signal: "metrics", ...WAITING, ...account.columns() },
    ...{ dropped, produced: 40, delivered: 10, ...more },
  };
}

Deno.test("judge() says that points were too old for the destination, and calls them lost", () => {
  const { code, lines } = judge({ lanes: [lane({ too_old: 30 })] }, false);
  assertEquals(code, 69);
  assertEquals(lines[0], "metrics to default: 30 items lost (30 older than the destination takes)");
});

Deno.test("judge() names every reason, and the backend's words behind them", () => {
  const lastFailure = {
    class: "transient",
    cause: "unavailable",
    status: 503,
    message: "busy",
    timeMs: 1,
  } as const;
  const { lines } = judge(
    { lanes: [lane({ too_old: 3, oversize: 1, shutdown: 2 }, { lastFailure })] },
    false,
  );
  assertEquals(
    lines[0],
    "metrics to default: 6 items lost (3 older than the destination takes, 1 larger than the destination takes)" +
      ": 503 unavailable busy",
  );
});

Deno.test("judge() has nothing to say when all was delivered", () => {
  assertEquals(judge({ lanes: [lane({})] }, false), { code: 0, lines: [] });
});
