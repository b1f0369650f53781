/**
 * File systems: vectors V12 and V13 of host-metrics, mounts that never answer, hidden and covered mounts, and hosts
 * with thousands of them.
 */
import { assert, assertEquals } from "@std/assert";
import type { Host, Statfs } from "../collectors/collector.ts";
import { filesystem } from "../collectors/filesystem.ts";
import { chooseMounts, MOUNTS_MAX } from "../collectors/mount_choice.ts";
import { parseMounts, unescapeOctal, visibleMounts } from "../collectors/mountinfo.ts";
import { SlowRead } from "../collectors/slow_read.ts";
import { collectInto, hostOf, Recording, treeOf, turn, valuesOf } from "./fixture_host.ts";

const FIGURES: Statfs = {
  blockSize: 4096,
  blocks: 2_560_000,
  blocksFree: 900_000,
  blocksAvailable: 770_000,
  files: 655_360,
  filesFree: 600_000,
};
const ROOT = "27 1 8:2 / / rw - ext4 /dev/sda2 rw\n";

const treeFor = (mountinfo: string) => treeOf({ "/proc/1/mountinfo": mountinfo });
const hostFor = (mountinfo: string, statfs: Host["statfs"]): Host => ({
  ...hostOf(treeFor(mountinfo)),
  statfs,
});
const never = new Promise<undefined>(() => {});

/** Mount points that have figures. */
const reported = (recording: Recording): unknown[] => [
  ...new Set(
    recording.points.filter(({ series }) => series.descriptor.name === "system.filesystem.usage")
      .map(({ series }) => series.attributes["system.filesystem.mountpoint"]),
  ),
];
const stuckCount = (recording: Recording): unknown => valuesOf(recording)["sonde.filesystem.stuck{}"];

Deno.test("V12: filesystem turns blocks into bytes, inodes and shares", async () => {
  const prepared = filesystem().prepare(hostFor(ROOT, () => Promise.resolve(FIGURES)));
  const values = valuesOf(await turn(prepared, treeFor(ROOT)));
  const of = (name: string, state?: string): number | bigint | undefined => {
    const only = name.endsWith("utilization") ? (state === undefined ? "|collector" : "|semconv,dup") : "";
    const part = state === undefined ? "" : `system.filesystem.state="${state}",`;
    return values[
      `system.filesystem.${name}{system.device="/dev/sda2",system.filesystem.mode="rw",` +
      `system.filesystem.mountpoint="/",${part}system.filesystem.type="ext4"}${only}`
    ];
  };
  const states = ["used", "free", "reserved"];
  assertEquals(states.map((state) => of("usage", state)), [6799360000, 3153920000, 532480000]);
  assertEquals(of("limit"), 10485760000);
  assertEquals([of("inodes.usage", "used"), of("inodes.usage", "free")], [55360, 600000]);
  assertEquals(states.map((state) => of("utilization", state)), [.6484375, .30078125, .05078125]);
  assertEquals(Number(of("utilization")).toFixed(6), "0.683128");
});

Deno.test("V13: chooseMounts() reports one mount of the file system, the one on top", () => {
  const text = [
    "36 27 8:1 / /mnt/my\\040disk\\134x rw shared:5 master:2 - ext4 /dev/sda1 rw",
    "37 27 8:1 /sub /srv/b rw - ext4 /dev/sda1 rw",
    "38 36 8:1 / /mnt/my\\040disk\\134x ro - ext4 /dev/sda1 rw",
    "39 27 0:45 / /nas rw - nfs4 nas:/x\\043y rw",
    "40 27 7:1 / /snap/a ro - squashfs /dev/loop1 ro\n",
  ].join("\n");
  const host = hostOf(treeFor(text));
  const found = chooseMounts([text], host, {}).mounts;
  assertEquals(found.map(({ mountPoint, type, mode }) => [mountPoint, type, mode]), [[
    "/mnt/my disk\\x",
    "ext4",
    "ro",
  ]]);
  const remote = chooseMounts([text], host, { filesystemTypes: ["nfs4"] }).mounts;
  assertEquals(remote.map(({ source }) => source), ["/dev/sda1", "nas:/x#y"]);
});

Deno.test("unescapeOctal() decodes once, on bytes", () => {
  const cases = [["a\\040b", "a b"], ["\\134040", "\\040"], ["caf\\303\\251", "café"], ["\\377", "\uFFFD"], [
    "\\9",
    "\\9",
  ]];
  for (const [text = "", expected] of cases) assertEquals(unescapeOctal(text), expected);
});

