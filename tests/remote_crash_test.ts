/**
 * C44: the process is killed at every write of the apply machine. Whatever the moment, the next life boots, runs a
 * configuration that was proven, says so, and settles the next offer.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Overlay } from "../config/remote_policy.ts";
import { bootMachine, decide, MemoryStore, offerOf } from "./remote_rig.ts";

const A = { SONDE_INTERVAL: "2s" };
const B = { SONDE_INTERVAL: "5s" };

/** A disk as a life leaves it that is killed after `cutAt` changes while B is being applied over A. */
async function killedDisk(cutAt: number): Promise<{ disk: MemoryStore; died: boolean }> {
  const store = new MemoryStore();
  const rig = await bootMachine({ store });
  await decide(rig, offerOf(0xa, A));
  store.changes = 0;
  store.cutAt = cutAt;
  await decide(rig, offerOf(0xb, B));
  const disk = new MemoryStore();
  for (const [name, bytes] of store.files) disk.files.set(name, bytes);
  return { disk, died: store.changes > cutAt };
}

const [CHANGES, PROBATION_AT] = [6, 2];

for (let cutAt = 0; cutAt <= CHANGES; cutAt++) {
  Deno.test(`C44 killed after write ${cutAt} of an apply, the next life is sound`, async () => {
    const { disk, died } = await killedDisk(cutAt);
    assertEquals(died, cutAt < CHANGES);
    const next = await bootMachine({ store: disk });
    const proven: readonly Overlay[] = [A, B];
    assert(
      proven.some((each) => JSON.stringify(each) === JSON.stringify(next.booted)),
      JSON.stringify(next.booted),
    );
    const { state, hash } = next.machine.status;
    const claims = `${state} ${hash.toHex()}`;
    if (cutAt < PROBATION_AT) assertEquals([claims, next.booted], ["applied 0a", A]);
    else if (cutAt === PROBATION_AT) assertEquals([claims, next.booted], ["failed 0b", A]);
    // What is claimed as applied is what runs.
    if (state === "applied") assertEquals(next.booted, hash[0] === 0xa ? A : B);
    assertEquals(disk.files.has("applying.json"), false);
    await decide(next, offerOf(0xc, { SONDE_INTERVAL: "7s" }));
    assertEquals(next.told.at(-1), "applied 0c");
  });
}

Deno.test("C44 killed during probation, the first status of the next life is FAILED", async () => {
  const store = new MemoryStore();
  const rig = await bootMachine({ store });
  await decide(rig, offerOf(0xa, A));
  rig.machine.offer(offerOf(0xb, B));
  await rig.clock.advance(1_000);
  assertEquals(rig.target.applied.at(-1), B);
  const next = await bootMachine({ store });
  assertEquals(next.booted, A);
  assertEquals(next.told, ["failed 0b: sonde stopped while applying"]);
  await decide(next, offerOf(0xb, B));
  assertEquals(next.told.length, 1);
});

const damages: readonly ["good.bin" | "status.json" | "applying.json", Overlay][] = [
  ["good.bin", A],
  ["status.json", B],
  ["applying.json", B],
];
for (const [name, booted] of damages) {
  Deno.test(`a damaged ${name} is set aside and the next older one counts`, async () => {
    const store = new MemoryStore();
    const rig = await bootMachine({ store });
    await decide(rig, offerOf(0xa, A));
    await decide(rig, offerOf(0xb, B));
    store.files.set(name, new Uint8Array([0xff, 0xff, 0xff]));
    const next = await bootMachine({ store });
    assertEquals(next.booted, booted);
    await decide(next, offerOf(0xc, {}));
    assertEquals(next.told.at(-1), "applied 0c");
  });
}

Deno.test("without a disk, configuration is applied and lives as long as the process", async () => {
  const store = new MemoryStore();
  store.cutAt = 0;
  const rig = await bootMachine({ store });
  await decide(rig, offerOf(0xa, A));
  assertEquals(rig.told, ["applying 0a", "applied 0a"]);
  assert(rig.notes.length > 0);
});
