/**
 * More of the protocol against opamp-go's server: numbers, heartbeats, merging, flags, identities, sizes, gzip and the
 * life of a connection. Long waits are read from what the client announces.
 */
import { assert, assertEquals } from "@std/assert";
import type { Callbacks } from "../config/opamp_options.ts";
import { sleep } from "../exporters/clock.ts";
import { describeAgent, effectiveConfigOf } from "../config/opamp_values.ts";
import { type PeerRig, type PeerRun, seen, withPeer } from "./opamp_peer_rig.ts";
import { has } from "./opamp_records.ts";
import { configFile, OTHER_UID_BYTES } from "./opamp_rig.ts";
import { opampAbsence, type OpampRecord } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";

type Transport = "http" | "websocket";

/** One case over each of these transports, once the first report has arrived. */
function peerCase(
  title: string,
  transports: readonly Transport[],
  { run, ...rest }: PeerRun & { readonly run: (rig: PeerRig) => Promise<void> },
): void {
  for (const transport of transports) {
    peerTest(`opamp-go, ${transport}: ${title}`, opampAbsence, async () => {
      await withPeer(transport, async (rig) => {
        await seen(rig.server, has("agentDescription"));
        await until(() => rig.session.client.status().isConnected, "a connection");
        await run(rig);
      }, rest);
    });
  }
}

const BOTH: readonly Transport[] = ["http", "websocket"];

/** Waits, in real time, for another program. */
async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let left = 500; !await condition(); left--) {
    if (left === 0) throw new Error(`Cannot go on: ${what} did not happen`);
    await sleep(20);
  }
}

function sequenceOf({ message }: OpampRecord): number {
  return Number(message["sequenceNum"] ?? 0);
}

const isFull = has("agentDescription");
const bytes = (length: number) => new Uint8Array(length).fill(1).toBase64();

/** Callbacks that note the waits after failures. */
function noting(waits: number[]): Callbacks {
  return { onConnectFailed: (_, __, waitMs) => void waits.push(waitMs) };
}

peerCase("C02 C03 heartbeats hold the minimum and are numbered in a row", BOTH, {
  async run({ server }) {
    await until(async () => (await server.messages()).length >= 4, "heartbeats");
    const records = await server.messages();
    assertEquals(records.map(sequenceOf), records.map((_, index) => index));
    for (const { message } of records.slice(1)) {
      assertEquals(Object.keys(message).sort(), ["capabilities", "instanceUid", "sequenceNum"]);
    }
  },
});

peerCase("C04 what changes during a slow answer goes out in one message", ["http"], {
  client: { intervalMs: 60_000 },
  async run({ server, session: { client } }) {
    await server.behave({ delayMs: 700 });
    client.reportFullState();
    await until(async () => (await server.messages()).length === 2, "the full report");
    for (const name of ["one", "two"]) client.setDescription(describeAgent({ "service.name": name }));
    await until(async () => (await server.messages()).length === 3, "the follow-up");
    await sleep(300);
    const last = (await server.messages()).slice(2);
    assertEquals(last.map(({ message }) => JSON.stringify(message).includes('"two"')), [true]);
  },
});

peerCase("C06 full state asked for again and again is told a few times", BOTH, {
  client: { intervalMs: 200 },
  async run({ server, session: { client } }) {
    for (let times = 0; times < 12; times++) await server.send({ flags: "1" });
    await until(() => (client.status().counters.full_state_requests ?? 0) >= 12, "twelve requests");
    const fullCount = async () => (await server.messages()).filter(isFull).length;
    await until(async () => await fullCount() >= 2, "a second full report");
    const full = await fullCount();
    assert(full >= 2 && full <= 5, `${full} full reports`);
  },
});

peerCase("C08 a server that forgot asks, and is told everything", ["http"], {
  async run({ server }) {
    await server.forget();
    await until(async () => (await server.messages()).filter(isFull).length === 2, "the second full report");
  },
});

