/**
 * Vectors of host-metrics from the command line: a tree on disk, `once --root A --previous B --format json`, and the
 * numbers that come out of the real process.
 */
import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder, Program, sonde } from "./program.ts";
import { auxv, Printed, printed, type Texts, writeTexts } from "./root_tree.ts";

const HEADER =
  "Inter-|   Receive                    |  Transmit\n face |bytes packets errs drop |bytes packets\n";

/** One moment with V1, V5, V7, V8, V13, V15, V16, V18, V20 in it. */
const SINGLE: Texts = {
  "proc/uptime": "1000.00 1000.00\n",
  "proc/stat": "cpu  10132153 290696 3084719 46828483 16683 25195 175628 1200 40000 500\n" +
    "cpu0 10132153 290696 3084719 46828483 16683 25195 175628 1200 40000 500\n" +
    `intr 123456789${
      " 0".repeat(20_000)
    }\nctxt 5\nbtime 1795220971\nprocesses 9\nprocs_running 3\nprocs_blocked 0\n`,
  "proc/meminfo": [
    ...["MemTotal: 8000000", "MemFree: 1000000", "MemAvailable: 5000000", "Buffers: 200000"],
    ...["Cached: 3500000", "SReclaimable: 400000", "SUnreclaim: 150000", "Shmem: 300000"],
  ].map((line) => `${line} kB\n`).join(""),
  "proc/diskstats": "254 0 vda 9000 100 2050000 12500 7000 300 4100008 8000 2 3688 20500 10 5 640 30 18 7\n" +
    "254 1 vda1 9000 100 2050000 12500 7000 300 4100008 8000 2 3688 20500\n7 1 loop1 9 1 2 1 7 3 4 8 0 3 2\n",
  "proc/vmstat":
    "pgpgin 4000\npgpgout 8000\npswpin 10\npswpout 20\npgfault 5135344\npgmajfault 1494\noom_kill 2\n",
  "proc/swaps": "Filename Type Size Used Priority\n/dev/dm-1 partition 2097148 524288 -2\n",
  "proc/1/net/dev": `${HEADER}  eth0: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n`,
  "proc/1/net/tcp":
    "  sl local rem st\n   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000\n" +
    "   1: 0100007F:0017 00000000:0000 01 00000000:00000000 00:00000000 00000000\n",
  "proc/sys/fs/file-nr": "917\t0\t9223372036854775807\n",
  "proc/self/auxv": auxv(16_384, 100),
  "proc/1/net/sockstat": "sockets: used 300\nTCP: inuse 8 orphan 0 tw 2 alloc 12 mem 7\nUDP: inuse 5 mem 3\n",
};

Deno.test("once --root prints V1, V5, V7, V15, V16, V18, V20 and V21 of a tree on disk", () =>
  inFolder(async (folder) => {
    const root = `${folder}/host`;
    writeTexts(root, SINGLE);
    const all = await printed(folder, [
      "--root",
      root,
      "--set",
      "SONDE_METRICS=system.network.connection.count",
    ]);
    const expected: readonly (readonly [number | string, string, ...string[]])[] = [
      [101321.53, "system.cpu.time", "user"],
      [2008.23, "system.cpu.time", "interrupt"],
      [166.83, "system.cpu.time", "iowait"],
      [3_072_000_000, "system.memory.usage", "used"],
      [3_584_000_000, "system.memory.usage", "cached"],
      [5_120_000_000, "system.memory.linux.available"],
      [1_049_600_000, "system.disk.io", "vda", "read"],
      [2_099_204_096, "system.disk.io", "vda", "write"],
      [20.5, "system.disk.weighted_io_time", "vda"],
      [5_133_850, "system.paging.faults", "minor"],
      [536_870_912, "system.paging.usage", "used"],
      [1, "system.network.connection.count", "established"],
      [917, "system.file.linux.handle.count"],
      ["9223372036854775807", "system.file.linux.handle.limit"],
      [123_456_789, "system.cpu.linux.interrupts"],
      [3, "system.process.linux.runnable"],
      // Seven pages of 16 KiB: the page size is the recording's, not this machine's.
      [7 * 16_384, "system.network.linux.socket.memory", "tcp"],
    ];
    for (const [value, ...which] of expected) assertEquals(all.value(...which), value, which.join(" "));
    const devices = all.points.filter(({ name }) => name === "system.disk.io_time");
    assertEquals(devices.map(({ attributes }) => attributes["system.device"]), ["vda"]);
  }));

