/**
 * The cases of the conformance plan that run on `@elastic/mockopampserver` as it is: an implementation of the server
 * side that is not ours.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { live, offering, withMock } from "./opamp_mock_rig.ts";
import type { MockRecord } from "./peers/mock_opamp.ts";
import { MemoryStore } from "./remote_rig.ts";

Deno.test("mock: C01 C02 a full report is accepted, then heartbeats", async () => {
  await withMock({}, async (rig) => {
    await live(rig, 65_000);
    const records = await rig.mock.records();
    assert(records.every(({ statusCode }) => statusCode === 200));
    assertEquals(records.slice(0, 3).map(({ isFull }) => isFull), [true, false, false]);
    assertEquals(records.slice(0, 3).map(({ sequence }) => sequence), [0, 1, 2]);
  });
});

Deno.test("mock: C36 an offer is APPLYING, then APPLIED, and not offered again", async () => {
  await withMock(offering({ SONDE_INTERVAL: "2s" }), async (rig) => {
    await live(rig, 70_000);
    const said = (await rig.mock.records()).flatMap(({ status }) => status ?? []);
    assertEquals(said, [0, 2, 1]);
    assertEquals(rig.target.applied, [{ SONDE_INTERVAL: "2s" }]);
  });
});

Deno.test("mock: C39 an unknown key is FAILED with its path", async () => {
  await withMock(offering({ SONDE_NONSENSE: "2s" }), async (rig) => {
    await live(rig, 2_000);
    const last = (await rig.mock.records()).at(-1);
    assertEquals(last?.status, 3);
    assert(last?.error?.startsWith("/SONDE_NONSENSE: unknown key"));
  });
});

Deno.test("mock: C08 C49 a server that starts anew learns everything from the first message", async () => {
  const store = new MemoryStore();
  const offer = offering({ SONDE_INTERVAL: "2s" });
  await withMock(offer, (rig) => live(rig, 40_000), { store });
  await withMock(offer, async (rig) => {
    await live(rig, 40_000);
    assertEquals((await rig.mock.records())[0]?.status, 1);
    assertEquals(rig.target.applied, []);
  }, { store });
});

Deno.test("mock: C13 UNKNOWN is not followed by a retry before the interval", async () => {
  await withMock({ badMode: "server_error_response_unknown" }, async (rig) => {
    await live(rig, 26_000);
    assertEquals((await rig.mock.records()).length, 1);
    await live(rig, 5_000);
    assertEquals((await rig.mock.records()).length, 2);
  });
});

Deno.test("mock: C14 UNAVAILABLE for 42 s is kept", async () => {
  await withMock({ badMode: "server_error_response_unavailable" }, async (rig) => {
    await live(rig, 41_000);
    assertEquals((await rig.mock.records()).length, 1);
    await live(rig, 12_000);
    assertEquals((await rig.mock.records()).length, 2);
  });
});

Deno.test("mock: C23 a wrong path is tried rarely", async () => {
  await withMock({}, async (rig) => {
    assertEquals(rig.session.client.status().failure?.reason, "status 404");
    await live(rig, 50_000);
    assertEquals(rig.session.client.status().counters.sent, 1);
  }, { path: "/elsewhere" });
});

Deno.test("mock: C60 the last request is a farewell", async () => {
  const after = (records: readonly MockRecord[]) => assertEquals(records.at(-1)?.isFarewell, true);
  await withMock({}, () => Promise.resolve(), { after });
});
