/**
 * Outages with a disk: what is kept, in which order it leaves, and what another life finds (F29, F33 to F42).
 * @module
 */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FakeVendor } from "./fake_vendor.ts";
import { range } from "./lane_rig.ts";
import { inFolder, SpoolRig } from "./spool_rig.ts";
import { VirtualClock } from "./virtual_clock.ts";

const MINUTE = 60_000;

Deno.test("all is well: nothing is written", () =>
  inFolder(async (path) => {
    const rig = await SpoolRig.open({ path });
    rig.giveEvery(10_000, 10 * MINUTE);
    await rig.runTo(10 * MINUTE);
    assertEquals(rig.delivered, range(1, 60));
    assertStrictEquals(rig.report.spoolBytes, 0);
    const files = [...Deno.readDirSync(path)].map(({ name }) => name).toSorted();
    assertEquals(files.filter((name) => !/^[0-9a-f]{16}$/.test(name)), ["inbox", "spool.lock"]);
    await rig.end();
  }));

Deno.test("in an outage every batch is on disk before the next one comes", () =>
  inFolder(async (path) => {
    for (const reaction of ["refused", "hang"] as const) {
      const rig = await SpoolRig.open({ path: `${path}/${reaction}` });
      rig.vendor.react = () => reaction;
      for (let n = 1; n <= 30; n++) {
        rig.give();
        await rig.runTo(n * 1_000);
        assertStrictEquals(rig.report.spoolBatches, n, `${reaction} after ${n} s`);
      }
      await rig.end(100);
    }
  }));

Deno.test("F34: what a stop leaves, the next life delivers, oldest first", () =>
  inFolder(async (path) => {
    const first = await SpoolRig.open({ path });
    first.vendor.react = () => "refused";
    first.giveEvery(1_000, 20_000);
    await first.runTo(20_000);
    await first.end();
    assertEquals([first.report.queued, first.report.dropped], [200, {}]);
    const second = await SpoolRig.open({ path });
    assertEquals([second.report.inherited, second.report.queued, second.report.produced], [200, 200, 200]);
    await second.runTo(MINUTE);
    assertEquals(second.delivered, range(1, 20));
    await second.end();
    const third = await SpoolRig.open({ path });
    assertEquals([third.report.queued, third.report.spoolBytes], [0, 0]);
    await third.end();
  }));

Deno.test("F36: a life that ends without a word leaves every batch of the outage to the next", () =>
  inFolder(async (path) => {
    const clock = new VirtualClock();
    const first = await SpoolRig.open({ path, clock });
    first.vendor.react = () => "hang";
    first.giveEvery(1_000, 20_000);
    await first.runTo(19_300);
    // No close: the files stay as they are, as after SIGKILL; the lock goes with the process, here with the copy.
    await Deno.mkdir(`${path}/copy`);
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory && name !== "copy") await copyFolder(`${path}/${name}`, `${path}/copy/${name}`);
    }
    const second = await SpoolRig.open({ path: `${path}/copy` });
    await second.runTo(MINUTE);
    assertEquals(second.delivered, range(1, 20));
    await second.end();
    await first.end(100);
  }));

Deno.test("F29: an outage longer than the spool keeps the newest and counts the rest exactly", () =>
  inFolder(async (path) => {
    const rig = await SpoolRig.open({ path, bytesMax: 64 * 1024 });
    rig.vendor.react = () => rig.clock.mono() < 20 * MINUTE ? "refused" : 200;
    for (let n = 0; n < 200; n++) rig.clock.at(n * 5_000, () => rig.give({}, 1_000));
    await rig.runTo(20 * MINUTE);
    const { queued, dropped, spoolBytes } = rig.report;
    assert(spoolBytes <= 64 * 1024, `${spoolBytes}`);
    assertEquals(dropped, { spool_full: 2_000 - queued });
    assert(queued >= 500, `${queued}`);
    await rig.runTo(60 * MINUTE);
    assertEquals(rig.delivered, range(201 - queued / 10, 200));
    assertStrictEquals(rig.logs.length < 40, true);
    await rig.end();
  }));

Deno.test("F35: a second stop keeps what the first had no time for", () =>
  inFolder(async (path) => {
    const rig = await SpoolRig.open({ path });
    rig.vendor.react = () => "hang";
    for (let i = 0; i < 5; i++) rig.give();
    await rig.runTo(100);
    rig.clock.at(200, () => rig.lane.flush({ deadlineMs: 0, final: true, brief: true }));
    await rig.end();
    assertEquals([rig.report.queued, rig.report.spoolBatches], [50, 5]);
  }));

