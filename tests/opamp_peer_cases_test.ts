/**
 * More of the conformance plan against opamp-go's server: what it sends or refuses, and what the client makes of it
 * at once. Long waits are read from what the client announces; that it keeps them is tested in virtual time.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { OpampClient } from "../config/opamp_client.ts";
import type { Openings } from "../config/opamp_bits.ts";
import type { Counted } from "../config/opamp_state.ts";
import type { Failure } from "../config/opamp_wait.ts";
import { sleep } from "../exporters/clock.ts";
import { describe, OTHER_UID_BYTES, UID } from "./opamp_rig.ts";
import { opampAbsence, type OpampServer, startOpamp } from "./peers/opamp.ts";
import { peerTest } from "./peers/peer.ts";

/** Real time: the server is another program. */
const clock = { wall: Date.now, mono: () => performance.now(), random: Math.random, sleep };

interface CaseRig {
  readonly server: OpampServer;
  readonly client: OpampClient;
  readonly failures: { readonly failure: Failure; readonly waitMs: number }[];
  readonly offers: unknown[];
  readonly restarts: unknown[];
}

async function withClient(
  { openings = { remoteConfig: true }, transport = "http", prepare = () => Promise.resolve() }: {
    readonly openings?: Openings;
    readonly transport?: "http" | "ws";
    readonly prepare?: (server: OpampServer) => Promise<void>;
  },
  run: (rig: CaseRig) => Promise<void>,
): Promise<void> {
  const server = await startOpamp();
  await prepare(server);
  const rig: Omit<CaseRig, "client"> = { server, failures: [], offers: [], restarts: [] };
  const client = new OpampClient({
    ...{ endpoint: server.endpoint.replace("http:", `${transport}:`), instanceUid: UID, clock, openings },
    intervalMs: 1_000,
    remember: () => Promise.resolve(),
    callbacks: {
      onConnectFailed: (_, failure, waitMs) => void rig.failures.push({ failure, waitMs }),
      onRemoteConfig: (_, config) => void rig.offers.push(config),
      onRestart: (from) => void rig.restarts.push(from),
    },
  });
  await describe(client);
  client.start();
  try {
    await run({ ...rig, client });
  } finally {
    await client.stop();
    await server.stop();
  }
}

