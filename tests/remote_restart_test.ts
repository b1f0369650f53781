/**
 * Remote configuration that only a restart can try (design 2): the received one is handed to the next life, which
 * proves it or ends for the one before. Whatever the process dies in, that is what is found on disk.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Overlay } from "../config/remote_policy.ts";
import { VirtualClock } from "./opamp_clock.ts";
import { bootMachine, decide, type MachineRig, MemoryStore, offerOf, OPEN_RULES } from "./remote_rig.ts";

const LIVE = { SONDE_INTERVAL: "2s" };
const FIXED = { SONDE_COMPRESSION: "none" };
const OTHER = { SONDE_COMPRESSION: "none", SONDE_INTERVAL: "3s" };

/** One life on a disk and a clock that outlive it. */
function boot(
  disk: { readonly store: MemoryStore; readonly clock: VirtualClock },
  more: Parameters<typeof bootMachine>[0] = {},
): Promise<MachineRig> {
  return bootMachine({ ...disk, fixed: "SONDE_COMPRESSION", ...more });
}

function newDisk() {
  return { store: new MemoryStore(), clock: new VirtualClock() };
}

/** A disk on which `LIVE` is proven under hash 0a, and a life that was asked for `values` under 0b. */
async function handedOver(values: Overlay) {
  const disk = newDisk();
  const first = await boot(disk);
  await decide(first, offerOf(0xa, LIVE));
  await decide(first, offerOf(0xb, values));
  return { disk, first };
}

const hasMarker = ({ store }: { store: MemoryStore }) => store.files.has("applying.json");

Deno.test("what needs a restart is APPLYING, handed to the next life, and APPLIED there after probation", async () => {
  const { disk, first } = await handedOver(FIXED);
  assertEquals(first.told, ["applying 0a", "applied 0a", "applying 0b"]);
  assertEquals([first.target.restarts, first.target.applied], [1, [LIVE]]);
  await first.machine.stop();
  assert(hasMarker(disk), "the marker goes to the next life");

  const second = await boot(disk);
  assertEquals([second.booted, second.machine.phase], [FIXED, "probation"]);
  assertEquals(second.machine.status.state, "applying");
  await second.clock.advance(29_000);
  assertEquals(second.told, []);
  await second.clock.advance(3_000);
  assertEquals([second.told, second.target.restarts], [["applied 0b"], 0]);
  assert(!hasMarker(disk));

  const third = await boot(disk);
  assertEquals([third.booted, third.machine.status.state], [FIXED, "applied"]);
});

Deno.test("a life killed while it tries is the last one with that configuration", async () => {
  const { disk } = await handedOver(FIXED);
  const second = await boot(disk);
  await second.clock.advance(5_000);
  const third = await boot(disk);
  assertEquals([third.booted, third.told], [LIVE, ["failed 0b: sonde stopped while applying"]]);
  await decide(third, offerOf(0xb, FIXED));
  assertEquals([third.target.restarts, third.told.length], [0, 1]);
});

Deno.test("a trial that does badly is FAILED, and the process ends once more for the one before", async () => {
  const { disk } = await handedOver(FIXED);
  const second = await boot(disk);
  second.target.observation = { ...second.target.observation, isExportFailing: true };
  await second.clock.advance(60_000);
  assertEquals(second.told, ["failed 0b: rolled back; running 0a: delivery fails since the change"]);
  assertEquals(second.target.restarts, 1);
  await second.machine.stop();
  assert(!hasMarker(disk));
  const third = await boot(disk);
  assertEquals([third.booted, third.machine.status.state], [LIVE, "failed"]);
  assertEquals(third.target.restarts, 0);
});

Deno.test("a backend that was down before the restart is no fault of what is tried", async () => {
  const disk = newDisk();
  const first = await boot(disk);
  first.target.observation = { ...first.target.observation, isExportFailing: true };
  await decide(first, offerOf(0xb, FIXED));
  const second = await boot(disk);
  second.target.observation = { ...second.target.observation, isExportFailing: true };
  await second.clock.advance(60_000);
  assertEquals(second.told, ["applied 0b"]);
});

