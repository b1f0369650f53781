/**
 * The cases of the conformance plan that run on `@elastic/mockopampserver` as it is: an implementation of the server
 * side that is not ours.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { MockOpAMPServer } from "mockopampserver";
import { OpampSession } from "../config/opamp_session.ts";
import { bootRemote } from "../config/remote_boot.ts";
import { judgeValues } from "../config/remote_policy.ts";
import { until, VirtualClock } from "./opamp_clock.ts";
import { configFile, describe, UID } from "./opamp_rig.ts";
import { FakePipeline, MemoryStore, OPEN_RULES } from "./remote_rig.ts";

/** What a test reads of the mock's records. */
interface Recorded {
  readonly res: { readonly statusCode: number };
  readonly a2s: {
    readonly sequenceNum: bigint;
    readonly agentDescription?: unknown;
    readonly agentDisconnect?: unknown;
    readonly remoteConfigStatus?: { readonly status: number; readonly errorMessage: string };
  };
}

interface MockRig {
  readonly session: OpampSession;
  readonly clock: VirtualClock;
  readonly target: FakePipeline;
  readonly requests: () => readonly Recorded[];
}

async function withMock(
  options: Record<string, unknown>,
  run: (rig: MockRig) => Promise<void>,
  { path = "", store = new MemoryStore() } = {},
): Promise<void> {
  const mock = new MockOpAMPServer({
    ...options,
    hostname: "127.0.0.1",
    port: 0,
    testMode: true,
    logLevel: "fatal",
  });
  await mock.start();
  const clock = new VirtualClock();
  const judge = (values: Readonly<Record<string, unknown>>) => judgeValues(values, OPEN_RULES);
  const shared = { store, judge, context: "1", note: () => {} };
  const state = await bootRemote({ ...shared, wallMs: clock.wall() });
  const target = new FakePipeline();
  const endpoint = String(mock.endpoint) + path;
  const session = new OpampSession({
    client: { endpoint, instanceUid: UID, clock, openings: { remoteConfig: true } },
    machine: { options: { ...shared, target, clock, probationMs: 30_000 }, state },
    effective: () => configFile({ SONDE_INTERVAL: "10s" }),
  });
  await describe(session.client);
  session.start();
  try {
    await until(
      () => (session.client.status().counters.answers ?? 0) + Number(!!session.client.status().failure) > 0,
      "an answer",
    );
    await run({ session, clock, target, requests: () => mock.testGetRequests() });
  } finally {
    const stopped = session.stop();
    await until(() => !session.client.status().isConnected, "the farewell");
    await clock.advance(3_000);
    await stopped;
    await mock.close();
    // The mock forgets agents after 150 s and would keep the timer until then.
    mock._activeAgents.clear();
    mock._activeAgents.cancelTimer();
  }
}

/** Lets virtual time pass while real requests are answered. */
async function live({ clock }: MockRig, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    await clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function offering(values: unknown): Record<string, unknown> {
  return { agentConfigMap: { configMap: { "": configFile(values) } } };
}

Deno.test("mock: C01 C02 a full report is accepted, then heartbeats", async () => {
  await withMock({}, async (rig) => {
    await live(rig, 65_000);
    const requests = rig.requests();
    assert(requests.every(({ res }) => res.statusCode === 200));
    assertEquals(requests.slice(0, 3).map(({ a2s }) => a2s.agentDescription !== undefined), [
      true,
      false,
      false,
    ]);
    assertEquals(requests.slice(0, 3).map(({ a2s }) => a2s.sequenceNum), [0n, 1n, 2n]);
  });
});

Deno.test("mock: C36 an offer is APPLYING, then APPLIED, and not offered again", async () => {
  await withMock(offering({ SONDE_INTERVAL: "2s" }), async (rig) => {
    await live(rig, 70_000);
    const said = rig.requests().flatMap(({ a2s }) => a2s.remoteConfigStatus?.status ?? []);
    assertEquals(said, [0, 2, 1]);
    assertEquals(rig.target.applied, [{ SONDE_INTERVAL: "2s" }]);
  });
});

Deno.test("mock: C39 an unknown key is FAILED with its path", async () => {
  await withMock(offering({ SONDE_NONSENSE: "2s" }), async (rig) => {
    await live(rig, 2_000);
    const status = rig.requests().at(-1)?.a2s.remoteConfigStatus;
    assertEquals(status?.status, 3);
    assert(status?.errorMessage.startsWith("/SONDE_NONSENSE: unknown key"));
  });
});

Deno.test("mock: C08 C49 a server that starts anew learns everything from the first message", async () => {
  const store = new MemoryStore();
  const offer = offering({ SONDE_INTERVAL: "2s" });
  await withMock(offer, (rig) => live(rig, 40_000), { store });
  await withMock(offer, async (rig) => {
    await live(rig, 40_000);
    assertEquals(rig.requests()[0]?.a2s.remoteConfigStatus?.status, 1);
    assertEquals(rig.target.applied, []);
  }, { store });
});

Deno.test("mock: C13 UNKNOWN is not followed by a retry before the interval", async () => {
  await withMock({ badMode: "server_error_response_unknown" }, async (rig) => {
    await live(rig, 26_000);
    assertEquals(rig.requests().length, 1);
    await live(rig, 5_000);
    assertEquals(rig.requests().length, 2);
  });
});

Deno.test("mock: C14 UNAVAILABLE for 42 s is kept", async () => {
  await withMock({ badMode: "server_error_response_unavailable" }, async (rig) => {
    await live(rig, 41_000);
    assertEquals(rig.requests().length, 1);
    await live(rig, 12_000);
    assertEquals(rig.requests().length, 2);
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
  let requests: () => readonly Recorded[] = () => [];
  await withMock({}, (rig) => {
    requests = rig.requests;
    return Promise.resolve();
  });
  assert(requests().at(-1)?.a2s.agentDisconnect);
});
