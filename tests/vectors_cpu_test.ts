/**
 * host-metrics vectors about CPUs and /proc/stat: V1 to V4 and V21, with the ledger where a vector speaks of start
 * times.
 * @module
 */
import { assertEquals } from "@std/assert";
import { cpu } from "../collectors/cpu.ts";
import { cpuEvents } from "../collectors/cpu_events.ts";
import { processes } from "../collectors/processes.ts";
import { hostOf, treeOf, turn, valuesOf } from "./fixture_host.ts";
import { Timeline } from "./timeline.ts";

const REST = "intr 5 0 5\nctxt 5\nprocesses 9\nprocs_running 3\nprocs_blocked 0\n";
const stat = (lines: string) => treeOf({ "/proc/stat": `${lines}\n${REST}` });
/** A CPU line and its aggregate. */
const both = (numbers: string) => stat(`cpu  ${numbers}\ncpu0 ${numbers}`);

Deno.test("V1: cpu gives seconds per mode, hard and soft interrupts as the naming wants them", async () => {
  const tree = stat("cpu  10132153 290696 3084719 46828483 16683 25195 175628 1200 40000 500");
  const values = valuesOf(await turn(cpu().prepare(hostOf(tree)), tree));
  const time = (mode: string, namings: string) => values[`system.cpu.time{cpu.mode="${mode}"}|${namings}`];
  const modes = ["user", "nice", "system", "idle", "iowait", "steal"].map((mode) =>
    time(mode, "semconv,dup")
  );
  assertEquals(modes, [101321.53, 2906.96, 30847.19, 468284.83, 166.83, 12]);
  assertEquals(time("interrupt", "semconv"), 2008.23);
  const sum = [...modes, time("interrupt", "semconv")].reduce<number>((all, one) => all + Number(one), 0);
  assertEquals(sum.toFixed(2), "605547.57");
  assertEquals(values['system.cpu.linux.guest.time{cpu.mode="user"}'], 400);
  assertEquals(values['system.cpu.linux.guest.time{cpu.mode="nice"}'], 5);
});

Deno.test("V1: cpu gives the Collector irq and softirq apart", async () => {
  const tree = both("10132153 290696 3084719 46828483 16683 25195 175628 1200 40000 500");
  const recording = await turn(cpu().prepare(hostOf(tree)), tree);
  const states = recording.points.flatMap(({ series, value }) => {
    const state = series.collectorAttributes?.["state"];
    return series.namings?.includes("collector") && state !== undefined ? [[state, value]] : [];
  });
  assertEquals(Object.fromEntries(states), { interrupt: 251.95, softirq: 1756.28 });
});

const T0 = "1000 0 500 8000 100 0 50 0 0 0";
const T1 = "1300 0 600 8500 150 0 100 0 200 0";

Deno.test("V2: cpu utilization is none at first, then leaves guest time out of the total", async () => {
  const prepared = cpu().prepare(hostOf(both(T0)));
  const first = await turn(prepared, both(T0), { uptime: 1000, monotonicMs: 0 });
  assertEquals(first.points.filter(({ series }) => series.descriptor.name === "system.cpu.utilization"), []);
  const values = valuesOf(await turn(prepared, both(T1), { uptime: 1010, monotonicMs: 10_000 }));
  const share = (mode: string) =>
    values[`system.cpu.utilization{cpu.mode="${mode}"}|${mode === "interrupt" ? "semconv" : "semconv,dup"}`];
  const modes = ["user", "system", "idle", "iowait", "interrupt", "nice", "steal"].map(share);
  assertEquals(modes, [0.3, 0.1, 0.5, 0.05, 0.05, 0, 0]);
});

