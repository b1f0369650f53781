/**
 * The opamp-go peer itself: that its admin side shows what an agent sent and decides what it is answered. The agent
 * here is the smallest AgentToServer there is, an instance id.
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { opampAbsence, type OpampServer, startOpamp } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";

const INSTANCE = "0102030405060708090a0b0c0d0e0f10";
/** Field 1, instance_uid: 16 bytes. */
const MESSAGE = new Uint8Array([0x0a, 16, ...Uint8Array.fromHex(INSTANCE)]);

async function report(server: OpampServer): Promise<{ status: number; body: string }> {
  const response = await fetch(server.endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: MESSAGE,
  });
  return { status: response.status, body: new TextDecoder("latin1").decode(await response.bytes()) };
}

async function withServer(use: (server: OpampServer) => Promise<void>): Promise<void> {
  const server = await startOpamp();
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

peerTest(
  "the OpAMP server shows agents and what they sent",
  opampAbsence,
  () =>
    withServer(async (server) => {
      assertEquals(await server.messages(), []);
      assertEquals((await report(server)).status, 200);
      const [message, ...others] = await server.messages();
      assertEquals([message?.instanceUid, message?.transport, others.length], [INSTANCE, "http", 0]);
      assertEquals(message?.headers["Content-Type"], ["application/x-protobuf"]);
      assertEquals(Object.keys(await server.agents()), [INSTANCE]);
    }),
);

peerTest(
  "the OpAMP server offers configuration and answers what it was told to",
  opampAbsence,
  () =>
    withServer(async (server) => {
      await report(server);
      const hash = await server.offerConfig({ "": { body: `{"SONDE_INTERVAL":"2s"}` } });
      assertEquals(hash.length, 64);
      assertStringIncludes((await report(server)).body, `{"SONDE_INTERVAL":"2s"}`);
      await server.send({ errorResponse: { errorMessage: "not today" } });
      assertStringIncludes((await report(server)).body, "not today");
    }),
);

peerTest(
  "the OpAMP server refuses as often as it was told to",
  opampAbsence,
  () =>
    withServer(async (server) => {
      await server.refuse({ status: 503, headers: { "Retry-After": "1" }, times: 1 });
      assertEquals((await report(server)).status, 503);
      assertEquals((await report(server)).status, 200);
      assert((await server.messages()).length === 1);
    }),
);