peerCase("C11 RequestInstanceUid stands until an identity was assigned", BOTH, {
  client: { requestsInstanceUid: true },
  async run({ server }) {
    const flags = ({ message }: OpampRecord) => message["flags"] ?? "0";
    assertEquals(flags((await server.messages())[0] ?? { ...NO_RECORD }), "1");
    await server.send({ agentIdentification: { newInstanceUid: OTHER_UID_BYTES.toBase64() } });
    const renamed = await seen(server, ({ instanceUid }) => instanceUid === OTHER_UID_BYTES.toHex());
    assertEquals(flags(renamed), "0");
  },
});

const NO_RECORD: OpampRecord = { instanceUid: "", transport: "http", headers: {}, message: {} };

peerCase("C12 a message for another agent is dropped and counted", BOTH, {
  async run({ server, session: { client } }) {
    const remoteConfig = { configHash: bytes(1), config: { configMap: {} } };
    await server.send({ instanceUid: OTHER_UID_BYTES.toBase64(), remoteConfig });
    await until(() => client.status().counters.uid_mismatch === 1, "the count");
    await sleep(100);
    assert(!(await server.messages()).some(({ message }) => JSON.stringify(message).includes("lastRemote")));
  },
});

const day = 24 * 3_600_000;
const unavailable: readonly [string, string | undefined, number, number][] = [
  ["C14 UNAVAILABLE for 42 s", "42000000000", 42_000, 50_400],
  ["C15 UNAVAILABLE for 1 ns", "1", 30_000, 36_000],
  ["C15 UNAVAILABLE without a time", undefined, 30_000, 36_000],
  ["C15 UNAVAILABLE for 2^63 ns", String(2n ** 63n), day, day * 1.2],
];
for (const [title, retryAfterNanoseconds, least, most] of unavailable) {
  const waits: number[] = [];
  peerCase(title, ["http"], {
    callbacks: noting(waits),
    async run({ server }) {
      const retryInfo = retryAfterNanoseconds === undefined ? {} : { retryInfo: { retryAfterNanoseconds } };
      await server.send({ errorResponse: { type: "ServerErrorResponseType_Unavailable", ...retryInfo } });
      await until(() => waits.length > 0, "the failure");
      const [waitMs = 0] = waits;
      assert(waitMs >= least && waitMs <= most, `${waitMs} ms`);
    },
  });
}

peerCase("C16 BAD_REQUEST to a full report is not answered with another", ["http"], {
  client: { intervalMs: 300 },
  async run({ server, session: { client } }) {
    await server.send({ errorResponse: { type: "ServerErrorResponseType_BadRequest" } });
    client.reportFullState();
    await until(() => (client.status().counters.error_responses ?? 0) > 0, "the refusal");
    const { length } = await server.messages();
    await until(async () => (await server.messages()).length >= length + 2, "two more messages");
    assertEquals((await server.messages()).slice(length).filter(isFull), []);
  },
});

peerCase("C30 W06 an answer over the limit is refused, and the link goes on", BOTH, {
  client: { messageBytesMax: 100_000 },
  async run({ server, session: { client } }) {
    await server.send({ customMessage: { capability: "x", data: bytes(200_000) } });
    await until(() => (client.status().counters.malformed ?? 0) > 0, "the refusal");
    assertEquals(client.status().counters.custom_messages_declined, undefined);
  },
});

for (const compression of [true, false]) {
  peerCase(`C32 W16 a large report is read, compression ${compression ? "on" : "off"}`, BOTH, {
    client: { compression },
    async run({ server, session: { client } }) {
      client.setEffectiveConfig(effectiveConfigOf({ "": configFile({ X: "y".repeat(50_000) }) }));
      const large = await seen(server, ({ message }) => JSON.stringify(message).length > 50_000);
      assertEquals(
        large.headers["Content-Encoding"],
        large.transport === "http" && compression ? ["gzip"] : undefined,
      );
    },
  });
}

