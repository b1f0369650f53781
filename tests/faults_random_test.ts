/**
 * A vendor that answers anything, fleets that come back together, deltas through failures and restarts: properties
 * over many random runs with fixed start values. SOAK=1 runs them long.
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Reaction } from "./fake_vendor.ts";
import { FakeVendor } from "./fake_vendor.ts";
import { LaneRig } from "./lane_rig.ts";
import { inFolder, SpoolRig } from "./spool_rig.ts";
import { randomFrom, VirtualClock } from "./virtual_clock.ts";

const MINUTE = 60_000;
const SOAK = Deno.env.get("SOAK") === "1";

const HEADERS: readonly Record<string, string>[] = [
  {},
  { "retry-after": "3" },
  { "retry-after": "Sat, 21 Nov 2026 00:00:07 GMT", date: "nonsense" },
  { "content-type": "text/html" },
  { "content-type": "application/json" },
  { "content-type": "application/x-protobuf", date: "Sat, 21 Nov 2026 00:00:00 GMT" },
  { location: "http://elsewhere/" },
];

/** Any answer at all, with a bias to success so that lanes make progress. */
function anything(random: () => number): Reaction {
  const roll = random();
  if (roll < 0.5) return 200;
  if (roll < 0.55) return "hang";
  if (roll < 0.6) return "refused";
  if (roll < 0.65) return "closed";
  const status = 200 + Math.floor(random() * 400);
  const headers = HEADERS[Math.floor(random() * HEADERS.length)] ?? {};
  const bytes = new Uint8Array(Math.floor(random() * 40)).map(() => random() * 256);
  const hasNoBody = [204, 205, 304].includes(status);
  return new Response(hasNoBody ? null : bytes, { status, headers });
}

Deno.test("random answers: the books close after each, and the lane always ends", async () => {
  const answers = SOAK ? 100_000 : 4_000;
  let seen = 0;
  for (let startValue = 1; seen < answers; startValue++) {
    const random = randomFrom(startValue);
    const rig = new LaneRig({ startValue });
    rig.vendor.react = () => anything(random);
    rig.giveEvery(5_000, 40 * MINUTE);
    await rig.runTo(60 * MINUTE);
    await rig.stop();
    assertStrictEquals(rig.report.queued, 0);
    assert(rig.logs.length < 120, `${rig.logs.length} lines in an hour`);
    seen += rig.vendor.received.length;
  }
});

Deno.test("F42: deltas are conserved through 30 % failures and restarts, none is lost or sent in two versions", () =>
  inFolder(async (path) => {
    const clock = new VirtualClock();
    const random = randomFrom(42);
    const accepted = new Map<number, string>();
    let cycle = 0;
    for (let life = 0; life < (SOAK ? 60 : 8); life++) {
      const vendor = new FakeVendor(clock, ({ body }) => {
        if (random() < 0.3) return random() < 0.5 ? "closed" : 503;
        const text = new TextDecoder().decode(body).trim();
        const number = Number(/cycle (\d+)/.exec(text)?.[1]);
        assertStrictEquals(accepted.get(number) ?? text, text);
        accepted.set(number, text);
        return 200;
      });
      const rig = await SpoolRig.open({ path, clock, vendor, config: { temporality: "delta" } });
      const [kept] = rig.spool.baselines;
      assertStrictEquals(Number(kept?.baseline ?? 0), cycle, "the next life begins where the last one ended");
      for (let n = 0; n < 20; n++) {
        cycle++;
        const bytes = new TextEncoder().encode(`cycle ${cycle} ${random()}`);
        rig.giveBody(bytes, { sequence: cycle, deltaBaseline: String(cycle) });
        await rig.runTo(clock.mono() + 10_000);
      }
      await rig.end(0);
    }
    const last = await SpoolRig.open({ path, clock, config: { temporality: "delta" } });
    await last.runTo(clock.mono() + 30 * MINUTE);
    for (const { body } of last.vendor.accepted) {
      accepted.set(Number(/cycle (\d+)/.exec(new TextDecoder().decode(body))?.[1]), "");
    }
    assertEquals(
      [...accepted.keys()].toSorted((a, b) => a - b),
      Array.from({ length: cycle }, (_, n) => n + 1),
    );
    await last.end();
  }));

Deno.test("F43: a fleet that comes back after ten minutes stays under three times its steady rate", async () => {
  const agents = SOAK ? 1_000 : 30;
  const clock = new VirtualClock();
  const outage = { from: 30_000, to: 30_000 + 10 * MINUTE };
  const arrivals: number[] = [];
  const react = () => {
    if (clock.mono() >= outage.from && clock.mono() < outage.to) return "refused";
    arrivals.push(clock.mono());
    return 200;
  };
  const fleet = Array.from({ length: agents }, (_, index) => {
    const rig = new LaneRig({ clock, vendor: new FakeVendor(clock, react) });
    // Each agent began at its own time.
    const next = (at: number) =>
      clock.at(at, () => {
        rig.give();
        if (at + 10_000 < 22 * MINUTE) next(at + 10_000);
      });
    next((index / agents) * 10_000);
    return rig;
  });
  await clock.runTo(22 * MINUTE, () => fleet.every(({ lane }) => lane.isWaiting));
  const windowMs = 10_000;
  const counts = new Map<number, number>();
  for (const at of arrivals) {
    counts.set(Math.floor(at / windowMs), (counts.get(Math.floor(at / windowMs)) ?? 0) + 1);
  }
  const peak = Math.max(...counts.values());
  assert(peak <= 3 * agents, `peak ${peak} per 10 s, steady ${agents}`);
  for (const { report } of fleet) assertEquals([report.queued, report.delivered], [0, report.produced]);
  await Promise.all(fleet.map(({ lane }) => lane.flush({ deadlineMs: 0, final: true, brief: true })));
});
