/**
 * Large hosts: what a cycle of a collector costs grows with what the host has, not with its square, and what comes out
 * is bounded. 16 times the lines may take 64 times as long at most; work that is quadratic takes 256 times.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Collector } from "../collectors/collector.ts";
import { cpu } from "../collectors/cpu.ts";
import { disk } from "../collectors/disk.ts";
import { network } from "../collectors/network.ts";
import { INTERFACES_MAX } from "../collectors/network_interfaces.ts";
import { softnet } from "../collectors/softnet.ts";
import { hostOf, Recording, treeOf } from "./fixture_host.ts";

const GROWTH = 16;
const RATIO_MAX = 64;

/** `count` lines, made from their index. */
const lines = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => `${line(at)}\n`).join("");

/** The kernel files of a host with so many of something. */
type Texts = (count: number) => Record<string, string>;

const cpus: Texts = (count) => ({
  "/sys/devices/system/cpu/online": `0-${count - 1}`,
  "/proc/stat": `cpu  ${count}0 0 0 ${count}00 0 0 0 0 0 0\n` +
    lines(count, (at) => `cpu${at} 10 0 0 100 0 0 0 0 0 0`) + "ctxt 1\nbtime 1700000000\nprocesses 1\n",
  "/proc/net/softnet_stat": lines(
    count,
    (at) =>
      [at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, at].map((word) => word.toString(16).padStart(8, "0")).join(" "),
  ),
});

const interfaces: Texts = (count) => ({
  "/proc/net/dev": "Inter-|   Receive                            |  Transmit\n" +
    " face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed\n" +
    lines(count, (at) => `eth${at}: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0`),
});

const disks: Texts = (count) => ({
  "/proc/diskstats": lines(count, (at) => `  8 ${at} nvme${at}n1 1 0 8 1 1 0 8 1 0 1 2 0 0 0 0 0 0`),
});

/** The points of one cycle, and the best time of seven cycles: other work of the machine only ever adds. */
function cycles(make: () => Collector, texts: Record<string, string>) {
  const prepared = make().prepare(hostOf(treeOf(texts)));
  const files = prepared.files.map((path) => texts[path]);
  let [points, bestMs] = [0, Infinity];
  for (let turn = 0; turn < 7; turn++) {
    const recording = new Recording({ uptime: 1000 + turn });
    const before = performance.now();
    prepared.collect(files, recording);
    bestMs = Math.min(bestMs, performance.now() - before);
    points = recording.points.length;
  }
  return { points, bestMs };
}

function assertLinear(make: () => Collector, { texts, few }: { texts: Texts; few: number }): number[] {
  const small = cycles(make, texts(few));
  const large = cycles(make, texts(few * GROWTH));
  const ratio = large.bestMs / Math.max(small.bestMs, 0.02);
  assert(ratio < RATIO_MAX, `${GROWTH} times as many cost ${ratio} times as much`);
  return [small.points, large.points];
}

Deno.test("cpu costs in proportion to 512 CPUs, and has as many points more as there are CPUs more", () => {
  const [few = 0, many = 0] = assertLinear(() => cpu({ perCpu: true }), { texts: cpus, few: 32 });
  const perCpu = (many - few) / (32 * GROWTH - 32);
  assert(Number.isInteger(perCpu) && perCpu > 0, `${few} and ${many} points`);
});

Deno.test("softnet costs in proportion to 512 CPUs", () => {
  const [few, many] = assertLinear(() => softnet, { texts: cpus, few: 32 });
  assertEquals(few, many);
});

Deno.test("network costs in proportion to 512 interfaces, and reports the limit", () => {
  const [few = 0, many] = assertLinear(() => network(), { texts: interfaces, few: 32 });
  assertEquals(many, few / 32 * INTERFACES_MAX);
});

Deno.test("disk costs in proportion to 256 disks, and reports them all", () => {
  const [few = 0, many] = assertLinear(() => disk(), { texts: disks, few: 16 });
  assertEquals(many, few * GROWTH);
});
