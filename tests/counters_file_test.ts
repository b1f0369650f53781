/** What survives a restart: the record of counters, whatever became of its files, and start times with it. */
import { assert, assertEquals } from "@std/assert";
import { rememberedOf } from "../commands/sensor.ts";
import { CountersFile } from "../config/counters_file.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, sonde } from "./program.ts";
import { Printed } from "./root_tree.ts";

/** Opens, does something, closes. */
function withFile<T>(folder: string, use: (file: CountersFile) => T): T {
  const file = CountersFile.open(folder);
  assert(file !== undefined);
  try {
    return use(file);
  } finally {
    file.close();
  }
}

Deno.test("CountersFile gives back the last record, a shorter one after a longer one too", () =>
  inFolder((folder) => {
    assertEquals(withFile(folder, ({ found }) => found), undefined);
    const records = [{ a: "x".repeat(500) }, { a: 1 }, { a: 2 }, {}];
    for (const record of records) {
      assertEquals(withFile(folder, (file) => file.save(record)), true);
      assertEquals(withFile(folder, ({ found }) => found), record);
    }
    return Promise.resolve();
  }));

Deno.test("CountersFile gives back the record before when the last one was cut or damaged", () =>
  inFolder((folder) => {
    withFile(folder, (file) => [file.save({ at: 1 }), file.save({ at: 2 })]);
    const last = ["counters.json", "counters.other.json"].map((name) => `${folder}/${name}`)
      .find((path) => Deno.readTextFileSync(path).startsWith("2 "));
    assert(last !== undefined);
    const whole = Deno.readTextFileSync(last);
    const damaged = [
      "",
      "2 ",
      whole.slice(0, -3),
      whole.replace('"at":2', '"at":3'),
      "\0".repeat(whole.length),
    ];
    for (const text of damaged) {
      Deno.writeTextFileSync(last, text);
      assertEquals(withFile(folder, ({ found }) => found), { at: 1 }, text);
    }
    return Promise.resolve();
  }));

Deno.test("CountersFile.open() degrades where the folder cannot be written", () => {
  assertEquals(CountersFile.open("/proc/nothing"), undefined);
});

Deno.test("rememberedOf() takes what has the right shape and leaves out the rest", () => {
  const boot = { bootId: "b", bootNs: "12" };
  assertEquals(rememberedOf({ boot, ledger: 7 }), { boot, ledger: 7 });
  for (const found of [undefined, null, 5, "x", [], { boot: 5 }, { boot: { bootId: 1 } }]) {
    assertEquals(rememberedOf(found).boot, undefined);
  }
});

Deno.test("start times of the kernel's counters are the same in the next life", () =>
  inFolder(async (folder) => {
    await using vendor = new FaultServer(ok);
    const env = { SONDE_SHUTDOWN_TIMEOUT: "2s", SONDE_ENDPOINT: vendor.url };
    const look = async () => {
      const args = ["once", "--spool-ok", "--format", "json"];
      const { code, stdout, stderr } = await sonde(folder, args, { env });
      assertEquals(code, 0, stderr);
      return new Printed(stdout).point("system.cpu.time", "user")?.startTimeUnixNano;
    };
    const first = await look();
    assert(first !== undefined);
    assertEquals(await look(), first);
  }));