Deno.test("F33: a brief stop in the middle of a drain leaves the rest on disk", () =>
  inFolder(async (path) => {
    const clock = new VirtualClock();
    const first = await SpoolRig.open({ path, clock });
    first.vendor.react = () => "refused";
    for (let i = 0; i < 50; i++) first.give();
    await first.runTo(1_000);
    await first.end();
    const slow = new FakeVendor(clock, async () => {
      slow.hanging++;
      await clock.sleep(100);
      slow.hanging--;
      return 200;
    });
    const second = await SpoolRig.open({ path, clock, vendor: slow });
    let endedMs = Infinity;
    const begunMs = clock.mono();
    second.running.then(() => endedMs = clock.mono());
    const flushed = second.lane.flush({ deadlineMs: 5_000, final: true, brief: true });
    await clock.runTo(begunMs + 5_000, () => second.isAtRest);
    await flushed;
    assert(endedMs - begunMs <= 1_700, `${endedMs - begunMs}`);
    assertStrictEquals(second.report.delivered + second.report.queued, 500);
    await second.spool.close();
  }));

Deno.test("F41: a second process on the same spool lives in memory and says why", () =>
  inFolder(async (path) => {
    const first = await SpoolRig.open({ path });
    const second = await SpoolRig.open({ path });
    assert(/another process/.test(second.spool.fault ?? ""), second.spool.fault);
    assertStrictEquals(second.spool.notes.length, 1);
    second.give();
    await second.runTo(1_000);
    assertEquals(second.delivered, [1]);
    await Promise.all([first.end(), second.end()]);
  }));

Deno.test("F42: a delta batch and its baseline are on disk before the first attempt, and survive", () =>
  inFolder(async (path) => {
    const config = { temporality: "delta" } as const;
    const first = await SpoolRig.open({ path, config });
    let storedAtFirst = 0;
    first.vendor.react = () => {
      storedAtFirst = first.report.spoolBatches;
      return 200;
    };
    for (let n = 1; n <= 3; n++) {
      first.give({ deltaBaseline: `{"cycle":${n}}` });
      await first.runTo(n * 10_000);
    }
    assertStrictEquals(storedAtFirst, 1);
    assertEquals([first.report.delivered, first.report.queued], [30, 0]);
    await first.end();
    for (let life = 0; life < 2; life++) {
      const next = await SpoolRig.open({ path, config });
      assertEquals(next.spool.baselines, [{
        destination: "default",
        signal: "metrics",
        baseline: '{"cycle":3}',
      }]);
      assertStrictEquals(next.report.queued, 0);
      await next.end();
    }
  }));

Deno.test("F44: poison goes to the dead ring, the others flow", () =>
  inFolder(async (path) => {
    const rig = await SpoolRig.open({ path });
    rig.vendor.react = ({ body }) => new TextDecoder().decode(body).startsWith("batch 3 ") ? "closed" : 200;
    rig.giveEvery(1_000, 60_000);
    await rig.runTo(5 * MINUTE);
    assertEquals(rig.delivered.toSorted((a, b) => a - b), range(1, 60).filter((n) => n !== 3));
    assertEquals([rig.report.quarantined, rig.report.queued, rig.report.dropped], [10, 0, {}]);
    await rig.end();
  }));

Deno.test("a spool of another endpoint is not sent to this one", () =>
  inFolder(async (path) => {
    const first = await SpoolRig.open({ path });
    first.vendor.react = () => "refused";
    first.give();
    await first.runTo(1_000);
    await first.end();
    const other = await SpoolRig.open({ path, config: { url: "http://127.0.0.1:9999/v1/metrics" } });
    assertStrictEquals(other.report.queued, 0);
    await other.end();
    const back = await SpoolRig.open({ path });
    await back.runTo(1_000);
    assertEquals(back.delivered, [1]);
    await back.end();
  }));

Deno.test("the spool of another endpoint goes when it is too old for anyone, and not before", () =>
  inFolder(async (path) => {
    const first = await SpoolRig.open({ path });
    first.vendor.react = () => "refused";
    for (let n = 0; n < 3; n++) first.give();
    await first.runTo(1_000);
    await first.end();
    const hours = async (age: number) => {
      const clock = new VirtualClock();
      // Files are dated by the real clock.
      clock.wallStepMs = Date.now() + age * 3_600_000 - clock.wall();
      const other = await SpoolRig.open({
        path,
        clock,
        config: { url: "http://127.0.0.1:9999/v1/metrics" },
      });
      await other.spool.removeForeign();
      const said = other.diskLogs.map(({ event, fields }) => `${event}: ${fields?.["items"]}`);
      await other.end();
      return said;
    };
    assertEquals(await hours(47), []);
    assertEquals(await hours(49), ["removed the old spool of another endpoint: 30"]);
    const back = await SpoolRig.open({ path });
    assertStrictEquals(back.report.queued, 0);
    await back.end();
  }));

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
