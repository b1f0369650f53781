/**
 * The library as its users call it: builders, messages on demand, callbacks that throw, starts and stops.
 * @module
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { OpampClient, OpampSendError, remoteStatusOf } from "../config/opamp.ts";
import { VirtualClock } from "./opamp_clock.ts";
import { startRig, stopRig, UID } from "./opamp_rig.ts";
import { ScriptedServer } from "./opamp_server.ts";

Deno.test("send() delivers a message with the next number and resolves", async () => {
  const rig = await startRig();
  const status = remoteStatusOf(new Uint8Array([9]), "applied");
  const sent = rig.client.send(rig.client.remoteConfigStatusMessage(status));
  await rig.clock.advance(10);
  await sent;
  assertEquals(rig.server.last.remoteConfigStatus?.lastRemoteConfigHash, new Uint8Array([9]));
  assertEquals(rig.server.last.sequenceNum, 1n);
  await stopRig(rig);
});

Deno.test("send() gives up after its own attempts, and the client goes on", async () => {
  const rig = await startRig();
  rig.server.script = () => new TypeError("down");
  const failed = assertRejects(
    () => rig.client.send(rig.client.heartbeatMessage(), { attempts: 3 }),
    OpampSendError,
    "Cannot send OpAMP message: down",
  );
  await rig.clock.advance(20_000);
  await failed;
  assertEquals(rig.server.received.length >= 4, true);
  rig.server.script = () => ({});
  await rig.clock.advance(60_000);
  assert(rig.client.status().isConnected);
  await stopRig(rig);
});

Deno.test("send() refuses a 17th waiting message, and a stop ends those that wait", async () => {
  const rig = await startRig({}, (server) => server.script = () => new Promise<Response>(() => {}));
  const results = Array.from({ length: 17 }, () => rig.client.send(rig.client.heartbeatMessage()));
  const ended = Promise.allSettled(results);
  await assertRejects(() => results[16] ?? Promise.resolve(), OpampSendError, "wait already");
  await stopRig(rig);
  const ends = await ended;
  assert(ends.every(({ status }) => status === "rejected"));
});

Deno.test("builders hold what they say and nothing else", async () => {
  const rig = await startRig();
  const { client } = rig;
  assert(client.fullStateMessage().agentDescription && client.fullStateMessage().effectiveConfig);
  assertEquals(client.heartbeatMessage().agentDescription, undefined);
  assertEquals(client.heartbeatMessage().capabilities, 0x7807n);
  assert(client.disconnectMessage().agentDisconnect);
  await stopRig(rig);
});

Deno.test("setters say whether something changed", async () => {
  const rig = await startRig();
  const status = remoteStatusOf(new Uint8Array([1]), "applying");
  assertEquals(rig.client.setRemoteConfigStatus(status), true);
  assertEquals(rig.client.setRemoteConfigStatus(status), false);
  await stopRig(rig);
});

Deno.test("a change that is taken back before it is sent is not sent", async () => {
  const rig = await startRig();
  rig.client.setRemoteConfigStatus(remoteStatusOf(new Uint8Array([1]), "applying"));
  rig.client.setRemoteConfigStatus(remoteStatusOf(new Uint8Array(), "unset"));
  await rig.clock.advance(1_000);
  assertEquals(rig.server.received.length, 1);
  await stopRig(rig);
});

Deno.test("a callback that throws costs one line and nothing else", async () => {
  const callbacks = {
    onConnect: () => {
      throw new Error("mine");
    },
  };
  const rig = await startRig({ callbacks });
  await rig.clock.advance(31_000);
  assertEquals(rig.server.received.length, 2);
  assertEquals(rig.log.map(({ event }) => event), ["opamp callback failed", "opamp server reached"]);
  await stopRig(rig);
});

Deno.test("callbacks tell of each failure, and of the connection once", async () => {
  const events: string[] = [];
  const callbacks = {
    onConnect: () => void events.push("connect"),
    onConnectFailed: (_: OpampClient, { reason }: { reason: string }) => void events.push(reason),
    onMessage: () => void events.push("message"),
  };
  const rig = await startRig({ callbacks }, (server) => server.next(new Response(null, { status: 500 })));
  await rig.clock.advance(40_000);
  assertEquals(events, ["status 500", "connect", "message", "message"]);
  await stopRig(rig);
});

Deno.test("a client is started once, may be stopped unstarted, and refuses what it cannot use", async () => {
  const clock = new VirtualClock();
  const server = new ScriptedServer(clock);
  const options = { endpoint: "http://opamp.example", instanceUid: UID, clock, openHttp: server.open };
  const client = new OpampClient(options);
  assertEquals(client.status().endpoint, "http://opamp.example/v1/opamp");
  await client.stop();
  await client.stop();
  assertThrows(() => client.start(), TypeError);
  assertEquals(server.received, []);
  assertThrows(() => new OpampClient({ ...options, endpoint: "ftp://x" }), TypeError);
  assertThrows(() => new OpampClient({ ...options, instanceUid: "x" }), SyntaxError);
});
