/** What the operator decides about collecting, at start and while it runs. */
import { assertEquals } from "@std/assert";
import { disk } from "../collectors/disk.ts";
import { collectors } from "../collectors/registry.ts";
import {
  CollectorChoice,
  collectorSelector,
  type CollectorSettings,
  wantsWalk,
} from "../commands/collector_choice.ts";
import { openSensor } from "../commands/sensor.ts";
import { hostFolders } from "../config/host_folders.ts";
import { inFolder, sonde } from "./program.ts";
import { writeTexts } from "./root_tree.ts";

const SETTINGS: CollectorSettings = {
  collectors: [],
  metrics: [],
  perCpu: false,
  diskExclude: ["loop*"],
  networkExclude: [],
  filesystemExclude: [],
  filesystemTypes: [],
  sysctl: [],
  processesTop: 0,
  processesBy: "executable",
  root: "/",
};

const on = (pattern: string) => ({ on: true, pattern });

Deno.test("CollectorChoice asks for the own control group when it is named, and not for any glob", () => {
  const cases: readonly (readonly [Partial<CollectorSettings>, boolean])[] = [
    [{}, false],
    [{ collectors: [on("container")] }, true],
    [{ metrics: [on("container.memory.limit")] }, true],
    [{ metrics: [on("container.*")] }, true],
    [{ metrics: [on("*.utilization")] }, false],
    [{ collectors: [{ on: false, pattern: "container" }] }, false],
  ];
  for (const [differs, expected] of cases) {
    const choice = new CollectorChoice({ ...SETTINGS, ...differs });
    assertEquals(choice.containerEverywhere, expected, JSON.stringify(differs));
  }
});

Deno.test("CollectorChoice strips the slash of the host itself and keeps another root as prefix", () => {
  assertEquals(new CollectorChoice(SETTINGS).rootPrefix, "");
  assertEquals(new CollectorChoice({ ...SETTINGS, root: "/hostfs" }).rootPrefix, "/hostfs");
});

Deno.test("wantsWalk() is true for a top list or the collector by name only", () => {
  assertEquals(wantsWalk(SETTINGS), false);
  assertEquals(wantsWalk({ ...SETTINGS, processesTop: 3 }), true);
  assertEquals(wantsWalk({ ...SETTINGS, collectors: [on("process_table")] }), true);
  assertEquals(
    wantsWalk({ ...SETTINGS, processesTop: 3, collectors: [{ on: false, pattern: "process_*" }] }),
    false,
  );
});

Deno.test("collectorSelector() switches a collector on for a metric that is asked for by name", () => {
  const isWanted = collectorSelector({ collectors: [], metrics: [on("system.network.connection.count")] });
  const names = collectors().filter(isWanted).map(({ name }) => name);
  assertEquals([names.includes("connections"), names.includes("wireless")], [true, false]);
});

Deno.test("Sensor.select() and CollectorChoice.follow() change what is collected from the next cycle on", () =>
  inFolder(async (folder) => {
    const line = (name: string) => `8 0 ${name} 5 0 8 1 5 0 8 1 0 1 1\n`;
    writeTexts(folder, { "proc/diskstats": line("sda") + line("sdb"), "proc/uptime": "1000.00 1.00\n" });
    const choice = new CollectorChoice({ ...SETTINGS, root: folder });
    const sensor = openSensor([disk(choice), ...collectors().filter(({ name }) => name === "cpu_throttle")], {
      ...SETTINGS,
      root: folder,
    }, {
      namings: ["semconv"],
      clock: { wall: () => 1_795_220_971_000, mono: () => 0 },
      attributes: {},
      remembered: {},
    });
    const devices = () => [
      ...new Set(
        sensor.collect().points.filter(({ ended }) => !ended)
          .map(({ series }) => series.attributes["system.device"]),
      ),
    ];
    assertEquals(devices(), ["sda", "sdb"]);
    choice.follow({ ...SETTINGS, diskExclude: ["sdb"] });
    assertEquals(devices(), ["sda"]);
    const off = { collectors: [{ on: false, pattern: "disk" }, on("cpu_throttle")], metrics: [] };
    assertEquals(sensor.select(off, ["semconv"]), ["cpu_throttle"], "its files were never opened");
    assertEquals(devices(), []);
    assertEquals(sensor.select({ collectors: [], metrics: [] }, ["semconv"]), []);
    assertEquals(devices(), ["sda"]);
    await sensor.close();
  }));

Deno.test("hostFolders() names what stands elsewhere than below the root", () => {
  const env = { HOST_PROC: "/hostfs/proc/", HOST_SYS: "/other/sys", HOST_ETC: "" };
  assertEquals(hostFolders(env, "/hostfs"), { sys: "/other/sys" });
  assertEquals(hostFolders(env, "/"), { proc: "/hostfs/proc", sys: "/other/sys" });
});

Deno.test("once --previous without a recording is a usage error", () =>
  inFolder(async (folder) => {
    const { code, stderr } = await sonde(folder, ["once", "--dry-run", "--previous", `${folder}/none`]);
    assertEquals([code, stderr.includes("--previous")], [64, true], stderr);
  }));
