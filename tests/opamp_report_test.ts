/**
 * C01 to C12, C59 to C61: what an agent reports, when, and under which identity.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { AgentToServer } from "../proto_gen/opamp/opamp_pb.ts";
import { effectiveConfigOf } from "../config/opamp_values.ts";
import { settle } from "./opamp_clock.ts";
import {
  configFile,
  healthOf,
  OTHER_UID,
  OTHER_UID_BYTES,
  startRig,
  stopRig,
  UID,
  UID_BYTES,
} from "./opamp_rig.ts";
import { body } from "./opamp_server.ts";

/** Numbers of the fields present. */
function present(message: AgentToServer): number[] {
  const parts: [number, unknown][] = [
    [3, message.agentDescription],
    [5, message.health],
    [6, message.effectiveConfig],
    [7, message.remoteConfigStatus],
    [9, message.agentDisconnect],
    [14, message.availableComponents],
    [15, message.connectionSettingsStatus],
  ];
  return parts.filter(([, part]) => part !== undefined).map(([number]) => number);
}
const FULL = [3, 5, 6, 7, 14];

Deno.test("C01 first message is full and complete in its headers", async () => {
  const rig = await startRig();
  const [first] = rig.server.received;
  assert(first);
  assertEquals(first.headers.get("content-type"), "application/x-protobuf");
  assertEquals(first.headers.get("opamp-instance-uid"), UID);
  assertEquals(first.message.instanceUid, UID_BYTES);
  assertEquals(present(first.message), FULL);
  assertEquals(first.message.capabilities, 0x7807n);
  assertEquals(first.message.remoteConfigStatus?.lastRemoteConfigHash.length, 0);
  assertEquals(first.message.availableComponents?.components, {});
  assertEquals(first.message.availableComponents?.hash.length, 32);
  await stopRig(rig);
});

Deno.test("C02 an empty answer is followed by a heartbeat after the interval", async () => {
  const rig = await startRig();
  await rig.clock.advance(26_900);
  assertEquals(rig.server.received.length, 1);
  await rig.clock.advance(3_200);
  assertEquals(rig.server.received.length, 2);
  assertEquals(present(rig.server.last), []);
  assertEquals(rig.server.last.sequenceNum, 1n);
  assertEquals(rig.server.last.capabilities, 0x7807n);
  await stopRig(rig);
});

Deno.test("C03 polling keeps its interval, its numbers and one request in flight", async () => {
  const rig = await startRig({ intervalMs: 1_000 });
  await rig.clock.advance(10_000);
  assert(rig.server.received.length > 10);
  for (const gap of rig.server.gaps) assert(gap >= 900 && gap <= 1_000, `gap of ${gap} ms`);
  rig.server.messages.forEach((message, index) => assertEquals(message.sequenceNum, BigInt(index)));
  assertEquals(rig.server.inFlightMax, 1);
  await stopRig(rig);
});

Deno.test("C04 changes during a slow answer are merged into one follow-up", async () => {
  const slow = Promise.withResolvers<Response>();
  const rig = await startRig({}, (server) => server.next(slow.promise));
  rig.client.setHealth(healthOf(2));
  rig.client.setEffectiveConfig(effectiveConfigOf({ "": configFile({ SONDE_INTERVAL: "2s" }) }));
  await rig.clock.advance(3_000);
  assertEquals(rig.server.received.length, 1);
  slow.resolve(body(new Uint8Array()));
  await settle();
  await rig.clock.advance(100);
  assertEquals(rig.server.received.length, 2);
  assertEquals(present(rig.server.last), [5, 6]);
  assertEquals(rig.server.last.health?.status, "state 2");
  await stopRig(rig);
});

Deno.test("C05 ReportFullState is answered within a second", async () => {
  const rig = await startRig();
  rig.server.next({ flags: 1n });
  await rig.clock.advance(30_000);
  const asked = rig.server.received.findIndex(({ message }) => present(message).length === 0);
  await rig.clock.advance(1_000);
  const answer = rig.server.received[asked + 1];
  assert(answer);
  assertEquals(present(answer.message), FULL);
  await stopRig(rig);
});

Deno.test("C06 a server that always asks for everything gets it a bounded number of times", async () => {
  const rig = await startRig({ intervalMs: 5_000 }, (server) => server.script = () => ({ flags: 1n }));
  await rig.clock.advance(60_000);
  const full = rig.server.messages.filter((message) => present(message).length > 0);
  assert(full.length >= 4 && full.length <= 6, `${full.length} full messages`);
  assert(rig.server.received.length >= 12, "heartbeats go on");
  assert(rig.client.status().counters.full_state_deferred);
  await stopRig(rig);
});

Deno.test("C06 what was asked for too often is said with a later heartbeat", async () => {
  const rig = await startRig(
    { intervalMs: 5_000 },
    (server) => server.script = () => ({ flags: server.received.length <= 4 ? 1n : 0n }),
  );
  const full = () => rig.server.messages.filter((message) => present(message).length > 0).length;
  await rig.clock.advance(20_000);
  assertEquals(full(), 4);
  await rig.clock.advance(40_000);
  assertEquals(full(), 5);
  await stopRig(rig);
});

Deno.test("C07 components are listed when asked for, and only then", async () => {
  const rig = await startRig({}, (server) => server.next({ flags: 2n }));
  const hash = rig.server.last.availableComponents?.hash;
  await rig.clock.advance(100);
  assertEquals(present(rig.server.last), [14]);
  assertEquals(Object.keys(rig.server.last.availableComponents?.components ?? {}), [
    "collector/cpu",
    "exporter/otlp",
  ]);
  assertEquals(rig.server.last.availableComponents?.hash, hash);
  await rig.clock.advance(30_000);
  assertEquals(present(rig.server.last), []);
  await stopRig(rig);
});

