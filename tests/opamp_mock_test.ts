/**
 * The cases of the conformance plan that run on `@elastic/mockopampserver` as it is: an implementation of the server
 * side that is not ours.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { OpampClient } from "../config/opamp_client.ts";
import { OpampSession } from "../config/opamp_session.ts";
import { bootRemote } from "../config/remote_boot.ts";
import { judgeValues } from "../config/remote_policy.ts";
import { VirtualClock } from "./opamp_clock.ts";
import { configFile, describe, UID } from "./opamp_rig.ts";
import { awaited, type MockOptions, type MockRecord, startMockOpamp } from "./peers/mock_opamp.ts";
import { FakePipeline, MemoryStore, OPEN_RULES } from "./remote_rig.ts";

interface MockRig {
  readonly session: OpampSession;
  readonly clock: VirtualClock;
  readonly target: FakePipeline;
  readonly records: () => Promise<readonly MockRecord[]>;
}

async function withMock(
  options: MockOptions,
  run: (rig: MockRig) => Promise<void>,
  { path = "", store = new MemoryStore(), after = (_: readonly MockRecord[]) => {} } = {},
): Promise<void> {
  await using mock = await startMockOpamp(options);
  const clock = new VirtualClock();
  const judge = (values: Readonly<Record<string, unknown>>) => judgeValues(values, OPEN_RULES);
  const shared = { store, judge, context: "1", note: () => {} };
  const state = await bootRemote({ ...shared, wallMs: clock.wall() });
  const target = new FakePipeline();
  const session = new OpampSession({
    client: { endpoint: mock.endpoint + path, instanceUid: UID, clock, openings: { remoteConfig: true } },
    machine: { options: { ...shared, target, clock, probationMs: 30_000 }, state },
    effective: () => configFile({ SONDE_INTERVAL: "10s" }),
  });
  await describe(session.client);
  session.start();
  try {
    await awaited(() => answered(session.client) > 0, "an answer");
    await run({ session, clock, target, records: mock.records });
  } finally {
    const stopped = session.stop();
    await awaited(() => !session.client.status().isConnected, "the farewell");
    await clock.advance(3_000);
    await stopped;
  }
  after(await mock.records());
}

/** Exchanges that are over. */
function answered(client: OpampClient): number {
  const { counters, failure } = client.status();
  return (counters.answers ?? 0) + Number(failure !== undefined);
}

/** Lets virtual time pass while real requests are answered: the mock is another process, and none may time out. */
async function live({ clock, session }: MockRig, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    await clock.advance(1_000);
    const { sent = 0, answers = 0 } = session.client.status().counters;
    await new Promise((resolve) => setTimeout(resolve, sent > answers ? 20 : 2));
  }
}

function offering(values: unknown): MockOptions {
  return { offer: JSON.stringify(values) };
}

Deno.test("mock: C01 C02 a full report is accepted, then heartbeats", async () => {
  await withMock({}, async (rig) => {
    await live(rig, 65_000);
    const records = await rig.records();
    assert(records.every(({ statusCode }) => statusCode === 200));
    assertEquals(records.slice(0, 3).map(({ isFull }) => isFull), [true, false, false]);
    assertEquals(records.slice(0, 3).map(({ sequence }) => sequence), [0, 1, 2]);
  });
});

Deno.test("mock: C36 an offer is APPLYING, then APPLIED, and not offered again", async () => {
  await withMock(offering({ SONDE_INTERVAL: "2s" }), async (rig) => {
    await live(rig, 70_000);
    const said = (await rig.records()).flatMap(({ status }) => status ?? []);
    assertEquals(said, [0, 2, 1]);
    assertEquals(rig.target.applied, [{ SONDE_INTERVAL: "2s" }]);
  });
});

Deno.test("mock: C39 an unknown key is FAILED with its path", async () => {
  await withMock(offering({ SONDE_NONSENSE: "2s" }), async (rig) => {
    await live(rig, 2_000);
    const last = (await rig.records()).at(-1);
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
    assertEquals((await rig.records())[0]?.status, 1);
    assertEquals(rig.target.applied, []);
  }, { store });
});

Deno.test("mock: C13 UNKNOWN is not followed by a retry before the interval", async () => {
  await withMock({ badMode: "server_error_response_unknown" }, async (rig) => {
    await live(rig, 26_000);
    assertEquals((await rig.records()).length, 1);
    await live(rig, 5_000);
    assertEquals((await rig.records()).length, 2);
  });
});

Deno.test("mock: C14 UNAVAILABLE for 42 s is kept", async () => {
  await withMock({ badMode: "server_error_response_unavailable" }, async (rig) => {
    await live(rig, 41_000);
    assertEquals((await rig.records()).length, 1);
    await live(rig, 12_000);
    assertEquals((await rig.records()).length, 2);
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