peerCase("C54 offered credentials that are refused are taken back", ["http"], {
  client: { openings: { connectionSettings: "credentials" }, remember: () => Promise.resolve() },
  async run({ server, session: { client } }) {
    await server.refuse({ status: 401, times: 10, when: "X-Token" });
    const headers = { headers: [{ key: "X-Token", value: "new" }] };
    await server.send({ connectionSettings: { hash: bytes(3), opamp: { headers } } });
    await until(() => client.status().settings?.state === "failed", "FAILED");
    await until(() => client.status().isConnected, "the way back");
    assertEquals((await server.messages()).at(-1)?.headers["X-Token"], undefined);
  },
});

peerCase("C56 own metrics go to a listed origin only", BOTH, {
  client: { openings: { ownTelemetry: ["metrics"] }, allowedOrigins: ["https://otlp.example"] },
  async run({ server, session: { client } }) {
    const offer = (hash: number, origin: string) =>
      server.send({
        connectionSettings: {
          hash: bytes(hash),
          ownMetrics: { destinationEndpoint: `${origin}/v1/metrics` },
        },
      });
    await offer(1, "https://otlp.example");
    await until(() => client.status().settings?.state === "applied", "APPLIED");
    await offer(2, "https://evil.example");
    await until(() => client.status().settings?.state === "failed", "FAILED");
    await seen(server, has("connectionSettingsStatus"));
  },
});

peerCase("C61 a server that does not take it is no longer sent the configuration", BOTH, {
  prepare: (server) => server.behave({ capabilities: 3 }),
  async run({ server, session: { client } }) {
    client.setEffectiveConfig(effectiveConfigOf({ "": configFile({ changed: "1" }) }));
    client.reportFullState();
    await until(async () => (await server.messages()).filter(isFull).length === 2, "the second full report");
    const withConfig = (await server.messages()).map((record) => has("effectiveConfig")(record));
    assertEquals([withConfig[0], withConfig.slice(1).includes(true)], [true, false]);
  },
});

for (
  const [id, status, headers, least] of [["W08", 503, { "Retry-After": "40" }, 40_000], [
    "W09",
    502,
    {},
    0,
  ]] as const
) {
  const waits: number[] = [];
  peerTest(
    `opamp-go, websocket: ${id} a refused upgrade (${status}) is waited for`,
    opampAbsence,
    async () => {
      await withPeer("websocket", async () => {
        await until(() => waits.length > 0, "the refusal");
        assert((waits[0] ?? 0) >= least, `${waits[0]} ms`);
        if (id !== "W09") return;
        await until(() => waits.length >= 3, "three refusals");
        const [first = 0, , third = 0] = waits;
        assert(third > first, "waits grow");
      }, { callbacks: noting(waits), prepare: (server) => server.refuse({ status, headers, times: 20 }) });
    },
  );
}

peerCase("W12 a server that never answers keeps its connection and gets heartbeats", ["websocket"], {
  prepare: (server) => server.behave({ silent: true }),
  client: { intervalMs: 300 },
  async run({ server, session: { client } }) {
    await until(async () => (await server.messages()).length >= 4, "heartbeats");
    assertEquals((await server.messages()).filter(isFull).length, 1);
    assertEquals([client.status().isConnected, client.status().counters.answers], [true, undefined]);
  },
});

peerCase("W15 while other messages go out there is no heartbeat", ["websocket"], {
  client: { intervalMs: 600 },
  async run({ server, session: { client } }) {
    const { length } = await server.messages();
    for (let index = 0; index < 8; index++) {
      client.setDescription(describeAgent({ "service.name": `name ${index}` }));
      await sleep(200);
    }
    const others = (await server.messages()).slice(length).filter((record) => !isFull(record));
    assert(others.length <= 1, `${others.length} heartbeats`);
  },
});