Deno.test("C08 a server that forgot the agent gets everything again", async () => {
  const rig = await startRig();
  rig.server.next({ flags: 1n });
  await rig.clock.advance(30_100);
  assertEquals(present(rig.server.last), FULL);
  await stopRig(rig);
});

Deno.test("C09 an assigned identity is used in body and header and told to the user", async () => {
  const told: string[] = [];
  const rig = await startRig(
    { callbacks: { onInstanceUid: (_, uid) => told.push(uid) } },
    (server) => server.next({ agentIdentification: { newInstanceUid: OTHER_UID_BYTES } }),
  );
  await rig.clock.advance(100);
  assertEquals(told, [OTHER_UID]);
  assertEquals(rig.client.instanceUid, OTHER_UID);
  assertEquals(rig.server.last.instanceUid, OTHER_UID_BYTES);
  assertEquals(rig.server.received.at(-1)?.headers.get("opamp-instance-uid"), OTHER_UID);
  assertEquals(present(rig.server.last), FULL);
  await stopRig(rig);
});

const unusable = [
  new Uint8Array(0),
  new Uint8Array(15).fill(1),
  new Uint8Array(17).fill(1),
  new Uint8Array(16),
];
for (const newInstanceUid of unusable) {
  Deno.test(`C10 an assigned identity of ${newInstanceUid.length} bytes is ignored`, async () => {
    const rig = await startRig({}, (server) => server.next({ agentIdentification: { newInstanceUid } }));
    await rig.clock.advance(31_000);
    assertEquals(rig.server.last.instanceUid, UID_BYTES);
    assertEquals(rig.server.received.length, 2);
    assertEquals(rig.client.status().counters.bad_uid, 1);
    await stopRig(rig);
  });
}

Deno.test("C11 RequestInstanceUid is set until an identity is assigned", async () => {
  const rig = await startRig({ requestsInstanceUid: true });
  assertEquals(rig.server.last.flags, 1n);
  rig.server.next({ agentIdentification: { newInstanceUid: OTHER_UID_BYTES } });
  await rig.clock.advance(31_000);
  assertEquals(rig.server.last.flags, 0n);
  await stopRig(rig);
});

Deno.test("C12 a message for another agent is dropped whole", async () => {
  const offered: unknown[] = [];
  const rig = await startRig(
    { callbacks: { onRemoteConfig: (_, config) => offered.push(config) } },
    (server) => server.next({ instanceUid: OTHER_UID_BYTES, remoteConfig: { configHash: UID_BYTES } }),
  );
  rig.client.setEffectiveConfig(effectiveConfigOf({ "": configFile({ SONDE_INTERVAL: "2s" }) }));
  await rig.clock.advance(20_000);
  assertEquals(offered, []);
  assertEquals(rig.client.status().counters.uid_mismatch, 1);
  assertEquals(rig.server.received.length, 1);
  await rig.clock.advance(11_000);
  assertEquals(present(rig.server.last), FULL);
  await stopRig(rig);
});

Deno.test("C59 unknown fields, enums and flags are ignored", async () => {
  // Field 99, an unknown error-free flag bit and an unknown capability bit.
  const bytes = new Uint8Array([0x9a, 0x06, 0x01, 0x78, 0x30, 0x80, 0x80, 0x40, 0x38, 0x80, 0x80, 0x40]);
  const rig = await startRig({}, (server) => server.next(body(bytes)));
  await rig.clock.advance(30_100);
  assertEquals(rig.server.received.length, 2);
  assertEquals(present(rig.server.last), []);
  await stopRig(rig);
});

Deno.test("C60 the last request says goodbye, also to a server that hangs", async () => {
  const rig = await startRig();
  rig.server.script = () => new Promise<Response>(() => {});
  await rig.clock.advance(30_000);
  const from = rig.clock.mono();
  let stoppedAt = Infinity;
  rig.client.stop().then(() => stoppedAt = rig.clock.mono());
  await rig.clock.advance(5_000);
  assertEquals(present(rig.server.last), [9]);
  assert(stoppedAt - from <= 2_000, `stopped after ${stoppedAt - from} ms`);
  assertEquals(rig.clock.waiting, 0);
});

Deno.test("C60 a stop during the very first exchange waits for its answer, but not long", async () => {
  const [answered, hangs] = [Promise.withResolvers<Response>(), new Promise<Response>(() => {})];
  const first = await startRig({}, (server) => server.next(answered.promise));
  const stopped = first.client.stop();
  answered.resolve(body(new Uint8Array()));
  await first.clock.advance(100);
  await stopped;
  assertEquals(first.server.messages.map(present).at(-1), [9]);
  const second = await startRig({}, (server) => server.next(hangs));
  let isStopped = false;
  second.client.stop().then(() => isStopped = true);
  await second.clock.advance(500);
  assertEquals([isStopped, second.server.received.length], [true, 1]);
});

Deno.test("C61 effective configuration is kept from a server that does not take it", async () => {
  const rig = await startRig({}, (server) => server.next({ capabilities: 3n }));
  rig.client.reportFullState();
  await rig.clock.advance(1_000);
  assertEquals(present(rig.server.last), [3, 5, 7, 14]);
  await stopRig(rig);
});
