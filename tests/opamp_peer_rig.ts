/**
 * An agent's session against opamp-go's server, in real time, because that is another program; the probation is short,
 * everything else waits for events.
 * @module
 */
import type { Callbacks, ClientOptions } from "../config/opamp_options.ts";
import { sleep } from "../exporters/clock.ts";
import { OpampSession } from "../config/opamp_session.ts";
import { bootRemote } from "../config/remote_boot.ts";
import { judgeValues } from "../config/remote_policy.ts";
import { firstRecord, type Fits } from "./opamp_records.ts";
import { configFile, describe, UID } from "./opamp_rig.ts";
import { type OpampRecord, type OpampServer, startOpamp } from "./peers/opamp.ts";
import { FakePipeline, MemoryStore, OPEN_RULES } from "./remote_rig.ts";

/** A session and the server it talks to. */
export interface PeerRig {
  readonly server: OpampServer;
  readonly session: OpampSession;
  readonly target: FakePipeline;
}

const clock = { wall: Date.now, mono: () => performance.now(), random: Math.random, sleep };

/** Beside transport and script. */
export interface PeerRun {
  /** Done before the session starts. */
  readonly prepare?: (server: OpampServer) => Promise<void>;
  readonly client?: Partial<Omit<ClientOptions, "callbacks">>;
  readonly callbacks?: Callbacks;
  /** A disk that outlives the session. */
  readonly store?: MemoryStore;
  readonly probationMs?: number;
  /** The process ends without a word to its disk. */
  readonly isKilled?: boolean;
}

/** Runs with a started session; stops both. */
export async function withPeer(
  transport: "http" | "websocket",
  run: (rig: PeerRig) => Promise<void>,
  { prepare, client = {}, callbacks = {}, store = new MemoryStore(), probationMs = 1_000, isKilled = false }:
    PeerRun = {},
): Promise<void> {
  const server = await startOpamp();
  await prepare?.(server);
  const endpoint = transport === "http" ? server.endpoint : server.endpoint.replace("http:", "ws:");
  const judge = (values: Readonly<Record<string, unknown>>) => judgeValues(values, OPEN_RULES);
  const shared = { store, judge, context: "1", note: () => {} };
  const target = new FakePipeline();
  const session = new OpampSession({
    callbacks,
    client: {
      ...{ endpoint, instanceUid: UID, clock, openings: { remoteConfig: true }, intervalMs: 1_000 },
      ...client,
    },
    machine: {
      options: { ...shared, target, clock, probationMs },
      state: await bootRemote({ ...shared, wallMs: Date.now() }),
    },
    effective: () => configFile({ SONDE_INTERVAL: "10s", ...target.applied.at(-1) }),
  });
  await describe(session.client);
  session.start();
  try {
    await run({ server, session, target });
  } finally {
    if (isKilled) store.cutAt = 0;
    await session.stop();
    await server.stop();
  }
}

/** The first record that fits; records are asked for until there is one. */
export function seen(server: OpampServer, fits: Fits): Promise<OpampRecord> {
  return firstRecord(server, fits, { withinMs: 15_000 });
}