const stat = (cpus: readonly string[], btime = 1_795_220_971) =>
  `${cpus.join("\n")}\nintr 1\nctxt 5\nbtime ${btime}\nprocesses 9\nprocs_running 1\nprocs_blocked 0\n`;

/** V2, V4, V9, V11 (a 32-bit kernel), V25 and V27: what only two moments tell. */
const BEFORE: Texts = {
  "proc/uptime": "1000.00 1.00\n",
  "proc/stat": stat(["cpu  1000 0 500 8000 100 0 50 0 0 0", "cpu0 500 0 250 4000 50 0 25 0 0 0"]),
  "proc/sys/kernel/arch": "armv7l\n",
  "proc/diskstats": "8 0 sda 1000 0 8000 5000 500 0 4000 8000 0 4294960000 9 0 0 0 0 0 0\n",
  "proc/1/net/dev": `${HEADER}  eth0:4294960000 500 0 0 0 0 0 0 100 2 1 3 0 0 0 0\n`,
  "proc/1/net/softnet_stat": "fffffffe 00000000 00000000\n",
};
const AFTER: Texts = {
  ...BEFORE,
  "proc/uptime": "1010.00 1.00\n",
  "proc/stat": stat(["cpu  1300 0 600 8500 150 0 100 0 200 0", "cpu0 650 0 300 4250 75 0 50 0 100 0"]),
  "proc/diskstats": "8 0 sda 1200 0 9000 5600 550 0 4800 9000 0 5000 20 0 0 0 0 0 0\n",
  "proc/1/net/dev": `${HEADER}  eth0: 1000 510 0 0 0 0 0 0 100 2 1 3 0 0 0 0\n`,
  "proc/1/net/softnet_stat": "00000001 00000000 00000000\n",
};
const OPT_IN = "SONDE_METRICS=*.utilization,system.disk.linux.await";

Deno.test("once --previous prints V2, V9, V11, V25 and V27 of two trees", () =>
  inFolder(async (folder) => {
    writeTexts(`${folder}/a`, AFTER);
    writeTexts(`${folder}/b`, BEFORE);
    const args = ["--root", `${folder}/a`, "--previous", `${folder}/b`, "--set", OPT_IN];
    const all = await printed(folder, args);
    const shares = { user: 0.3, system: 0.1, idle: 0.5, iowait: 0.05, interrupt: 0.05, nice: 0, steal: 0 };
    for (const [mode, share] of Object.entries(shares)) {
      assertAlmostEquals(Number(all.value("system.cpu.utilization", mode)), share, 1e-12, mode);
    }
    assertEquals(all.value("system.disk.io_time", "sda"), 4_294_972.296);
    assertEquals(all.value("system.network.io", "eth0", "receive"), 4_294_968_296);
    assertEquals(all.value("system.network.linux.softnet.processed"), 0xfffffffe + 3);
    assertEquals(all.value("system.disk.linux.await", "read"), 0.003);
    assertEquals(all.value("system.disk.linux.await", "write"), 0.02);
    // Ten seconds of uptime passed, and a wrapped counter keeps its start.
    const starts = new Set(all.points.map(({ startTimeUnixNano }) => startTimeUnixNano));
    const boot = all.point("system.cpu.time", "user")?.startTimeUnixNano;
    assertEquals(all.point("system.disk.io_time", "sda")?.startTimeUnixNano, boot);
    assertEquals(starts.has(undefined), true, "gauges have no start");
    const alone = await printed(folder, ["--root", `${folder}/a`, "--set", OPT_IN]);
    assertEquals(alone.value("system.cpu.utilization", "user"), undefined, "one look gives no share");
  }));