Deno.test("a stop in good order keeps the marker and is tried again, three lives in all", async () => {
  const { disk } = await handedOver(FIXED);
  for (let life = 1; life <= 3; life++) {
    const rig = await boot(disk);
    assertEquals(rig.booted, FIXED, `life ${life}`);
    await rig.clock.advance(2_000);
    await rig.machine.stop();
  }
  const fourth = await boot(disk);
  assertEquals(fourth.booted, LIVE);
  assertEquals(fourth.told, ["failed 0b: sonde was stopped 3 times while trying it"]);
});

Deno.test("a trial that does not load, or is judged otherwise today, gives way to the proven one", async () => {
  const { disk } = await handedOver(FIXED);
  const locked = { ...OPEN_RULES, locked: new Map([["SONDE_COMPRESSION", "env"]]) };
  const judged = await boot({ ...disk, store: copyOf(disk.store) }, { rules: locked });
  assertEquals(judged.booted, LIVE);
  assertEquals(judged.told, ["failed 0b: /SONDE_COMPRESSION: is locked: set by env"]);

  assertEquals((await boot(disk)).booted, FIXED);
  const refused = await boot(disk, { fault: "/SONDE_COMPRESSION: cannot be had" });
  assertEquals(refused.booted, LIVE);
  assertEquals(refused.told, ["failed 0b: /SONDE_COMPRESSION: cannot be had"]);
  assert(!hasMarker(disk));
});

Deno.test("a received configuration that was lost or is another one is not tried", async () => {
  for (const bytes of [undefined, new Uint8Array([0xff]), new Uint8Array()]) {
    const { disk } = await handedOver(FIXED);
    if (bytes === undefined) disk.store.files.delete("received.bin");
    else disk.store.files.set("received.bin", bytes);
    const second = await boot(disk);
    assertEquals([second.booted, second.told], [LIVE, ["failed 0b: sonde stopped while applying"]]);
  }
});

Deno.test("an offer while another one is tried takes its place", async () => {
  const { disk } = await handedOver(FIXED);
  const second = await boot(disk);
  await decide(second, offerOf(0xc, OTHER));
  assertEquals(second.told, ["applying 0c", "applied 0c"]);
  assertEquals([second.target.applied, second.target.restarts], [[OTHER], 0]);
  assertEquals((await boot(disk)).booted, OTHER);
});

Deno.test("the proven configuration offered while another one is tried returns", async () => {
  const { disk } = await handedOver(FIXED);
  const second = await boot(disk);
  await decide(second, offerOf(0xa, LIVE));
  assertEquals([second.told, second.target.restarts], [["applying 0a"], 1]);
  await second.machine.stop();
  const third = await boot(disk);
  await third.clock.advance(60_000);
  assertEquals([third.booted, third.told], [LIVE, ["applied 0a"]]);
});

Deno.test("a server cannot have the process restarted for ever", async () => {
  const disk = newDisk();
  const told: string[] = [];
  let restarts = 0;
  for (let life = 0; life < 12; life++) {
    const rig = await boot(disk);
    await decide(rig, offerOf(0x10 + life, { SONDE_COMPRESSION: life % 2 === 0 ? "none" : "gzip" }));
    told.push(...rig.told);
    restarts += rig.target.restarts;
    await rig.machine.stop();
  }
  // A minute each: the window holds ten of them.
  assert(restarts >= 5 && restarts <= 8, `${restarts}`);
  assertMatch(told.join("\n"), /failed .*too many in ten minutes/);
});

Deno.test("without a disk, what needs a restart is FAILED", async () => {
  const rig = await boot(newDisk());
  rig.store.cutAt = 0;
  await decide(rig, offerOf(1, FIXED));
  assertEquals(rig.told, ["applying 01", "failed 01: needs a restart, and cannot be written down for it"]);
  assertEquals(rig.target.restarts, 0);
});

