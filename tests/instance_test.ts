/** instance.json: kept, replaced on a cloned disk, and unharmed by rights that come and go. */
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { openInstance, uuidv7 } from "../config/instance.ts";
import { openStateDir } from "../config/state_dir.ts";

const now = () => ({ timeMs: 1_795_221_971_000, random: crypto.getRandomValues(new Uint8Array(10)) });

async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const path = Deno.makeTempDirSync();
  try {
    await test(path);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

Deno.test("uuidv7() holds the time, the version and the variant", () => {
  const id = uuidv7(0x0192_3456_789a, new Uint8Array(10).fill(0xff));
  assertEquals(id, "01923456-789a-7fff-bfff-ffffffffffff");
});

Deno.test("openInstance() keeps the identity from run to run", async () => {
  await inFolder(async (path) => {
    const first = await openInstance(path, { machineId: "a", productUuid: "p" }, now());
    const second = await openInstance(path, { machineId: "a", productUuid: "p" }, now());
    assertEquals(second.instance, first.instance);
    assertEquals(second.notes, []);
    assertEquals((Deno.statSync(`${path}/instance.json`).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("openInstance() compares only parts that both runs could read", async () => {
  await inFolder(async (path) => {
    const asRoot = await openInstance(path, { machineId: "a", productUuid: "p" }, now());
    const asUser = await openInstance(path, { machineId: "a" }, now());
    assertEquals(asUser.instance.uid, asRoot.instance.uid);
    const clone = await openInstance(path, { machineId: "a", productUuid: "other" }, now());
    assertNotEquals(clone.instance.uid, asRoot.instance.uid);
    assertMatch(clone.notes.join(), /another machine/);
  });
});

Deno.test("openInstance() sets a damaged file aside and goes on", async () => {
  await inFolder(async (path) => {
    for (const text of ["", "{", '{"uid":"x"}', "null", "[]"]) {
      Deno.writeTextFileSync(`${path}/instance.json`, text);
      const opened = await openInstance(path, {}, now());
      assertMatch(opened.instance.uid, /^[0-9a-f-]{36}$/);
      assertMatch(opened.notes.join(), /damaged/);
      assertEquals(Deno.readTextFileSync(`${path}/instance.json.bad`), text);
    }
  });
});

Deno.test("openInstance() without a state directory lives as long as the process", async () => {
  assertEquals((await openInstance(undefined, { machineId: "a" }, now())).notes, []);
});

Deno.test("openStateDir() takes the first candidate that can be written, and names the others' faults", async () => {
  await inFolder((path) => {
    Deno.writeTextFileSync(`${path}/file`, "");
    const opened = openStateDir([`${path}/file/below`, `${path}/new/state`]);
    assertEquals(opened.path, `${path}/new/state`);
    assertEquals((Deno.statSync(`${path}/new/state`).mode ?? 0) & 0o777, 0o700);
    assertMatch(openStateDir([`${path}/file/below`]).fault ?? "", /file\/below/);
    return Promise.resolve();
  });
});