Deno.test("visibleMounts() drops what is mounted over, below it too, and survives a ring of parents", () => {
  const text = [
    "27 1 8:2 / / rw - ext4 /dev/sda2 rw",
    "28 27 8:3 / /a/b rw - ext4 /dev/sda3 rw",
    "29 27 8:4 / /a rw - ext4 /dev/sda4 rw",
    "30 28 8:5 / /a/b/c rw - ext4 /dev/sda5 rw",
    "31 29 8:6 / /a/b rw - ext4 /dev/sda6 rw",
    "50 51 9:1 / /x rw - ext4 /dev/sdx rw",
    "51 50 9:2 / /y rw - ext4 /dev/sdy rw\n",
  ].join("\n");
  const visible = visibleMounts(parseMounts(text, (message) => assert(false, message)));
  assertEquals(visible.map(({ id }) => id).filter((id) => Number(id) < 50), ["27", "29", "31"]);
});

Deno.test("filesystem marks a mount stuck, delays nothing and asks it again only after it has answered", async () => {
  const text = ROOT + "28 27 8:3 / /dead rw - ext4 /dev/sda3 rw\n29 27 8:4 / /data rw - ext4 /dev/sda4 rw\n";
  let asked = 0;
  let answer: (figures: Statfs) => void = () => {};
  const hanging = new Promise<Statfs>((resolve) => answer = resolve);
  const host = hostFor(text, (path) => {
    if (path !== "/dead") return Promise.resolve(FIGURES);
    asked++;
    return asked === 1 ? hanging : Promise.resolve(FIGURES);
  });
  // Real time: the limit itself is what is tested, cut down to five milliseconds.
  const prepared = filesystem({ statfsLimitMs: 5 }).prepare(host);
  for (let cycle = 0; cycle < 3; cycle++) {
    const found = await turn(prepared, treeFor(text));
    assertEquals(reported(found), ["/", "/data"]);
    assertEquals(stuckCount(found), 1);
    assertEquals(found.omitted.map(({ what }) => what), ["/dead"]);
    assertEquals(asked, 1);
  }
  answer(FIGURES);
  await hanging;
  const back = await turn(prepared, treeFor(text));
  assertEquals([asked, stuckCount(back), reported(back)], [2, 0, ["/", "/dead", "/data"]]);
});

Deno.test("filesystem has at most four calls under way and finishes past dead mounts", async () => {
  const text = Array.from(
    { length: 20 },
    (_, at) => `${at + 10} 1 8:${at} / /m${at} rw - ext4 /dev/sd${at} rw\n`,
  ).join("");
  let underWay = 0;
  let most = 0;
  const host = hostFor(text, async (path) => {
    most = Math.max(most, ++underWay);
    if (path === "/m3" || path === "/m4") return await never;
    await Promise.resolve();
    underWay--;
    return FIGURES;
  });
  const found = await turn(filesystem({ statfsLimitMs: 5 }).prepare(host), treeFor(text));
  assertEquals([reported(found).length, stuckCount(found)], [18, 2]);
  assert(most <= 6, `${most} calls under way`);
});

Deno.test("filesystem follows mounts and their removal and never shows figures of the folder below", async () => {
  const data = "29 27 8:4 / /data rw - ext4 /dev/sda4 rw\n";
  const prepared = filesystem().prepare(hostFor(ROOT, () => Promise.resolve(FIGURES)));
  assertEquals(reported(await turn(prepared, treeFor(ROOT))), ["/"]);
  const mounted = new Recording();
  collectInto(mounted, prepared, treeFor(ROOT + data));
  assertEquals(reported(mounted), ["/"], "not asked yet, so no figures");
  assertEquals(reported(await turn(prepared, treeFor(ROOT + data))), ["/", "/data"]);
  assertEquals(reported(await turn(prepared, treeFor(ROOT))), ["/"]);
  const again = new Recording();
  collectInto(again, prepared, treeFor(ROOT + data.replace("29 27", "77 27")));
  assertEquals(reported(again), ["/"], "another mount at the same place");
});

Deno.test("filesystem omits a mount that this process's own namespace hides", async () => {
  const text = ROOT + "29 27 8:4 / /home rw - ext4 /dev/sda4 rw\n";
  const own = "270 1 8:2 / / rw - ext4 /dev/sda2 rw\n290 270 0:99 / /home ro - tmpfs tmpfs ro\n";
  const tree = treeOf({ "/proc/1/mountinfo": text, "/proc/self/mountinfo": own }, { isForeign: false });
  const host = { ...hostOf(tree), statfs: () => Promise.resolve(FIGURES) };
  const found = await turn(filesystem().prepare(host), tree);
  assertEquals(reported(found), ["/"]);
  assertEquals(found.omitted, [{
    what: "/home",
    why: "hidden from this process by its own mount namespace",
  }]);
});