Deno.test("silence that only a restart can answer ends the process once", async () => {
  const disk = newDisk();
  const stalenessMs = 3_600_000;
  await decide(await boot(disk), offerOf(0xb, FIXED));
  const proven = await boot(disk, { stalenessMs });
  await proven.clock.advance(60_000);
  proven.machine.contact();
  await proven.clock.advance(3_700_000);
  assertEquals(proven.target.restarts, 1);
  await proven.machine.stop();
  const stale = await boot(disk, { stalenessMs });
  assertEquals([stale.booted, stale.machine.phase], [{}, "stale"]);
  stale.machine.contact();
  await stale.clock.advance(1);
  assertEquals(stale.target.restarts, 1);
  await stale.machine.stop();
  const back = await boot(disk, { stalenessMs });
  assertEquals([back.booted, back.machine.phase], [FIXED, "steady"]);
  await back.machine.stop();
});

Deno.test("a start soon after the last contact is not stale, however short the time that counts", async () => {
  const disk = newDisk();
  const stalenessMs = 60_000;
  const first = await boot(disk, { stalenessMs });
  await decide(first, offerOf(0xa, LIVE));
  for (let seconds = 0; seconds < 600; seconds += 5) {
    first.machine.contact();
    await first.clock.advance(5_000);
  }
  await first.machine.stop();
  const second = await boot(disk, { stalenessMs });
  assertEquals([second.booted, second.machine.phase], [LIVE, "steady"]);
  await second.machine.stop();
});

/** The files of a disk that has power again. */
function copyOf(store: MemoryStore): MemoryStore {
  const copy = new MemoryStore();
  for (const [name, bytes] of store.files) copy.files.set(name, bytes);
  return copy;
}

/** What the next life makes of a disk: never anything but a proven configuration, or the trial's next attempt. */
async function assertSound(store: MemoryStore, clock: VirtualClock): Promise<void> {
  const next = await boot({ store, clock });
  const { state, hash } = next.machine.status;
  const known = [LIVE, FIXED].map((each) => JSON.stringify(each));
  assert(known.includes(JSON.stringify(next.booted)), JSON.stringify(next.booted));
  if (state === "applied") assertEquals(next.booted, hash[0] === 0xa ? LIVE : FIXED);
  if (state === "failed") assertEquals([hash[0], next.booted], [0xb, LIVE]);
  await next.clock.advance(60_000);
  await decide(next, offerOf(0xc, { ...next.booted, SONDE_INTERVAL: "7s" }));
  assertEquals(next.told.at(-1), "applied 0c");
  assert(!store.files.has("applying.json"));
}

const HAND_OVER_CHANGES = 4;
for (let cutAt = 0; cutAt <= HAND_OVER_CHANGES; cutAt++) {
  Deno.test(`C44 killed after write ${cutAt} of a hand-over, the next life is sound`, async () => {
    const disk = newDisk();
    const rig = await boot(disk);
    await decide(rig, offerOf(0xa, LIVE));
    rig.store.changes = 0;
    rig.store.cutAt = cutAt;
    await decide(rig, offerOf(0xb, FIXED));
    assertEquals(rig.store.changes > cutAt, cutAt < HAND_OVER_CHANGES);
    await assertSound(copyOf(rig.store), disk.clock);
  });
}

const TRIAL_CHANGES = { well: 5, badly: 4 } as const;
for (const outcome of ["well", "badly"] as const) {
  for (let cutAt = 0; cutAt <= TRIAL_CHANGES[outcome]; cutAt++) {
    Deno.test(`C44 killed after write ${cutAt} of a trial that does ${outcome}, the next life is sound`, async () => {
      const { disk } = await handedOver(FIXED);
      disk.store.changes = 0;
      disk.store.cutAt = cutAt;
      const rig = await boot(disk);
      const isExportFailing = outcome === "badly";
      rig.target.observation = { ...rig.target.observation, isExportFailing };
      await rig.clock.advance(60_000);
      assertEquals(disk.store.changes > cutAt, cutAt < TRIAL_CHANGES[outcome]);
      await assertSound(copyOf(disk.store), disk.clock);
    });
  }
}