Deno.test("V3: a step back of iowait is clamped and gives no utilization; a large one is a reset", () => {
  const line = new Timeline(cpu());
  line.step(both(T0));
  line.step(both(T1));
  const dip = line.step(both("1300 0 600 8500 149 0 100 0 200 0"));
  const iowait = 'system.cpu.time{cpu.mode="iowait"}|semconv,dup';
  assertEquals(dip.value(iowait), 1.5);
  assertEquals(dip.start(iowait), line.bootNs);
  assertEquals(dip.names().filter((name) => name.startsWith("system.cpu.utilization")), []);
  const high = line.step(both("1300 0 600 98500 40000 0 100 0 200 0"));
  assertEquals(high.value(iowait), 400);
  const reset = line.step(both("1300 0 600 58500 0 0 100 0 200 0"));
  assertEquals([reset.value(iowait), reset.start(iowait)], [0, high.timeNs]);
  const idle = 'system.cpu.time{cpu.mode="idle"}|semconv,dup';
  assertEquals([reset.value(idle), reset.start(idle)], [585, high.timeNs]);
  assertEquals(reset.names().filter((name) => name.startsWith("system.cpu.utilization")), []);
});

Deno.test("V4: a CPU that goes offline ends its series and returns with a new start", () => {
  const one = (number: number, idle: number) => `cpu${number} 100 0 50 ${idle} 0 0 0 0 0 0`;
  const tree = (idle: number, ...lines: string[]) =>
    stat([`cpu  300 0 150 ${idle} 0 0 0 0 0 0`, ...lines].join("\n"));
  const line = new Timeline(cpu({ perCpu: true }));
  const first = line.step(tree(30000, one(0, 10000), one(1, 10000), one(2, 10000)));
  const second = line.step(tree(32000, one(0, 11000), one(2, 11000)));
  const third = line.step(tree(33000, one(0, 12000), one(1, 5000), one(2, 12000)));
  const count = "system.cpu.logical.count{}";
  assertEquals([first.value(count), second.value(count), third.value(count)], [3, 2, 3]);
  const idle1 = 'system.cpu.time{cpu.logical_number=1,cpu.mode="idle"}|semconv,collector,dup';
  assertEquals(first.start(idle1), line.bootNs);
  assertEquals([second.value(idle1), second.ended().includes(idle1)], [undefined, true]);
  assertEquals([third.value(idle1), third.start(idle1)], [50, third.timeNs]);
  const share = (number: number) =>
    `system.cpu.utilization{cpu.logical_number=${number},cpu.mode="idle"}|semconv,collector,dup`;
  assertEquals([third.value(share(0)), third.value(share(1))], [1, undefined]);
  const idle0 = 'system.cpu.time{cpu.logical_number=0,cpu.mode="idle"}|semconv,collector,dup';
  assertEquals([third.value(idle0), third.start(idle0)], [120, line.bootNs]);
});

Deno.test("P27: cpu gives no utilization over a suspend", () => {
  const line = new Timeline(cpu());
  line.step(both(T0));
  const woken = line.step(both(T1), { uptime: 3610, seconds: 10 });
  assertEquals(woken.names().filter((name) => name.startsWith("system.cpu.utilization")), []);
});

Deno.test("V21: the intr line of a large host hides nothing that follows it", async () => {
  const lines = Array.from({ length: 512 }, (_, number) => `cpu${number} 1 0 1 1 0 0 0 0 0 0`).join("\n");
  const intr = `intr 123456789${" 0".repeat(20_000)}`;
  const text =
    `cpu  512 0 512 512 0 0 0 0 0 0\n${lines}\n${intr}\nctxt 5\nbtime 1\nprocesses 9\nprocs_running 3\nprocs_blocked 0\n`;
  const tree = treeOf({ "/proc/stat": text });
  const host = hostOf(tree);
  const values = {
    ...valuesOf(await turn(cpuEvents.prepare(host), tree)),
    ...valuesOf(await turn(processes().prepare(host), tree)),
    ...valuesOf(await turn(cpu().prepare(host), tree)),
  };
  assertEquals(values["system.cpu.linux.interrupts{}"], 123456789);
  assertEquals(values["system.cpu.linux.context_switches{}"], 5);
  assertEquals(values["system.process.created{}"], 9);
  assertEquals(values["system.process.linux.runnable{}"], 3);
  assertEquals(values["system.cpu.logical.count{}"], 512);
});
