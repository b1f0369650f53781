/**
 * The client against opamp-go's own server, over both transports: reports, pushed configuration, full state on
 * demand, refusals, lost connections and farewells.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sleep } from "../exporters/clock.ts";
import { seen, withPeer } from "./opamp_peer_rig.ts";
import { has, isStatus, statusOf } from "./opamp_records.ts";
import { OTHER_UID_BYTES, UID } from "./opamp_rig.ts";
import { opampAbsence, type OpampServer } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";

for (const transport of ["http", "websocket"] as const) {
  peerTest(`opamp-go, ${transport}: C01 W01 the first message holds everything`, opampAbsence, async () => {
    await withPeer(transport, async ({ server }) => {
      const first = await seen(server, () => true);
      assertEquals(first.transport, transport);
      assertEquals(first.instanceUid, UID.replaceAll("-", ""));
      for (const field of ["agentDescription", "health", "effectiveConfig", "remoteConfigStatus"]) {
        assert(has(field)(first), field);
      }
      assertEquals(first.message["capabilities"], String(0x7807));
      assertEquals(first.headers["Opamp-Instance-Uid"], [UID]);
    });
  });

  peerTest(`opamp-go, ${transport}: C36 W02 an offer is applied and proven`, opampAbsence, async () => {
    await withPeer(transport, async ({ server, target }) => {
      await seen(server, () => true);
      await server.offerConfig({ "": { body: '{"SONDE_INTERVAL":"2s"}', contentType: "application/json" } });
      await seen(server, isStatus("APPLYING"));
      const applied = await seen(server, isStatus("APPLIED"));
      assert(has("effectiveConfig")(applied));
      assertEquals(target.applied, [{ SONDE_INTERVAL: "2s" }]);
    });
  });

  peerTest(
    `opamp-go, ${transport}: C39 C41 a forbidden key is refused with its path`,
    opampAbsence,
    async () => {
      await withPeer(transport, async ({ server, target }) => {
        await seen(server, () => true);
        await server.offerConfig({ a: { body: "SONDE_HEADERS: x=y\n", contentType: "text/yaml" } });
        const failed = await seen(server, isStatus("FAILED"));
        assertMatch(statusOf(failed).errorMessage ?? "", /^\/SONDE_HEADERS: is local/);
        assertEquals(target.applied, []);
      });
    },
  );

  peerTest(
    `opamp-go, ${transport}: C05 C07 C09 flags and an assigned identity are obeyed`,
    opampAbsence,
    async () => {
      await withPeer(transport, async ({ server, session }) => {
        await seen(server, () => true);
        await server.send({ flags: "2" });
        const listed = await seen(
          server,
          ({ message }) => JSON.stringify(message["availableComponents"] ?? "").includes("collector/cpu"),
        );
        assert(listed);
        await server.send({ agentIdentification: { newInstanceUid: OTHER_UID_BYTES.toBase64() } });
        const renamed = await seen(server, ({ instanceUid }) => instanceUid === OTHER_UID_BYTES.toHex());
        assert(has("agentDescription")(renamed));
        assertEquals(session.client.status().counters.full_state_requests, 1);
      });
    },
  );

  peerTest(`opamp-go, ${transport}: C60 W14 a stop says goodbye`, opampAbsence, async () => {
    await withPeer(transport, async ({ server, session }) => {
      await seen(server, () => true);
      const start = performance.now();
      await session.stop();
      assert(performance.now() - start < 2_000);
      await seen(server, has("agentDisconnect"));
    });
  });
}

peerTest("opamp-go, websocket: W07 a lost connection comes back with everything", opampAbsence, async () => {
  await withPeer("websocket", async ({ server }) => {
    await seen(server, () => true);
    await server.disconnect();
    const deadline = Date.now() + 5_000;
    const full = async () => (await server.messages()).filter(has("agentDescription")).length;
    while (await full() < 2 && Date.now() < deadline) await sleep(25);
    assertEquals(await full(), 2);
  });
});

peerTest(
  "opamp-go, http: C22 C28 a server that refuses first gets the state whole",
  opampAbsence,
  async () => {
    const refuse = (server: OpampServer) => server.refuse({ status: 500, times: 2 });
    await withPeer("http", async ({ server }) => {
      const first = await seen(server, () => true);
      assert(has("agentDescription")(first) && has("effectiveConfig")(first));
    }, { prepare: refuse });
  },
);