/** Waits for something the server brings about. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Cannot go on: ${what} did not happen`);
    await sleep(20);
  }
}

const refusals: readonly [string, number, Record<string, string>, Failure["kind"], number][] = [
  ["C18", 503, { "Retry-After": "45" }, "throttled", 45_000],
  ["C19", 429, { "Retry-After": new Date(Date.now() + 60_000).toUTCString() }, "throttled", 58_000],
  ["C20", 429, { "Retry-After": "abc" }, "throttled", 30_000],
  ["C20", 429, { "Retry-After": "1000000000000" }, "throttled", 86_400_000],
  ["C21", 401, {}, "unauthorized", 30_000],
  ["C22", 500, {}, "network", 800],
  ["C23", 404, {}, "refused", 60_000],
  ["C24", 413, {}, "tooLarge", 800],
  ["C33", 307, { "Location": "http://127.0.0.1:1/elsewhere" }, "refused", 60_000],
];
for (const [id, status, headers, kind, least] of refusals) {
  for (const transport of ["http", "ws"] as const) {
    const title = `opamp-go, ${transport}: ${id} ${status} ${Object.values(headers)}`;
    peerTest(title, opampAbsence, async () => {
      const prepare = (server: OpampServer) => server.refuse({ status, headers, times: 1 });
      await withClient({ transport, prepare }, async ({ failures }) => {
        await until(() => failures.length > 0, "a refusal");
        assertEquals(failures[0]?.failure.kind, kind);
        assert((failures[0]?.waitMs ?? 0) >= least, `waits ${failures[0]?.waitMs} ms`);
      });
    });
  }
}

const bytes = (length: number) => new Uint8Array(length).fill(1).toBase64();
const evil = { destinationEndpoint: "http://evil.example/v1/opamp" };
const pushes: readonly [string, object, Counted, Openings?][] = [
  ["C10 15 bytes", { agentIdentification: { newInstanceUid: bytes(15) } }, "bad_uid"],
  ["C10 17 bytes", { agentIdentification: { newInstanceUid: bytes(17) } }, "bad_uid"],
  [
    "C13 C17 UNKNOWN",
    { errorResponse: { errorMessage: "no" }, remoteConfig: { configHash: bytes(1) } },
    "error_responses",
  ],
  ["C48 an offer nobody asked for", { remoteConfig: { configHash: bytes(1) } }, "offers_ignored", {}],
  [
    "C51 an endpoint nobody may change",
    { connectionSettings: { hash: bytes(1), opamp: evil } },
    "offers_ignored",
  ],
  ["C55 a foreign endpoint", { connectionSettings: { hash: bytes(1), opamp: evil } }, "offers_refused", {
    connectionSettings: "credentials",
  }],
  ["C57 a restart nobody opened", { command: { type: "CommandType_Restart" } }, "commands_ignored"],
  ["C58 packages", { packagesAvailable: { allPackagesHash: bytes(1) } }, "packages_refused"],
  ["C58 a custom message", { customMessage: { capability: "x" } }, "custom_messages_declined"],
];
for (const [title, message, counter, openings] of pushes) {
  for (const transport of ["http", "ws"] as const) {
    peerTest(`opamp-go, ${transport}: ${title} is counted as ${counter}`, opampAbsence, async () => {
      await withClient({ transport, ...(openings === undefined ? {} : { openings }) }, async (rig) => {
        await until(() => rig.client.status().isConnected, "a connection");
        await rig.server.send({ ...message });
        await until(() => (rig.client.status().counters[counter] ?? 0) > 0, counter);
        assertEquals(rig.offers, []);
      });
    });
  }
}

peerTest("opamp-go, http: C51 C52 an offered interval counts, 0 does not", opampAbsence, async () => {
  await withClient({}, async ({ server, client }) => {
    await until(() => client.status().isConnected, "a connection");
    const offer = (heartbeatIntervalSeconds: string) =>
      server.send({ connectionSettings: { hash: bytes(2), opamp: { heartbeatIntervalSeconds } } });
    await offer("2");
    await until(() => client.status().intervalMs === 2_000, "the interval");
    const { answers = 0 } = client.status().counters;
    await offer("0");
    await until(() => (client.status().counters.answers ?? 0) > answers, "an answer");
    assertEquals(client.status().intervalMs, 2_000);
  });
});

peerTest("opamp-go, ws: W10 UNAVAILABLE for 35 s ends the connection for as long", opampAbsence, async () => {
  await withClient({ transport: "ws" }, async ({ server, client, failures }) => {
    await until(() => client.status().isConnected, "a connection");
    const errorResponse = {
      type: "ServerErrorResponseType_Unavailable",
      retryInfo: { retryAfterNanoseconds: "35000000000" },
    };
    await server.send({ errorResponse });
    await until(() => failures.length > 0, "the end");
    assert((failures[0]?.waitMs ?? 0) >= 35_000);
    const records = await server.messages();
    await until(() => records.length > 0, "a record");
  });
});

peerTest(
  "opamp-go, ws: C57 an opened restart is acted on, C09 identity over a push",
  opampAbsence,
  async () => {
    await withClient(
      { transport: "ws", openings: { restart: true } },
      async ({ server, client, restarts }) => {
        await until(() => client.status().isConnected, "a connection");
        await server.send({ command: { type: "CommandType_Restart" } });
        await until(() => restarts.length === 1, "the restart");
        await server.send({ agentIdentification: { newInstanceUid: OTHER_UID_BYTES.toBase64() } });
        await until(() => client.instanceUid.endsWith("8058"), "the identity");
      },
    );
  },
);

for (const transport of ["http", "ws"] as const) {
  peerTest(`opamp-go, ${transport}: C53 offered credentials are tried and kept`, opampAbsence, async () => {
    const openings: Openings = { connectionSettings: "credentials" };
    await withClient({ transport, openings }, async ({ server, client }) => {
      await until(() => client.status().isConnected, "a connection");
      const headers = { headers: [{ key: "X-Token", value: "new" }] };
      await server.send({ connectionSettings: { hash: bytes(3), opamp: { headers } } });
      let said: string[] = [];
      const deadline = performance.now() + 10_000;
      while (!said.at(-1)?.startsWith("APPLIED") && performance.now() < deadline) {
        await sleep(25);
        said = (await server.messages()).flatMap(({ message, headers }) => {
          const { status }: { status?: string } = { ...Object(message["connectionSettingsStatus"]) };
          const token = headers["X-Token"]?.[0] ?? "old";
          const farewell = message["agentDisconnect"] === undefined ? [] : [`farewell ${token}`];
          return status === undefined ? farewell : [`${status.split("_")[1]} ${token}`];
        });
      }
      assertEquals(
        said,
        ["APPLYING old", "farewell old", "APPLYING new", "APPLIED new"].filter((line) =>
          // Over WebSocket the connection itself is the proof: the first report says so already.
          transport === "http" || line !== "APPLYING new"
        ),
      );
    });
  });
}
