/**
 * host-metrics vectors about memory, swap, pressure and file handles: V5, V6, V14 to V16 and V20.
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Collector } from "../collectors/collector.ts";
import { fileHandles } from "../collectors/file_handles.ts";
import { memory } from "../collectors/memory.ts";
import { paging } from "../collectors/paging.ts";
import { pressure } from "../collectors/pressure.ts";
import { reclaim } from "../collectors/reclaim.ts";
import { hostOf, Recording, treeOf, turn, valuesOf } from "./fixture_host.ts";

async function valuesIn(
  collector: Collector,
  texts: Record<string, string>,
): Promise<Record<string, number | bigint>> {
  const tree = treeOf(texts);
  return valuesOf(await turn(collector.prepare(hostOf(tree)), tree));
}

/** meminfo from "MemTotal 8000000 MemFree …", in kB. */
function meminfo(text: string): string {
  const words = text.split(" ");
  return words.flatMap((word, at) => at % 2 === 0 ? [`${word}:   ${words[at + 1]} kB\n`] : []).join("");
}

const V5 = "MemTotal 8000000 MemFree 1000000 MemAvailable 5000000 Buffers 200000 Cached 3500000 " +
  "SReclaimable 400000 SUnreclaim 150000 Shmem 300000";

Deno.test("V5: memory states, limits and slab", async () => {
  const values = await valuesIn(memory, { "/proc/meminfo": meminfo(V5) });
  const state = (name: string, only = "") =>
    values[`system.memory.usage{system.memory.state="${name}"}${only}`];
  assertEquals(state("used"), 3072000000);
  assertEquals(state("free"), 1024000000);
  assertEquals(state("buffers"), 204800000);
  assertEquals(state("cached", "|semconv,dup"), 3584000000);
  assertEquals(values["system.memory.linux.available{}"], 5120000000);
  assertEquals(values["system.memory.limit{}"], 8192000000);
  const slab = (name: string) =>
    values[`system.memory.linux.slab.usage{system.memory.linux.slab.state="${name}"}|semconv,dup`];
  assertEquals([slab("reclaimable"), slab("unreclaimable")], [409600000, 153600000]);
  assertEquals(values["system.memory.linux.shared{}"], 307200000);
  assertEquals(values['system.memory.utilization{system.memory.state="used"}'], 0.375);
  assertEquals(values['system.memory.usage{state="cached"}|collector'], 3993600000);
});

Deno.test("V6: memory estimates what is available and does not report the estimate", async () => {
  const values = await valuesIn(memory, {
    "/proc/meminfo": meminfo(
      "MemTotal 2000000 MemFree 500000 Active(file) 600000 Inactive(file) 400000 SReclaimable 120000",
    ),
    "/proc/zoneinfo": "Node 0, zone DMA\n        low      2500\nNode 0, zone DMA32\n        low      10000\n",
  });
  assertEquals(values['system.memory.usage{system.memory.state="used"}'], 542720000);
  assertEquals(values['system.memory.utilization{system.memory.state="used"}'], 0.265);
  assertEquals("system.memory.linux.available{}" in values, false);
});

const PRESSURE =
  "some avg10=1.21 avg60=1.43 avg300=0.85 total=8023529\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";

Deno.test("V14: pressure gives seconds and shares, no full of cpu, and nothing for a file it cannot read", async () => {
  const values = await valuesIn(pressure, { "/proc/pressure/cpu": PRESSURE });
  const of = (metric: string, type = "some") =>
    values[`system.cpu.linux.pressure.${metric}{system.linux.pressure.stall_type="${type}"}`];
  assertEquals(of("total"), 8.023529);
  assertEquals([of("10s"), of("1m"), of("5m")], [0.0121, 0.0143, 0.0085]);
  assertEquals(of("total", "full"), undefined);
  assertEquals(Object.keys(values).length, 4);
  const recording = new Recording();
  const off = { ...hostOf(treeOf({ "/proc/pressure/cpu": "" })), read: () => undefined };
  const prepared = pressure.prepare(off);
  prepared.collect(prepared.files.map(() => undefined), recording);
  assertEquals([recording.points, recording.faults], [[], []]);
  assertEquals(recording.omitted.map(({ what }) => what), ["/proc/pressure/cpu"]);
});

const VMSTAT =
  "pgpgin 4000\npgpgout 8000\npswpin 10\npswpout 20\npgfault 5135344\npgmajfault 1494\noom_kill 2\n";

Deno.test("V15: paging and reclaim read vmstat, KiB as pages", async () => {
  const values = await valuesIn(paging, { "/proc/vmstat": VMSTAT });
  const faults = (type: string) => values[`system.paging.faults{system.paging.fault.type="${type}"}`];
  assertEquals([faults("minor"), faults("major")], [5133850, 1494]);
  const operations = (direction: string, type: string) =>
    values[
      `system.paging.operations{system.paging.direction="${direction}",system.paging.fault.type="${type}"}`
    ];
  assertEquals([operations("in", "major"), operations("out", "major")], [10, 20]);
  assertEquals([operations("in", "minor"), operations("out", "minor")], [1000, 2000]);
  const kills = await valuesIn(reclaim, { "/proc/vmstat": VMSTAT });
  assertEquals(kills["system.memory.linux.oom_kills{}"], 2);
});

Deno.test("V16: paging reports each swap device, none without devices", async () => {
  const header = "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n";
  const values = await valuesIn(paging, {
    "/proc/swaps": `${header}/dev/dm-1 partition 2097148 524288 -2\n/swap\\040file file 0 0 -3\n`,
  });
  const of = (metric: string, device: string, state: string) =>
    values[`system.paging.${metric}{system.device="${device}",system.paging.state="${state}"}`];
  assertEquals([of("usage", "/dev/dm-1", "used"), of("usage", "/dev/dm-1", "free")], [536870912, 1610608640]);
  assertEquals(Number(of("utilization", "/dev/dm-1", "used")).toFixed(8), "0.25000048");
  assertEquals([of("usage", "/swap file", "used"), of("usage", "/swap file", "free")], [0, 0]);
  assertEquals(of("utilization", "/swap file", "used"), undefined);
  assertEquals(await valuesIn(paging, { "/proc/swaps": header }), {});
});

Deno.test("V20: file handle limits of 63 bits stay exact", async () => {
  const values = await valuesIn(fileHandles, { "/proc/sys/fs/file-nr": "917\t0\t9223372036854775807\n" });
  assertEquals(values["system.file.linux.handle.count{}"], 917);
  assertEquals(values["system.file.linux.handle.limit{}"], 9223372036854775807n);
});
