/**
 * The eleven older names with right figures: host-metrics 1.1, V2 and V26; Heka's W8, W9 and W10 stay fixed. Its own
 * vectors were wrong where guest time or stacked devices came in.
 */
import { assertEquals } from "@std/assert";
import { overview } from "../collectors/overview.ts";
import { hostOf, type Recording, treeOf, turn, valuesOf } from "./fixture_host.ts";
import { settingsOf } from "./config_files.ts";

const MEMINFO =
  "MemTotal:  8000000 kB\nMemFree: 1000000 kB\nMemAvailable: 5000000 kB\nSwapTotal: 2000 kB\nSwapFree: 500 kB\n";

type Texts = Readonly<Record<string, string>>;

/** The overview over several states of one host, in order. */
async function turns(...states: readonly Texts[]): Promise<Recording[]> {
  const [first = {}] = states;
  const [collector] = overview({ overviewPrefix: "heka_" });
  if (collector === undefined) throw new Error("no collector");
  const prepared = collector.prepare(hostOf(treeOf(first)));
  const recordings: Recording[] = [];
  for (const [at, state] of states.entries()) {
    recordings.push(await turn(prepared, treeOf(state), { monotonicMs: at * 5000 }));
  }
  return recordings;
}

const stat = (cpu: string): Texts => ({ "/proc/stat": `cpu  ${cpu}\nintr 0\n` });
const disks = (...lines: string[]): Texts => ({
  "/proc/diskstats": lines.map((line) => `${line}\n`).join(""),
});

Deno.test("V2, W9: guest time counts once, and the first cycle has no percentages", async () => {
  const [first, second] = await turns(
    stat("1000 0 500 8000 100 0 50 0 0 0"),
    stat("1300 0 600 8500 150 0 100 0 200 0"),
  );
  assertEquals(first?.points, []);
  assertEquals(second === undefined ? {} : valuesOf(second), {
    "heka_cpu_usage_percent{}": 45,
    'heka_cpu_time_percent{mode="guest"}': 20,
    'heka_cpu_time_percent{mode="guest_nice"}': 0,
    'heka_cpu_time_percent{mode="idle"}': 50,
    'heka_cpu_time_percent{mode="iowait"}': 5,
    'heka_cpu_time_percent{mode="irq"}': 0,
    'heka_cpu_time_percent{mode="nice"}': 0,
    'heka_cpu_time_percent{mode="softirq"}': 5,
    'heka_cpu_time_percent{mode="steal"}': 0,
    'heka_cpu_time_percent{mode="system"}': 10,
    'heka_cpu_time_percent{mode="user"}': 30,
  });
});

Deno.test("overview() gives memory and swap in bytes, used as total without available", async () => {
  const [only] = await turns({ "/proc/meminfo": MEMINFO });
  assertEquals(only === undefined ? {} : valuesOf(only), {
    "heka_memory_virtual_used_bytes{}": 3_000_000 * 1024,
    "heka_memory_virtual_available_bytes{}": 5_000_000 * 1024,
    "heka_memory_virtual_total_bytes{}": 8_000_000 * 1024,
    "heka_memory_swap_used_bytes{}": 1500 * 1024,
    "heka_memory_swap_total_bytes{}": 2000 * 1024,
  });
});

const SDA = "8 0 sda 10 0 1000 0 20 0 2000 0 0 0 0";
const DM = "253 0 dm-0 10 0 1000 0 20 0 2000 0 0 0 0";

Deno.test("V26, W8: a device that stands on another does not count again in the total", async () => {
  const slave = { "/sys/block/dm-0/slaves/sda": "", "/sys/block/sda/size": "" };
  const [only] = await turns({ ...disks(SDA, DM), ...slave });
  const values = only === undefined ? {} : valuesOf(only);
  assertEquals([
    values["heka_disk_read_bytes_total{}"],
    values['heka_disk_read_bytes_total{device="sda"}'],
    values['heka_disk_read_bytes_total{device="dm-0"}'],
  ], [512_000, 512_000, 512_000]);
  assertEquals([values["heka_disk_write_bytes_total{}"], values["heka_disk_reads_total{}"]], [1_024_000, 10]);
  assertEquals(values['heka_disk_writes_total{device="sda"}'], 20);
});

Deno.test("W10: the total does not fall when a disk goes or begins anew, and a new disk counts at once", async () => {
  const sdb = (reads: number) => `8 16 sdb ${reads} 0 0 0 0 0 0 0 0 0 0`;
  const recordings = await turns(disks(SDA, sdb(5)), disks(SDA), disks(SDA, sdb(1)), disks(SDA, sdb(0)));
  assertEquals(recordings.map((each) => valuesOf(each)["heka_disk_reads_total{}"]), [15, 15, 16, 16]);
});

Deno.test("a line of disks that holds no numbers is said and left out", async () => {
  const [only] = await turns(disks("8 0 sda x 0 1000 0 20 0 2000 0 0 0 0"));
  assertEquals([only?.points, only?.faults], [[], [
    'Cannot parse "/proc/diskstats": columns of "sda" are no numbers',
  ]]);
});

Deno.test("overview() does not exist without a prefix, and has eleven names with one", () => {
  assertEquals(overview(), []);
  const names = overview({ overviewPrefix: "heka_" }).flatMap(({ descriptors }) =>
    descriptors.map(({ name, unit }) => `${name} ${unit}`)
  );
  assertEquals(names, [
    "heka_cpu_usage_percent percent",
    "heka_cpu_time_percent percent",
    "heka_memory_virtual_used_bytes bytes",
    "heka_memory_virtual_available_bytes bytes",
    "heka_memory_virtual_total_bytes bytes",
    "heka_memory_swap_used_bytes bytes",
    "heka_memory_swap_total_bytes bytes",
    "heka_disk_read_bytes_total bytes",
    "heka_disk_write_bytes_total bytes",
    "heka_disk_reads_total count",
    "heka_disk_writes_total count",
  ]);
});

Deno.test("SONDE_COMPAT_HEKA and EXPORTER_TYPE turn the eleven names on", () => {
  assertEquals(settingsOf({ env: {} }).overviewPrefix, undefined);
  assertEquals(settingsOf({ env: { SONDE_COMPAT_HEKA: "true" } }).overviewPrefix, "heka_");
  assertEquals(settingsOf({ env: { EXPORTER_TYPE: "console" } }).overviewPrefix, "heka_");
});
