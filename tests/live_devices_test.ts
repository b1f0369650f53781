/**
 * Against this machine's kernel, as root: a CPU taken offline, a loop device, processes that come and go, and a run
 * that is stopped for a while. Each is put back as it was.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Collector } from "../collectors/collector.ts";
import { cpu } from "../collectors/cpu.ts";
import { disk } from "../collectors/disk.ts";
import { ownProcess } from "../collectors/process.ts";
import { processTable } from "../collectors/process_table.ts";
import { processes } from "../collectors/processes.ts";
import type { Snapshot } from "../collectors/metric.ts";
import { openSensor, type Sensor } from "../commands/sensor.ts";
import { inFolder, Program, sonde } from "./program.ts";
import type { JsonPoint } from "./root_tree.ts";

function open(all: readonly Collector[], metrics: readonly string[] = [], walks = false): Sensor {
  const settings = {
    root: "/",
    collectors: [{ on: true, pattern: "*" }],
    metrics: metrics.map((pattern) => ({ on: true, pattern })),
  };
  return openSensor(all, settings, {
    namings: ["semconv"],
    walks,
    clock: { wall: Date.now, mono: () => performance.now() },
    attributes: {},
    remembered: {},
  });
}

function command(name: string, ...args: string[]): string | undefined {
  try {
    const { success, stdout } = new Deno.Command(name, { args, stderr: "null" }).outputSync();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const valuesOf = ({ points }: Snapshot, name: string): Map<string, number> =>
  new Map(
    points.filter(({ series, ended }) => series.descriptor.name === name && !ended)
      .map(({ series, value }) => [Object.values(series.attributes).join(" "), Number(value)]),
  );

const ONLINE = "/sys/devices/system/cpu/cpu1/online";

function setOnline(value: "0" | "1"): boolean {
  try {
    Deno.writeTextFileSync(ONLINE, value);
    return Deno.readTextFileSync(ONLINE).trim() === value;
  } catch {
    return false;
  }
}

const canOffline = Deno.uid() === 0 && setOnline("1") && setOnline("0") && setOnline("1");

Deno.test({
  name: "cpu ends the series of a CPU taken offline and counts it again when it is back",
  ignore: !canOffline,
  async fn() {
    const sensor = open([cpu({ perCpu: true })]);
    const count = () => valuesOf(sensor.collect(), "system.cpu.logical.count").get("");
    try {
      const before = count() ?? 0;
      assert(setOnline("0"));
      const snapshot = sensor.collect();
      assertEquals(valuesOf(snapshot, "system.cpu.logical.count").get(""), before - 1);
      const gone = snapshot.points.filter(({ series, ended }) =>
        ended && series.attributes["cpu.logical_number"] === 1
      );
      assertEquals(gone.length, 7, "each mode of the CPU is ended");
      assert(setOnline("1"));
      assertEquals(count(), before);
    } finally {
      setOnline("1");
      await sensor.close();
    }
  },
});

const canLoop = Deno.uid() === 0 && command("losetup", "-f") !== undefined;

Deno.test({
  name: "disk sees a loop device come, counts what is read from it and forgets it",
  ignore: !canLoop,
  async fn() {
    const file = Deno.makeTempFileSync();
    Deno.writeFileSync(file, new Uint8Array(4 * 2 ** 20));
    const sensor = open([disk({ diskExclude: [] })]);
    let device: string | undefined;
    try {
      sensor.collect();
      device = command("losetup", "-f", "--show", file);
      assert(device !== undefined);
      const name = device.slice("/dev/".length);
      const readBefore = valuesOf(sensor.collect(), "system.disk.io").get(`${name} read`) ?? 0;
      assert(command("dd", `if=${device}`, "of=/dev/null", "bs=1M", "iflag=direct") !== undefined);
      const readAfter = valuesOf(sensor.collect(), "system.disk.io").get(`${name} read`) ?? 0;
      assert(readAfter - readBefore >= 4 * 2 ** 20, `${readBefore} to ${readAfter}`);
    } finally {
      if (device !== undefined) command("losetup", "-d", device);
      Deno.removeSync(file);
      await sensor.close();
    }
  },
});

Deno.test("processes counts what comes and goes without opening anything", async () => {
  const sensor = open([processes()]);
  const count = () => valuesOf(sensor.collect(), "system.process.count").get("") ?? 0;
  const children: Deno.ChildProcess[] = [];
  try {
    const before = count();
    for (let at = 0; at < 30; at++) children.push(new Deno.Command("sleep", { args: ["60"] }).spawn());
    const during = count();
    // Other programs of this machine come and go as well.
    assert(Math.abs(during - before - 30) <= 15, `${before}, then ${during}`);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map((child) => child.status));
    await sensor.close();
  }
});

Deno.test("process counts the files it has open itself", async () => {
  const sensor = open([ownProcess], ["process.*"]);
  const files: Deno.FsFile[] = [];
  try {
    const count = () => valuesOf(sensor.collect(), "process.unix.file_descriptor.count").get("");
    const before = count();
    for (let at = 0; at < 7; at++) files.push(Deno.openSync("/dev/null"));
    // Kernels before 6.2 do not tell.
    if (before !== undefined) assertEquals(count(), before + 7);
  } finally {
    for (const file of files) file.close();
    await sensor.close();
  }
});

Deno.test("process_table sees a zombie and a stopped process", async () => {
  const sensor = open([processTable({ processesTop: 3 })], [], true);
  // The shell is stopped before its child ends, so that nobody waits for the child.
  const shell = new Deno.Command("sh", {
    args: ["-c", "sleep 0.3 & echo $!; kill -STOP $$"],
    stdout: "piped",
  }).spawn();
  const reader = shell.stdout.getReader();
  const stateOf = (pid: string) => /State:\t(\w)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
  try {
    const { value } = await reader.read();
    const child = new TextDecoder().decode(value).trim();
    // The kernel tells nobody when it stops one and when the other has ended.
    while (stateOf(String(shell.pid)) !== "T" || stateOf(child) !== "Z") await pause(5);
    await sensor.refresh(5000);
    const states = valuesOf(sensor.collect(), "system.process.count");
    assert((states.get("stopped") ?? 0) >= 1, JSON.stringify([...states]));
    assert((states.get("defunct") ?? 0) >= 1, JSON.stringify([...states]));
  } finally {
    shell.kill("SIGKILL");
    await reader.cancel();
    await shell.status;
    await sensor.close();
  }
});

Deno.test("the walker still answers after the drop, and only when it was asked for", () =>
  inFolder(async (folder) => {
    const args = [
      "run",
      "--interval",
      "200ms",
      "--format",
      "json",
      "--set",
      "SONDE_COLLECTORS=+process_table",
    ];
    await using program = new Program(folder, args);
    await program.waitFor(({ stdout }) => stdout.split('"process.state":"sleeping"').length > 3);
    assertMatch((await sonde(folder, ["sandbox"])).stdout, /pipe to process \d+: a fixed script/);
    const without = await sonde(folder, ["sandbox"], {
      env: { SONDE_CONTROL_SOCKET: `${folder}/none.sock`, SONDE_STATE_DIR: `${folder}/other` },
    });
    assert(!without.stdout.includes("pipe to process"), without.stdout);
  }));

Deno.test("the walker reads command lines when it was asked for them, and cuts them", () =>
  inFolder(async (folder) => {
    const args = ["-c", "read -r _; exit", "a b".repeat(200)];
    const long = new Deno.Command("sh", { args, stdin: "piped" }).spawn();
    try {
      const set = ["--set", "SONDE_PROCESSES_TOP=100", "--set", "SONDE_PROCESSES_BY=command_line"];
      const { stdout } = await sonde(folder, ["once", "--dry-run", "--format", "json", ...set]);
      const { points }: { points: JsonPoint[] } = JSON.parse(stdout);
      const lines = points.filter(({ name }) => name === "process.memory.usage")
        .map(({ attributes }) => attributes["process.command_line"]);
      const found = lines.find((line) => String(line).includes("sh -c read -r _; exit a ba b"));
      assert(found !== undefined && String(found).length < 300, String(found));
    } finally {
      await long.stdin.close();
      await long.status;
    }
  }));

/** Times of the cycles that a run has printed. */
function cycleTimes(stdout: string): number[] {
  const times = stdout.split("\n").filter((line) => line.includes('"system.uptime"')).map((line) => {
    const point: JsonPoint = JSON.parse(line.replace(/,$/, ""));
    return Number(BigInt(point.timeUnixNano) / 1_000_000n);
  });
  return [...new Set(times)];
}

Deno.test("run makes one late cycle of a stop, no burst", () =>
  inFolder(async (folder) => {
    await using program = new Program(folder, ["run", "--interval", "250ms", "--format", "json"]);
    await program.waitFor(({ stdout }) => cycleTimes(stdout).length >= 3);
    program.signal("SIGSTOP");
    // Real time: a stopped process is what this is about, and its clock goes on.
    await pause(10_000);
    program.signal("SIGCONT");
    const seen = cycleTimes(program.stdout).length;
    await program.waitFor(({ stdout }) => cycleTimes(stdout).length >= seen + 5);
    const times = cycleTimes(program.stdout);
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    assertEquals(gaps.filter((gap) => gap > 9000).length, 1, `gaps ${gaps}`);
    // Cycles that were missed are not made up for: none follows another at once.
    assertEquals(gaps.filter((gap) => gap < 100).length <= 1, true, `gaps ${gaps}`);
  }));
