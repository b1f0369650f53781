/**
 * The client against opamp-go's own server, over both transports: reports, pushed configuration, full state on
 * demand, refusals, lost connections and farewells.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sleep } from "../exporters/clock.ts";
import { OpampSession } from "../config/opamp_session.ts";
import { bootRemote } from "../config/remote_boot.ts";
import { judgeValues } from "../config/remote_policy.ts";
import { configFile, describe, OTHER_UID_BYTES, UID } from "./opamp_rig.ts";
import { opampAbsence, type OpampRecord, type OpampServer, startOpamp } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";
import { FakePipeline, MemoryStore, OPEN_RULES } from "./remote_rig.ts";

interface PeerRig {
  readonly server: OpampServer;
  readonly session: OpampSession;
  readonly target: FakePipeline;
}

/** Real time: the server is another program. The probation is short, everything else waits for events. */
const clock = { wall: Date.now, mono: () => performance.now(), random: Math.random, sleep };

async function withPeer(
  transport: "http" | "websocket",
  run: (rig: PeerRig) => Promise<void>,
  prepare: (server: OpampServer) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const server = await startOpamp();
  await prepare(server);
  const endpoint = transport === "http" ? server.endpoint : server.endpoint.replace("http:", "ws:");
  const judge = (values: Readonly<Record<string, unknown>>) => judgeValues(values, OPEN_RULES);
  const shared = { store: new MemoryStore(), judge, context: "1", note: () => {} };
  const target = new FakePipeline();
  const session = new OpampSession({
    client: { endpoint, instanceUid: UID, clock, openings: { remoteConfig: true }, intervalMs: 1_000 },
    machine: {
      options: { ...shared, target, clock, probationMs: 1_000 },
      state: await bootRemote({ ...shared, wallMs: Date.now() }),
    },
    effective: () => configFile({ SONDE_INTERVAL: "10s", ...target.applied.at(-1) }),
  });
  await describe(session.client);
  session.start();
  try {
    await run({ server, session, target });
  } finally {
    await session.stop();
    await server.stop();
  }
}

/** The first record that fits; records are asked for until there is one. */
async function seen(server: OpampServer, fits: (record: OpampRecord) => boolean): Promise<OpampRecord> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const found = (await server.messages()).find(fits);
    if (found !== undefined) return found;
    await sleep(25);
  }
  throw new Error(`Cannot find the record among ${(await server.messages()).length}`);
}

function statusOf({ message }: OpampRecord): { status?: string; errorMessage?: string } {
  return { ...Object(message["remoteConfigStatus"]) };
}

const has = (field: string) => ({ message }: OpampRecord) => message[field] !== undefined;
const isStatus = (status: string) => (record: OpampRecord) =>
  statusOf(record).status === `RemoteConfigStatuses_${status}`;

for (const transport of ["http", "websocket"] as const) {
  peerTest(`opamp-go, ${transport}: C01 the first message holds everything`, opampAbsence, async () => {
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

  peerTest(`opamp-go, ${transport}: C36 an offer is applied and proven`, opampAbsence, async () => {
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
    }, refuse);
  },
);
