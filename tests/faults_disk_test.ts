/**
 * Disks that are full or gone: memory takes over, one line says so, and the disk is used again when it
 * can be (F40 of otlp 5). Needs the right to mount a small tmpfs; without it the tests are skipped, and say so.
 * @module
 */
import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { range } from "./lane_rig.ts";
import { canLoop, canMount, onFailingDisk, onRemountedDisk, onSmallDisk } from "./small_disk.ts";
import { inFolder, SpoolRig } from "./spool_rig.ts";

const MINUTE = 60_000;
const MIB = 1024 * 1024;

const ignore = !await canMount();

Deno.test({
  name: "F40: a disk that fills up costs the oldest batches first, then memory takes over, quietly",
  ignore,
  fn: () =>
    onSmallDisk(async (path) => {
      await Deno.writeFile(`${path}/ballast`, new Uint8Array(1.2 * MIB));
      const rig = await SpoolRig.open({ path: `${path}/spool` });
      rig.vendor.react = () => rig.clock.mono() < 30 * MINUTE ? "refused" : 200;
      for (let n = 0; n < 100; n++) rig.clock.at(n * 10_000, () => rig.give({}, 20_000));
      await rig.runTo(20 * MINUTE);
      assertStrictEquals(rig.report.produced, 1_000);
      assert(rig.report.queued > 0);
      assert(rig.diskLogs.length + rig.logs.length < 60, `${rig.diskLogs.length + rig.logs.length} lines`);
      await Deno.remove(`${path}/ballast`);
      await rig.runTo(120 * MINUTE);
      assertStrictEquals(rig.report.queued, 0);
      assertEquals(rig.delivered.at(-1), 100);
      assertStrictEquals(rig.spool.fault, undefined);
      await rig.end();
    }),
});

Deno.test({
  name:
    "F40: a full disk from the start: nothing is lost that memory holds, and the disk is used when there is room",
  ignore,
  fn: () =>
    onSmallDisk(async (path) => {
      const ballast = `${path}/ballast`;
      const rig = await SpoolRig.open({ path: `${path}/spool` });
      await Deno.writeFile(ballast, new Uint8Array(2 * MIB)).catch(() => {});
      rig.vendor.react = () => rig.clock.mono() < 30 * MINUTE ? "refused" : 200;
      rig.giveEvery(10_000, 20 * MINUTE);
      await rig.runTo(10 * MINUTE);
      assert(rig.spool.fault !== undefined);
      assertEquals([rig.report.queued, rig.report.spoolBatches], [610, 0]);
      assert(rig.diskLogs.length <= 11, `${rig.diskLogs.length} lines in 10 min`);
      await Deno.remove(ballast);
      await rig.runTo(20 * MINUTE);
      assertEquals([rig.report.queued, rig.report.spoolBatches], [1_200, 120]);
      await rig.runTo(180 * MINUTE);
      assertEquals(rig.delivered, range(1, 120));
      await rig.end();
    }),
});

Deno.test({
  name:
    "F40: a disk with I/O errors that goes read-only: memory takes over, nothing is lost, it is said once a minute",
  ignore: ignore || !await canLoop(),
  fn: () =>
    onFailingDisk(async (path, fail) => {
      const rig = await SpoolRig.open({ path: `${path}/spool` });
      rig.vendor.react = () => rig.clock.mono() < 30 * MINUTE ? "refused" : 200;
      for (let n = 0; n < 120; n++) rig.clock.at(n * 10_000, () => rig.give({}, 5_000));
      await rig.runTo(5 * MINUTE - 1);
      assertStrictEquals(rig.spool.fault, undefined);
      await fail();
      await rig.runTo(20 * MINUTE - 1);
      // EIO of a sync, then EROFS of whatever is tried on a filesystem that has given up.
      assert(/os error (5|30)/.test(rig.spool.fault ?? ""), `${rig.spool.fault}`);
      assert(rig.diskLogs.length <= 16, `${rig.diskLogs.length} lines in 15 min`);
      assertStrictEquals(rig.report.queued, 1_200);
      await rig.runTo(180 * MINUTE);
      assertEquals([rig.delivered, rig.report.dropped], [range(1, 120), {}]);
      await rig.end();
    }),
});

Deno.test({
  name: "F40: a disk remounted read-only in the run and writable again: memory takes over, then the disk",
  ignore: ignore || !await canLoop(),
  fn: () =>
    onRemountedDisk(async (path, remounts) => {
      const rig = await SpoolRig.open({ path: `${path}/spool` });
      rig.vendor.react = () => rig.clock.mono() < 30 * MINUTE ? "refused" : 200;
      rig.giveEvery(10_000, 20 * MINUTE);
      await rig.runTo(5 * MINUTE - 1);
      assertEquals([rig.spool.fault, rig.report.spoolBatches], [undefined, 30]);
      await remounts.readOnly();
      await rig.runTo(10 * MINUTE - 1);
      assertMatch(rig.spool.fault ?? "", /os error 30/);
      assertEquals([rig.report.queued, rig.report.spoolBatches], [600, 30]);
      assert(rig.diskLogs.length <= 6, `${rig.diskLogs.length} lines in 5 min`);
      await remounts.writable();
      await rig.runTo(20 * MINUTE - 1);
      assertEquals([rig.spool.fault, rig.report.spoolBatches], [undefined, 120]);
      await rig.runTo(180 * MINUTE);
      assertEquals([rig.delivered, rig.report.dropped], [range(1, 120), {}]);
      await rig.end();
    }),
});

Deno.test("F40: a spool removed under the agent is counted as damage, sent never, and the lane goes on", () =>
  inFolder(async (path) => {
    const rig = await SpoolRig.open({ path: `${path}/spool` });
    rig.vendor.react = () => rig.clock.mono() < 2 * MINUTE ? "refused" : 200;
    for (let n = 0; n < 10; n++) rig.clock.at(n * 1_000, () => rig.give());
    await rig.runTo(MINUTE);
    await Deno.remove(`${path}/spool`, { recursive: true });
    rig.clock.at(3 * MINUTE, () => rig.give());
    await rig.runTo(30 * MINUTE);
    // The oldest was on its way and went out; the books, which follow the disk, count it with the others.
    assertEquals(rig.delivered, [1, 11]);
    assertEquals(rig.report.dropped, { spool_damaged: 100 });
    await rig.end();
  }));

Deno.test("F40: a nearly full disk costs the oldest batches, so that others have room", () =>
  inFolder(async (path) => {
    const rig = await SpoolRig.open({ path, bytesMax: 256 * 1024 });
    rig.vendor.react = () => rig.clock.mono() < 30 * MINUTE ? "refused" : 200;
    for (let n = 0; n < 60; n++) rig.clock.at(n * 1_000, () => rig.give({}, 2_000));
    await rig.runTo(30_500);
    const before = rig.report.spoolBytes;
    rig.spool.roomIs({ freeBytes: 64 * MIB, totalBytes: 100_000 * MIB });
    await rig.runTo(MINUTE);
    assert(rig.report.spoolBytes <= before, `${rig.report.spoolBytes} after ${before}`);
    assert((rig.report.dropped["spool_full"] ?? 0) > 0);
    await rig.runTo(90 * MINUTE);
    assertEquals(rig.delivered.at(-1), 60);
    await rig.end();
  }));
