/**
 * An agent's session against `@elastic/mockopampserver`, which is another process: virtual time here, real requests.
 * @module
 */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { OpampClient } from "../config/opamp_client.ts";
import type { ClientOptions } from "../config/opamp_options.ts";
import { OpampSession } from "../config/opamp_session.ts";
import { bootRemote } from "../config/remote_boot.ts";
import { judgeValues } from "../config/remote_policy.ts";
import { ServerToAgentSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { VirtualClock } from "./opamp_clock.ts";
import { configFile, describe, UID } from "./opamp_rig.ts";
import {
  awaited,
  type MockFiles,
  type MockOpamp,
  type MockOptions,
  type MockRecord,
  startMockOpamp,
} from "./peers/mock_opamp.ts";
import { FakePipeline, MemoryStore, OPEN_RULES } from "./remote_rig.ts";

/** A session and the mock it talks to. */
export interface MockRig {
  readonly mock: MockOpamp;
  readonly session: OpampSession;
  readonly clock: VirtualClock;
  readonly target: FakePipeline;
}

/** Runs with a started session that has had one answer, or failure; stops it with a farewell unless it is killed. */
export async function withMock(
  options: MockOptions,
  run: (rig: MockRig) => Promise<void>,
  { path = "", store = new MemoryStore(), after = () => {}, client = {}, effective = {}, isKilled = false }:
    MockRun = {},
): Promise<void> {
  await using mock = await startMockOpamp(options);
  const clock = new VirtualClock();
  const judge = (values: Readonly<Record<string, unknown>>) => judgeValues(values, OPEN_RULES);
  const shared = { store, judge, context: "1", note: () => {} };
  const state = await bootRemote({ ...shared, wallMs: clock.wall() });
  const target = new FakePipeline();
  const session = new OpampSession({
    client: {
      ...{ endpoint: mock.endpoint + path, instanceUid: UID, clock, openings: { remoteConfig: true } },
      ...client,
    },
    machine: { options: { ...shared, target, clock, probationMs: 30_000 }, state },
    effective: () => configFile({ SONDE_INTERVAL: "10s", ...effective }),
  });
  await describe(session.client);
  session.start();
  try {
    await awaited(() => answered(session.client) > 0, "an answer");
    await run({ session, clock, target, mock });
  } finally {
    // What a kill would not write is not written.
    if (isKilled) store.cutAt = 0;
    const stopped = session.stop();
    await awaited(() => !session.client.status().isConnected, "the farewell");
    await clock.advance(3_000);
    await stopped;
  }
  after(await mock.records());
}

/** Beside what the mock does. */
export interface MockRun {
  readonly path?: string;
  /** A disk that outlives the session. */
  readonly store?: MemoryStore;
  /** Looks at everything received, the farewell included. */
  readonly after?: (records: readonly MockRecord[]) => void;
  readonly client?: Partial<ClientOptions>;
  /** More of the running configuration. */
  readonly effective?: Readonly<Record<string, string>>;
  /** The process ends without a word to its disk. */
  readonly isKilled?: boolean;
}

/** Exchanges that are over. */
function answered(client: OpampClient): number {
  const { counters, failure } = client.status();
  return (counters.answers ?? 0) + Number(failure !== undefined);
}

/** Lets virtual time pass while real requests are answered: the mock is another process, and none may time out. */
export async function live({ clock, session }: MockRig, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    await clock.advance(1_000);
    const { sent = 0, answers = 0 } = session.client.status().counters;
    await new Promise((resolve) => setTimeout(resolve, sent > answers ? 20 : 2));
  }
}

/** A mock that offers one nameless file: JSON of values, or a text as it is. */
export function offering(values: unknown, contentType = "application/json"): MockOptions {
  return { offer: fileOf(values, contentType) };
}

export function fileOf(values: unknown, contentType = "application/json"): MockFiles {
  const body = typeof values === "string" ? values : JSON.stringify(values);
  return { "": { body, contentType } };
}

/** A mock that says these in turn, the last one for ever. */
export function answering(...answers: readonly MessageInitShape<typeof ServerToAgentSchema>[]): MockOptions {
  const encoded = answers.map((answer) => toBinary(ServerToAgentSchema, create(ServerToAgentSchema, answer)));
  return { answers: encoded.map((bytes) => new Uint8Array(bytes).toBase64()) };
}
