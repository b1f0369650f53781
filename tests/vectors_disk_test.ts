/**
 * host-metrics vectors about disks: V7 to V10, V26, V27, and what P5 asks of a disk that is replaced.
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { disk } from "../collectors/disk.ts";
import { hostOf, Recording, type Tree, treeOf, turn, valuesOf } from "./fixture_host.ts";
import { Timeline } from "./timeline.ts";

const VDA = "254 0 vda 9000 100 2050000 12500 7000 300 4100008 8000 2 3688 20500 10 5 640 30 18 7";
const stats = (...lines: string[]): Tree =>
  treeOf({ "/proc/diskstats": lines.map((line) => `   ${line}\n`).join("") });

const name = (metric: string, device: string, direction?: string) =>
  direction === undefined
    ? `${metric}{system.device="${device}"}`
    : `${metric}{disk.io.direction="${direction}",system.device="${device}"}`;

async function valuesIn(tree: Tree): Promise<Record<string, number | bigint>> {
  return valuesOf(await turn(disk().prepare(hostOf(tree)), tree));
}

Deno.test("V7: disk turns columns into bytes, operations and seconds", async () => {
  const values = await valuesIn(stats(VDA));
  const pair = (
    metric: string,
  ) => [values[name(metric, "vda", "read")], values[name(metric, "vda", "write")]];
  assertEquals(pair("system.disk.io"), [1049600000, 2099204096]);
  assertEquals(pair("system.disk.operations"), [9000, 7000]);
  assertEquals(pair("system.disk.merged"), [100, 300]);
  assertEquals(pair("system.disk.operation_time"), [12.5, 8]);
  const one = (metric: string) => values[name(metric, "vda")];
  assertEquals(one("system.disk.io_time"), 3.688);
  assertEquals(one("system.disk.weighted_io_time"), 20.5);
  assertEquals(one("system.disk.pending_operations"), 2);
  assertEquals(one("system.disk.linux.discards"), 10);
  assertEquals(one("system.disk.linux.discard_io"), 327680);
  assertEquals(one("system.disk.linux.discard_time"), 0.03);
  assertEquals(one("system.disk.linux.flushes"), 18);
  assertEquals(one("system.disk.linux.flush_time"), 0.007);
});

Deno.test("V8: disk reads 14, 18, 20 and more columns and skips 7", async () => {
  const columns = VDA.split(" ");
  const has = (values: Record<string, number | bigint>, metric: string) => name(metric, "vda") in values;
  const found = async (count: number) => {
    const values = await valuesIn(stats([...columns, "1", "2", "3"].slice(0, count).join(" ")));
    return [
      has(values, "system.disk.io_time"),
      has(values, "system.disk.linux.discards"),
      has(values, "system.disk.linux.flushes"),
    ];
  };
  assertEquals(await found(14), [true, false, false]);
  assertEquals(await found(18), [true, true, false]);
  assertEquals(await found(20), [true, true, true]);
  assertEquals(await valuesIn(stats([...columns, "1", "2", "3"].join(" "))), await valuesIn(stats(VDA)));
  const tree = stats("8 1 sda1 5 40 6 48");
  const recording = await turn(disk().prepare(hostOf(tree)), tree);
  assertEquals(recording.points, []);
  assertEquals(recording.faults.length, 1);
  assertMatch(recording.faults[0] ?? "", /7 fields, expected at least 14/);
});

const V9 = (reads: number, sectors: number, busyMs: number) =>
  stats(`8 0 sda ${reads} 0 ${sectors} 10 0 0 0 0 0 ${busyMs} 10`);

Deno.test("V9: disk milliseconds that pass 2^32 go on", () => {
  const line = new Timeline(disk());
  const busy = name("system.disk.io_time", "sda");
  assertEquals(line.step(V9(100, 1000, 4294960000)).value(busy), 4294960);
  const wrapped = line.step(V9(150, 1500, 5000));
  assertEquals([wrapped.value(busy), wrapped.start(busy)], [4294972.296, line.bootNs]);
  assertEquals(line.step(V9(160, 1600, 6000)).value(busy), 4294973.296);
});

Deno.test("V9: disk milliseconds start over when the operations fell too", () => {
  const line = new Timeline(disk());
  const first = line.step(V9(100, 1000, 4294960000));
  const reset = line.step(V9(3, 24, 5000));
  const busy = name("system.disk.io_time", "sda");
  assertEquals([reset.value(busy), reset.start(busy)], [5, first.timeNs]);
  assertEquals(reset.ended(), []);
});

Deno.test("V10: disk takes whole disks, by sysfs or by name", async () => {
  const names = [
    "sda",
    "sda1",
    "nvme0n1",
    "nvme0n1p1",
    "mmcblk0",
    "mmcblk0p2",
    "dm-0",
    "md0",
    "loop3",
    "ram0",
  ];
  const all = [...names, "zram0", "sr0", "xvda1"];
  const lines = all.map((device, at) => `8 ${at} ${device} 5 0 40 1 5 0 40 1 0 2 2`);
  const hidden = "0 0 nvme0c0n1 5 0 40 1 5 0 40 1 0 2 2";
  const plain = stats(...lines, hidden);
  const partitions = ["sda1", "nvme0n1p1", "mmcblk0p2"];
  const sysfs = treeOf({
    "/proc/diskstats": plain.files.get("/proc/diskstats") ?? "",
    ...Object.fromEntries(
      [...all, "nvme0c0n1"].filter((device) => !partitions.includes(device)).map((
        device,
      ) => [`/sys/block/${device}/size`, "8\n"]),
    ),
    ...Object.fromEntries(
      [...all, "nvme0c0n1"].map((device) => [`/sys/class/block/${device}/dev`, "8:0\n"]),
    ),
  });
  for (const tree of [plain, sysfs]) {
    const recording = await turn(disk().prepare(hostOf(tree)), tree);
    const devices = new Set(recording.points.map(({ series }) => series.attributes["system.device"]));
    assertEquals([...devices], ["sda", "nvme0n1", "mmcblk0", "dm-0", "md0", "xvda1"]);
  }
});

Deno.test("V26: disk keeps a stacked device and its member apart", async () => {
  const values = await valuesIn(
    stats("8 0 sda 10 0 1000 1 0 0 0 0 0 1 1", "253 0 dm-0 10 0 1000 1 0 0 0 0 0 1 1"),
  );
  assertEquals(values[name("system.disk.io", "sda", "read")], 512000);
  assertEquals(values[name("system.disk.io", "dm-0", "read")], 512000);
});

Deno.test("V27: disk awaits are means of the operations between two cycles", async () => {
  const row = (...[reads, readMs, writes, writeMs]: number[]) =>
    stats(`8 0 sda ${reads} 0 80 ${readMs} ${writes} 0 80 ${writeMs} 0 10 10`);
  const prepared = disk().prepare(hostOf(row(1000, 5000, 500, 8000)));
  const awaits = async (tree: Tree) => {
    const values = valuesOf(await turn(prepared, tree));
    return ["read", "write"].map((direction) => values[name("system.disk.linux.await", "sda", direction)]);
  };
  assertEquals(await awaits(row(1000, 5000, 500, 8000)), [undefined, undefined]);
  assertEquals(await awaits(row(1200, 5600, 550, 9000)), [0.003, 0.02]);
  assertEquals(await awaits(row(1200, 5600, 560, 9100)), [undefined, 0.01]);
});

Deno.test("P5: another disk of the same name starts anew, without a stale point", () => {
  const row = (numbers: string, reads: number) => stats(`${numbers} sda ${reads} 0 800 10 5 0 80 1 0 10 10`);
  const reads = name("system.disk.operations", "sda", "read");
  const line = new Timeline(disk());
  const first = line.step(row("8 0", 1000));
  assertEquals(first.start(reads), line.bootNs);
  const replaced = line.step(row("8 16", 2000));
  assertEquals([replaced.value(reads), replaced.start(reads)], [2000, first.timeNs]);
  assertEquals(replaced.ended(), []);
});

Deno.test("P5: a disk that is unplugged ends all its series once; the next one begins at the last cycle", () => {
  const line = new Timeline(disk());
  const sda = "8 0 sda 10 0 80 1 5 0 80 1 0 10 10";
  line.step(stats(VDA, sda));
  const gone = line.step(stats(VDA));
  assertEquals(gone.ended().every((ended) => ended.includes('"sda"')), true);
  assertEquals(gone.ended().length, 11);
  assertEquals(line.step(stats(VDA)).ended(), []);
  const before = line.step(stats(VDA));
  const plugged = line.step(stats(VDA, "8 32 sdb 4 0 32 1 0 0 0 0 0 1 1"));
  const reads = name("system.disk.operations", "sdb", "read");
  assertEquals([plugged.value(reads), plugged.start(reads)], [4, before.timeNs]);
});

Deno.test("P15: sectors wrap at 2^32 on 32-bit kernels and mean a reset elsewhere", () => {
  const row = (sectors: number) => stats(`8 0 sda 10 0 ${sectors} 1 5 0 80 1 0 10 10`);
  const bytes = name("system.disk.io", "sda", "read");
  const narrow = new Timeline(disk(), { is32Bit: true });
  narrow.step(row(2 ** 32 - 1000));
  const wrapped = narrow.step(row(1000));
  assertEquals([wrapped.value(bytes), wrapped.start(bytes)], [(2 ** 32 + 1000) * 512, narrow.bootNs]);
  const wide = new Timeline(disk());
  const first = wide.step(row(2 ** 32 - 1000));
  const reset = wide.step(row(1000));
  assertEquals([reset.value(bytes), reset.start(bytes)], [512000, first.timeNs]);
});

Deno.test("disk() takes the operator's list of excluded devices, changed while it runs", () => {
  const options = { diskExclude: ["sd*"] };
  const tree = stats(VDA, "8 0 sda 10 0 80 1 5 0 80 1 0 10 10");
  const prepared = disk(options).prepare(hostOf(tree));
  const devices = () => {
    const recording = new Recording();
    prepared.collect([tree.files.get("/proc/diskstats")], recording);
    return [...new Set(recording.points.map(({ series }) => series.attributes["system.device"]))];
  };
  assertEquals(devices(), ["vda"]);
  options.diskExclude = [];
  assertEquals(devices(), ["vda", "sda"]);
});
