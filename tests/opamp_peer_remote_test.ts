/**
 * C37 to C50 against opamp-go's server: what becomes of configuration it pushes or answers with, in this life and in
 * the next.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sleep } from "../exporters/clock.ts";
import { bootRemote } from "../config/remote_boot.ts";
import { judgeValues } from "../config/remote_policy.ts";
import { type PeerRig, seen, withPeer } from "./opamp_peer_rig.ts";
import { has, isStatus, statusOf } from "./opamp_records.ts";
import { opampAbsence, type OpampRecord } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";
import { MemoryStore, OPEN_RULES } from "./remote_rig.ts";

const FAST = { SONDE_INTERVAL: "2s" };
const file = (values: unknown, contentType = "application/json") => ({
  "": { body: typeof values === "string" ? values : JSON.stringify(values), contentType },
});

/** Statuses in the order told, without repeats of the full report. */
async function told({ server }: PeerRig): Promise<string[]> {
  return (await server.messages()).flatMap((record) => {
    const { status, errorMessage = "" } = statusOf(record);
    return status === undefined ? [] : [`${status.split("_")[1]} ${errorMessage}`.trim()];
  });
}

/** Waits, in real time, until so many statuses were told. */
async function toldTimes(rig: PeerRig, times: number): Promise<string[]> {
  for (let left = 400; left > 0 && (await told(rig)).length < times; left--) await sleep(25);
  return await told(rig);
}

async function ready({ server }: PeerRig): Promise<void> {
  await seen(server, has("agentDescription"));
}

/** What the agent first said of `FAST` as `status`, having reported and then been offered it. */
async function offered(rig: PeerRig, status: string): Promise<OpampRecord> {
  await ready(rig);
  await rig.server.offerConfig(file(FAST));
  return await seen(rig.server, isStatus(status));
}

for (const transport of ["http", "websocket"] as const) {
  peerTest(
    `opamp-go, ${transport}: C37 C38 known hashes and known content swap nothing`,
    opampAbsence,
    async () => {
      await withPeer(transport, async (rig) => {
        const applied = await offered(rig, "APPLIED");
        const configMap = { "": { body: btoa(JSON.stringify(FAST)), contentType: "application/json" } };
        const status: { lastRemoteConfigHash?: string } = {
          ...Object(applied.message["remoteConfigStatus"]),
        };
        const again = { configHash: status.lastRemoteConfigHash, config: { configMap } };
        for (let times = 0; times < 3; times++) await rig.server.send({ remoteConfig: again });
        await rig.server.offerConfig(file('{ "SONDE_INTERVAL" : "2s" }'));
        const said = await toldTimes(rig, 3);
        assertEquals([said.slice(-2), rig.target.applied], [["APPLIED", "APPLIED"], [FAST]]);
      });
    },
  );

  peerTest(
    `opamp-go, ${transport}: C45 C46 an empty body takes back, no body is FAILED`,
    opampAbsence,
    async () => {
      await withPeer(transport, async (rig) => {
        await offered(rig, "APPLIED");
        await rig.server.offerConfig(file(""));
        await toldTimes(rig, 4);
        assertEquals(rig.target.applied, [FAST, {}]);
        await rig.server.send({ remoteConfig: { config: { configMap: {} } } });
        await rig.server.send({ remoteConfig: { configHash: btoa("new") } });
        assertEquals(statusOf(await seen(rig.server, isStatus("FAILED"))).errorMessage, "no body");
      });
    },
  );

  peerTest(`opamp-go, ${transport}: C43 a fault on probation is taken back`, opampAbsence, async () => {
    await withPeer(transport, async (rig) => {
      await ready(rig);
      rig.target.observation = { ...rig.target.observation, fault: "collector died" };
      await rig.server.offerConfig(file(FAST));
      const failed = await seen(rig.server, isStatus("FAILED"));
      assertMatch(
        statusOf(failed).errorMessage ?? "",
        /^rolled back; running local configuration: collector/,
      );
      assertEquals(rig.target.applied, [FAST, {}]);
    });
  });
}

const bomb = Array.from({ length: 9 }, (_, at) => `k${at}: &k${at} [*k${at - 1}, *k${at - 1}]`).join("\n");
const refusals: readonly [string, unknown, string, RegExp][] = [
  ["C40 no JSON", "{oops", "application/json", /Cannot read file ""/],
  ["C40 binary", "\u0000\u0001\u0002", "application/json", /Cannot read file ""/],
  ["C40 a bomb of aliases", bomb, "text/yaml", /anchor|alias/i],
  ["C40 2 MiB", " ".repeat(2 ** 21), "application/json", /at most 1048576/],
  ["C42 a destination", { SONDE_DESTINATIONS: "x" }, "application/json", /^\/SONDE_DESTINATIONS: is local/],
];
peerTest(
  "opamp-go, websocket: C40 C42 what cannot be taken is FAILED with its reason",
  opampAbsence,
  async () => {
    await withPeer("websocket", async (rig) => {
      await ready(rig);
      for (const [title, values, contentType, reason] of refusals) {
        const before = (await told(rig)).length;
        await rig.server.offerConfig(file(values, contentType));
        const said = (await toldTimes(rig, before + 1)).at(-1) ?? "";
        assert(said.startsWith("FAILED"), `${title}: ${said}`);
        assertMatch(said.slice("FAILED ".length), reason);
      }
      assertEquals(rig.target.applied, []);
    });
  },
);

peerTest(
  "opamp-go, websocket: C47 of two pushes in a row the second alone is settled",
  opampAbsence,
  async () => {
    await withPeer("websocket", async (rig) => {
      await ready(rig);
      await rig.server.offerConfig(file(FAST));
      await rig.server.offerConfig(file({ SONDE_INTERVAL: "3s" }));
      await seen(rig.server, isStatus("APPLIED"));
      assertEquals((await told(rig)).filter((status) => status === "APPLIED").length, 1);
      assertEquals(rig.target.applied.at(-1), { SONDE_INTERVAL: "3s" });
    });
  },
);

peerTest(
  "opamp-go, http: C44 after a kill on probation the first message is FAILED",
  opampAbsence,
  async () => {
    const store = new MemoryStore();
    await withPeer("http", async (rig) => {
      await offered(rig, "APPLYING");
    }, { store, probationMs: 60_000, isKilled: true });
    store.cutAt = Infinity;
    await withPeer("http", async (rig) => {
      const first = await seen(rig.server, has("remoteConfigStatus"));
      assertMatch(statusOf(first).errorMessage ?? "", /stopped while applying/);
    }, { store });
  },
);

peerTest(
  "opamp-go, http: C49 C50 the next life runs what was proven, with a server and without",
  opampAbsence,
  async () => {
    const store = new MemoryStore();
    await withPeer("http", async (rig) => {
      await offered(rig, "APPLIED");
    }, { store });
    const judge = (values: Readonly<Record<string, unknown>>) => judgeValues(values, OPEN_RULES);
    const alone = await bootRemote({ store, judge, wallMs: Date.now(), context: "1", note: () => {} });
    assertEquals(alone.running, FAST);
    await withPeer("http", async (rig) => {
      const first = await seen(rig.server, has("remoteConfigStatus"));
      assertEquals(statusOf(first).status, "RemoteConfigStatuses_APPLIED");
      await rig.server.offerConfig(file(FAST));
      await sleep(1_500);
      assertEquals(rig.target.applied, []);
    }, { store });
  },
);
