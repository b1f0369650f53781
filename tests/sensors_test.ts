/**
 * Hardware, clock, own limits and own process: vectors V17, V22, V23, V24 and V28 of host-metrics, sensors that
 * fail or hang, and the calls into libc.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { clock } from "../collectors/clock.ts";
import type { FileReader, Host } from "../collectors/collector.ts";
import { container } from "../collectors/container.ts";
import { ownProcess } from "../collectors/process.ts";
import { parseProcessStat } from "../collectors/process_stat.ts";
import { SensorPoll, SENSORS_MAX } from "../collectors/sensors.ts";
import { decodeStatfs, decodeTimex, LIBC_SYMBOLS, openLibc } from "../collectors/statfs.ts";
import { temperatures } from "../collectors/temperature.ts";
import { collectInto, hostOf, Recording, treeOf, turn, valuesOf } from "./fixture_host.ts";

const CHIP = "/sys/class/hwmon/hwmon0";

Deno.test("V22: temperature reports what can be read, limits included, and nothing for a failing sensor", async () => {
  const tree = treeOf({
    [`${CHIP}/name`]: "coretemp\n",
    [`${CHIP}/temp1_input`]: "47774\n",
    [`${CHIP}/temp1_label`]: "Package id 0\n",
    [`${CHIP}/temp1_crit`]: "100000\n",
    [`${CHIP}/temp2_input`]: "",
    [`${CHIP}/temp3_input`]: "-5000\n",
  });
  const prepared = temperatures.prepare(hostOf(tree));
  await prepared.refresh?.((path) =>
    path.endsWith("temp2_input")
      ? Promise.reject(new Error("Resource temporarily unavailable (os error 11)"))
      : Promise.resolve(tree.files.get(path) ?? "")
  );
  const found = new Recording();
  collectInto(found, prepared, tree);
  assertEquals(
    found.points.map(({ series, value }) => [series.descriptor.name, series.attributes["hw.id"], value]),
    [
      ["hw.temperature", "coretemp_coretemp_temp1", 47.774],
      ["hw.temperature", "coretemp_coretemp_temp3", -5],
      ["hw.temperature.limit", "coretemp_coretemp_temp1", 100],
    ],
  );
  assertEquals(found.omitted.map(({ what }) => what), [`${CHIP}/temp2_input`]);
});

Deno.test("SensorPoll asks a failing sensor ever more rarely, at least every tenth minute", async () => {
  const poll = new SensorPoll([{ path: "/s", stem: "/s", attributes: {} }]);
  let asked = 0;
  let isBroken = true;
  const read: FileReader = () => {
    asked++;
    return isBroken ? Promise.reject(new Error("EIO")) : Promise.resolve("1000\n");
  };
  const turns: number[] = [];
  for (let at = 0; at < 200; at++) {
    const before = asked;
    await poll.refresh(read);
    if (asked > before) turns.push(at);
  }
  assertEquals(turns.slice(0, 8), [0, 2, 6, 14, 30, 62, 122, 182]);
  isBroken = false;
  for (let at = 0; at < 60; at++) await poll.refresh(read);
  const before = asked;
  await poll.refresh(read);
  assertEquals([asked - before, poll.readings()[0]?.raw], [1, 1000]);
});

Deno.test("SensorPoll leaves a hanging sensor alone and reads the others", async () => {
  const sensor = (path: string) => ({ path, stem: path, attributes: {} });
  const poll = new SensorPoll([sensor("/hangs"), sensor("/works")]);
  let asked = 0;
  const read: FileReader = (path) => {
    if (path === "/works") return Promise.resolve("21000\n");
    asked++;
    return new Promise(() => {});
  };
  // Real time: one second is the budget of a sensor, and it must be spent only once.
  await poll.refresh(read);
  const before = performance.now();
  for (let at = 0; at < 5; at++) await poll.refresh(read);
  assert(performance.now() - before < 500);
  assertEquals(asked, 1);
  assertEquals(poll.readings().map(({ raw, why }) => [raw, why]), [
    [undefined, "does not answer within 1 s"],
    [21000, undefined],
  ]);
});

Deno.test("SensorPoll takes 64 sensors and says how many are left", () => {
  const sensors = Array.from({ length: 70 }, (_, at) => ({ path: `/${at}`, stem: `/${at}`, attributes: {} }));
  const poll = new SensorPoll(sensors);
  assertEquals([poll.files.length, poll.left], [SENSORS_MAX, 6]);
});

const GROUP = "/sys/fs/cgroup";
const V23 = {
  "/proc/self/cgroup": "0::/a/b\n",
  [`${GROUP}/a/memory.max`]: "536870912\n",
  [`${GROUP}/a/b/memory.max`]: "max\n",
  [`${GROUP}/a/b/memory.current`]: "200000000\n",
  [`${GROUP}/a/b/memory.stat`]: "anon 1\ninactive_file 50000000\n",
  [`${GROUP}/a/b/cpu.max`]: "50000 100000\n",
  [`${GROUP}/a/b/cpu.stat`]: "usage_usec 9\nthrottled_usec 2500000\n",
};

Deno.test("V23: container takes the least limit of all groups above", async () => {
  const tree = treeOf(V23);
  const values = valuesOf(await turn(container({ containerEverywhere: true }).prepare(hostOf(tree)), tree));
  assertEquals(values, {
    "container.cpu.throttled.time{}": 2.5,
    "container.cpu.limit{}": 0.5,
    "container.memory.usage{}": 200000000,
    "container.memory.working_set{}": 150000000,
    "container.memory.available{}": 386870912,
    "container.memory.limit{}": 536870912,
  });
});

Deno.test("container has no limit when one above cannot be read, and is silent outside a container", async () => {
  const prepared = container({ containerEverywhere: true }).prepare(hostOf(treeOf(V23)));
  const { [`${GROUP}/a/memory.max`]: _, ...rest } = V23;
  const values = valuesOf(await turn(prepared, treeOf(rest)));
  assertEquals([values["container.memory.limit{}"], values["container.memory.usage{}"]], [
    undefined,
    200000000,
  ]);
  assertEquals(container().prepare(hostOf(treeOf(V23))).files, []);
  const marked = container().prepare(hostOf(treeOf({ ...V23, "/.dockerenv": "" })));
  assert(marked.files.length > 0);
  const image = treeOf({ ...V23, "/.dockerenv": "", "/proc/2/comm": "kthreadd\n" });
  assertEquals(container().prepare(hostOf(image)).files, [], "a machine made from a container image");
});

Deno.test("V24: clock counts jumps of the wall clock and none of the time between", () => {
  const prepared = clock().prepare(hostOf(treeOf({})));
  const steps = (wall: number, uptime: number) => {
    const found = new Recording({ timeNs: BigInt(wall) * 1_000_000_000n, uptime });
    collectInto(found, prepared, treeOf({}));
    return valuesOf(found)["system.clock.linux.steps{}"];
  };
  assertEquals(steps(1795221971, 1000), 0);
  assertEquals(steps(1795225581, 1010), 1);
  assertEquals(steps(1795225591, 1020), 1);
  assertEquals(steps(1795220000, 1030), 2);
});

Deno.test("clock reports what the kernel and the backends say, and no 0 that nobody measured", async () => {
  const base = hostOf(treeOf({}));
  const read = async (state: ReturnType<Host["adjtimex"]>, httpOffset?: number) => {
    const prepared = clock({ httpOffset: () => httpOffset }).prepare({ ...base, adjtimex: () => state });
    const { "system.clock.linux.steps{}": _, ...rest } = valuesOf(await turn(prepared, treeOf({})));
    return rest;
  };
  assertEquals(await read({ synchronized: true, offset: 0.002 }), {
    "system.clock.linux.synchronized{}": 1,
    'system.clock.offset{source="adjtimex"}': 0.002,
  });
  assertEquals(await read({ synchronized: true, offset: 0 }), { "system.clock.linux.synchronized{}": 1 });
  assertEquals(await read({ synchronized: false, offset: 9 }, -3), {
    "system.clock.linux.synchronized{}": 0,
    'system.clock.offset{source="http_date"}': -3,
  });
  assertEquals(await read(undefined), {});
});

const V17 =
  "4242 (tmux: server) x) S 1 4242 4242 0 -1 4194560 1500 0 7 0 250 75 0 0 20 0 3 0 360000 123456789 2048 0\n";

Deno.test("V17: parseProcessStat() ends the name at the last bracket", () => {
  assertEquals(parseProcessStat(V17), {
    comm: "tmux: server) x",
    parent: 1,
    minorFaults: 1500,
    majorFaults: 7,
    userTicks: 250,
    systemTicks: 75,
    threads: 3,
    startTicks: 360000,
    virtualBytes: 123456789,
    residentPages: 2048,
    waitTicks: undefined,
  });
  for (const text of ["", "1 (x", "1 (x) S 1\n", V17.trimEnd()]) {
    assertThrows(() => parseProcessStat(text), SyntaxError);
  }
});

Deno.test("V28: process shares its CPU time out over all CPUs and starts anew with another process", async () => {
  const cpus = "cpu  1 1\ncpu0 1\ncpu1 1\ncpu2 1\ncpu3 1\n";
  const tree = (user: number, system: number, start = 360000) =>
    treeOf({
      "/proc/stat": cpus,
      "/proc/self/stat": `9 (x) S 1 9 9 0 -1 0 0 0 0 0 ${user} ${system} 0 0 20 0 3 0 ${start} 1000 5 0\n`,
    });
  const prepared = ownProcess.prepare(hostOf(tree(0, 0)));
  const shares = async (at: ReturnType<typeof tree>, uptime: number) => {
    const values = valuesOf(await turn(prepared, at, { uptime, monotonicMs: uptime * 1000 }));
    return ["user", "system"].map((mode) => values[`process.cpu.utilization{cpu.mode="${mode}"}`]);
  };
  assertEquals(await shares(tree(100, 50), 5000), [undefined, undefined]);
  assertEquals(await shares(tree(400, 150), 5010), [0.075, 0.025]);
  assertEquals(await shares(tree(400, 150), 5010), [undefined, undefined]);
  assertEquals(await shares(tree(900, 900, 500000), 5020), [undefined, undefined]);
});

Deno.test("decodeStatfs() counts in fragments where there are any", () => {
  const bytes = new Uint8Array(120);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  put(8, 1048576);
  put(16, 256);
  put(72, 4096);
  assertEquals(decodeStatfs(bytes).blockSize * decodeStatfs(bytes).blocks, 1048576);
  put(72, 0);
  assertEquals(decodeStatfs(bytes).blockSize, 1048576);
});

Deno.test("decodeTimex() reads the offset in the unit of its status", () => {
  const bytes = new Uint8Array(208);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(8, -1500n, true);
  assertEquals(decodeTimex(bytes, 0), { synchronized: true, offset: -0.0015 });
  view.setInt32(40, 0x2001, true);
  assertEquals(decodeTimex(bytes, 5), { synchronized: false, offset: -0.0000015 });
});

Deno.test("openLibc() opens statfs, adjtimex, getrusage and fstat alone, and they agree with the system", async () => {
  assertEquals([...LIBC_SYMBOLS], ["statfs", "adjtimex", "getrusage", "fstat"]);
  const libc = openLibc();
  assert(libc !== undefined);
  try {
    const figures = await libc.statfs("/");
    const df = new Deno.Command("stat", { args: ["-f", "-c", "%S %b %c", "/"] }).outputSync();
    const [blockSize, blocks, files] = new TextDecoder().decode(df.stdout).trim().split(" ").map(Number);
    assertEquals([figures?.blockSize, figures?.blocks, figures?.files], [blockSize, blocks, files]);
    assertEquals(await libc.statfs("/no such path"), undefined);
    assert(libc.adjtimex() !== undefined);
    const first = libc.getrusage();
    const status = Deno.readTextFileSync("/proc/self/status");
    const ofFirstThread = Number(/^voluntary_ctxt_switches:\t(\d+)$/m.exec(status)?.[1]);
    await libc.statfs("/");
    const second = libc.getrusage();
    assert(first !== undefined && second !== undefined);
    assert(second.voluntary >= ofFirstThread && second.voluntary >= first.voluntary, "all threads");
  } finally {
    libc.close();
  }
});