Deno.test("filesystem omits mounts of a host root that were not mounted along with it", async () => {
  const text = ROOT + "29 27 8:4 / /data rw - ext4 /dev/sda4 rw\n30 27 8:5 / /boot rw - ext4 /dev/sda5 rw\n";
  const own = "1 0 0:9 / / rw - overlay overlay rw\n2 1 8:2 / /hostfs rw - ext4 /dev/sda2 rw\n" +
    "3 2 8:5 / /hostfs/boot rw - ext4 /dev/sda5 rw\n";
  const tree = treeOf({ "/proc/1/mountinfo": text, "/proc/self/mountinfo": own });
  const host = { ...hostOf(tree), statfs: () => Promise.resolve(FIGURES) };
  const found = await turn(filesystem({ rootPrefix: "/hostfs" }).prepare(host), tree);
  assertEquals(reported(found), ["/", "/boot"]);
  assertEquals(found.omitted.map(({ what }) => what), ["/data"]);
});

Deno.test("filesystem leaves out what the operator excludes, from the next cycle on", async () => {
  const options: { filesystemExclude?: readonly string[] } = {};
  const text = ROOT + "29 27 8:4 / /data rw - ext4 /dev/sda4 rw\n";
  const prepared = filesystem(options).prepare(hostFor(text, () => Promise.resolve(FIGURES)));
  assertEquals(reported(await turn(prepared, treeFor(text))), ["/", "/data"]);
  options.filesystemExclude = ["/da*"];
  assertEquals(reported(await turn(prepared, treeFor(text))), ["/"]);
});

Deno.test("filesystem takes in types that the operator names later, once they have been asked", async () => {
  const options: { filesystemTypes?: readonly string[] } = {};
  const text = ROOT + "29 27 0:9 / /scratch rw - tmpfs tmpfs rw\n";
  const prepared = filesystem(options).prepare(hostFor(text, () => Promise.resolve(FIGURES)));
  assertEquals(reported(await turn(prepared, treeFor(text))), ["/"]);
  options.filesystemTypes = ["tmpfs"];
  await turn(prepared, treeFor(text));
  assertEquals(reported(await turn(prepared, treeFor(text))), ["/", "/scratch"]);
});

Deno.test("chooseMounts() takes 64 of 2,000 mounts, in linear time", () => {
  const text = (count: number) =>
    Array.from(
      { length: count },
      (_, at) => `${at + 10} 1 8:${at} / /srv/a/b/m${at} rw - ext4 /dev/sd${at} rw\n`,
    ).join("");
  const host = hostOf(treeFor(""));
  const choice = chooseMounts([text(2000)], host, {});
  assertEquals(choice.mounts.length, MOUNTS_MAX);
  assertEquals(choice.omitted, [{ what: "filesystem", why: "1936 mounts above the limit of 64" }]);
  // Sixteen times the mounts in less than 64 times the time: a quadratic choice would need 256 times.
  const once = (mounts: string) => {
    const before = performance.now();
    chooseMounts([mounts], host, {});
    return performance.now() - before;
  };
  // The best of some: other work of the machine only ever adds.
  const time = (mounts: string) => Math.min(...Array.from({ length: 5 }, () => once(mounts)));
  const [small, large] = [text(500), text(8000)];
  assert(time(large) < 64 * Math.max(1, time(small)), "grows faster than linearly");
});

Deno.test("SlowRead keeps the reason of a failure and drops an answer that comes late", async () => {
  const read = new SlowRead<number>();
  await read.ask(() => Promise.reject(new Error("EAGAIN")), 1000);
  assertEquals([read.value, read.failure, read.isStuck], [undefined, "EAGAIN", false]);
  await read.ask(() => Promise.resolve(7), 1000);
  assertEquals([read.value, read.failure], [7, undefined]);
  let answer: (value: number) => void = () => {};
  const late = new Promise<number>((resolve) => answer = resolve);
  // Real time: one millisecond is the limit under test.
  await read.ask(() => late, 1);
  assertEquals([read.value, read.isStuck], [undefined, true]);
  answer(8);
  await late;
  await Promise.resolve();
  assertEquals([read.value, read.isStuck], [undefined, false]);
});