Deno.test("once --previous tells a reset, a replaced disk and a clock that was set", () =>
  inFolder(async (folder) => {
    writeTexts(`${folder}/b`, { ...BEFORE, "proc/sys/kernel/arch": "x86_64\n" });
    writeTexts(`${folder}/a`, {
      ...AFTER,
      "proc/sys/kernel/arch": "x86_64\n",
      "proc/stat": stat(["cpu  1300 0 600 8500 150 0 100 0 0 0"], 1_795_224_571),
      "proc/diskstats": "8 0 sda 3 0 24 5 1 0 8 2 0 5000 20\n",
    });
    const all = await printed(folder, ["--root", `${folder}/a`, "--previous", `${folder}/b`]);
    const boot = all.point("system.cpu.time", "user")?.startTimeUnixNano;
    const network = all.point("system.network.io", "eth0", "receive");
    assertEquals(network?.value, 1000);
    assertEquals(network?.startTimeUnixNano !== boot, true, "a reset has a start of its own");
    assertEquals(all.value("system.disk.io_time", "sda"), 5);
    // V24: the wall clock went 3610 s ahead in 10 s.
    assertEquals(all.value("system.clock.linux.steps"), 1);
  }));

Deno.test("run --root sees a file rewritten in place in the next cycle", () =>
  inFolder(async (folder) => {
    const root = `${folder}/host`;
    writeTexts(root, SINGLE);
    const args = ["run", "--root", root, "--interval", "200ms", "--format", "json"];
    await using program = new Program(folder, args);
    const running = (value: number) => ({ stdout }: { readonly stdout: string }) =>
      stdout.split("\n").some((line) =>
        line.includes('"system.process.linux.runnable"') && line.includes(`"value":${value}`)
      );
    await program.waitFor(running(3));
    const stat = String(SINGLE["proc/stat"]).replace("procs_running 3", "procs_running 7");
    Deno.writeTextFileSync(`${root}/proc/stat`, stat);
    await program.waitFor(running(7));
  }));

Deno.test("HOST_PROC names a folder of the host, and contradicts another root", () =>
  inFolder(async (folder) => {
    writeTexts(`${folder}/host`, SINGLE);
    const env = { HOST_PROC: `${folder}/host/proc` };
    const all = await printed(folder, [], env);
    assertEquals(all.value("system.cpu.linux.interrupts"), 123_456_789);
    const conflict = await sonde(folder, ["once", "--dry-run", "--root", `${folder}/host`], {
      env: { HOST_PROC: "/elsewhere/proc" },
    });
    assertEquals(conflict.code, 78);
    assertStringIncludes(conflict.stderr, "HOST_PROC");
    const same = await printed(folder, ["--root", `${folder}/host`], env);
    assertEquals(same.value("system.cpu.linux.context_switches"), 5);
  }));

const canMount = Deno.uid() === 0 &&
  new Deno.Command("unshare", { args: ["-m", "true"], stdout: "null", stderr: "null" }).outputSync().success;

Deno.test({
  name: "once --root asks statfs of the root plus the mount point",
  ignore: !canMount,
  fn: () =>
    inFolder(async (folder) => {
      const root = `${folder}/host`;
      writeTexts(root, {
        ...SINGLE,
        "proc/filesystems": "nodev\ttmpfs\n\text4\n",
        "proc/1/mountinfo": "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 22 8:2 / /data rw - ext4 /dev/sdb1 rw\n",
      });
      Deno.mkdirSync(`${root}/data`);
      const script = `mount -t tmpfs -o size=1m none ${root}/data && exec "$@"`;
      const { code, stdout, stderr } = await sonde(
        folder,
        ["once", "--dry-run", "--format", "json", "--root", root],
        { wrap: ["unshare", "-m", "sh", "-c", script, "sh"] },
      );
      assertEquals(code, 0, stderr);
      const all = new Printed(stdout);
      const point = all.point("system.filesystem.usage", "/data", "free");
      assertEquals([point?.value, point?.attributes["system.device"]], [1_048_576, "/dev/sdb1"]);
    }),
});
