/**
 * Cases for which `@elastic/mockopampserver` must answer something of its own: its answer is replaced, everything
 * else (HTTP, checks of what it receives, records) stays the mock's.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Openings } from "../config/opamp_bits.ts";
import { OpampClient } from "../config/opamp_client.ts";
import type { ClientStatus } from "../config/opamp_options.ts";
import { ServerToAgentSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { VirtualClock } from "./opamp_clock.ts";
import { describe, OTHER_UID, OTHER_UID_BYTES, UID } from "./opamp_rig.ts";
import { awaited, startMockOpamp } from "./peers/mock_opamp.ts";

type Answer = MessageInitShape<typeof ServerToAgentSchema>;

/** What came of ten intervals of a server that gives this answer each time. */
interface Outcome {
  readonly status: ClientStatus;
  readonly requests: number;
  readonly full: number;
  readonly offers: number;
}

async function play(answer: Answer, openings: Openings): Promise<Outcome> {
  const bytes = toBinary(ServerToAgentSchema, create(ServerToAgentSchema, answer));
  await using mock = await startMockOpamp({ answers: [bytes.toBase64()] });
  const clock = new VirtualClock();
  let offers = 0;
  const client = new OpampClient({
    ...{ endpoint: mock.endpoint, instanceUid: UID, clock, openings, intervalMs: 10_000 },
    callbacks: { onRemoteConfig: () => void offers++ },
  });
  await describe(client);
  client.start();
  for (let second = 0; second < 100; second++) {
    await clock.advance(1_000);
    const { sent = 0, answers = 0 } = client.status().counters;
    await new Promise((resolve) => setTimeout(resolve, sent > answers ? 20 : 1));
  }
  const status = client.status();
  const stopped = client.stop();
  await awaited(() => !client.status().isConnected, "the farewell");
  await clock.advance(3_000);
  await stopped;
  const reports = (await mock.records()).filter(({ isFarewell }) => !isFarewell);
  const full = reports.filter(({ isFull }) => isFull).length;
  return { status, requests: reports.length, full, offers };
}

const HASH = new Uint8Array([1]);
const remoteConfig = { configHash: HASH };
const steered: Openings = { remoteConfig: true };

const cases: readonly [string, Answer, Openings, (outcome: Outcome) => void][] = [
  ["C05 C06 full state asked for for ever", { flags: 1n }, steered, ({ full, requests }) => {
    assert(full >= 4 && full <= 7, `${full} full reports`);
    assert(requests >= 10);
  }],
  ["C07 components asked for for ever", { flags: 2n }, steered, ({ full, requests }) => {
    assertEquals(full, 1);
    assert(requests >= 10 && requests <= 16, `${requests} requests`);
  }],
  [
    "C09 an identity",
    { agentIdentification: { newInstanceUid: OTHER_UID_BYTES } },
    steered,
    ({ status, full }) => {
      assertEquals([status.instanceUid, full], [OTHER_UID, 2]);
    },
  ],
  [
    "C10 no identity",
    { agentIdentification: { newInstanceUid: new Uint8Array(16) } },
    steered,
    ({ status, full }) => {
      assertEquals([status.instanceUid, full], [UID, 1]);
    },
  ],
  [
    "C12 another agent's message",
    { instanceUid: OTHER_UID_BYTES, remoteConfig },
    steered,
    ({ offers, requests }) => {
      assertEquals(offers, 0);
      assert(requests <= 11);
    },
  ],
  [
    "C15 UNAVAILABLE for 1 ns",
    {
      errorResponse: { type: 2, Details: { case: "retryInfo", value: { retryAfterNanoseconds: 1n } } },
    },
    steered,
    ({ requests }) => assert(requests <= 4, `${requests} requests`),
  ],
  [
    "C17 an error with an offer",
    { errorResponse: { type: 0 }, remoteConfig },
    steered,
    ({ offers, requests }) => {
      assertEquals(offers, 0);
      assert(requests <= 11);
    },
  ],
  ["C48 an offer nobody asked for", { remoteConfig }, {}, ({ offers }) => assertEquals(offers, 0)],
  [
    "C51 an interval",
    {
      connectionSettings: {
        hash: HASH,
        opamp: { heartbeatIntervalSeconds: 5n, destinationEndpoint: "http://evil" },
      },
    },
    steered,
    ({ requests, status }) => {
      assert(requests >= 19, `${requests} requests`);
      assertEquals(status.endpoint.includes("evil"), false);
    },
  ],
  ["C52 an interval of 0", { connectionSettings: { hash: HASH, opamp: {} } }, steered, ({ status }) => {
    assertEquals(status.intervalMs, 10_000);
  }],
  ["C57 a restart nobody opened", { command: { type: 0 }, remoteConfig }, steered, ({ offers, status }) => {
    assert(offers > 0 && (status.counters.commands_ignored ?? 0) > 0);
  }],
  [
    "C58 packages and custom messages",
    {
      packagesAvailable: { allPackagesHash: HASH },
      customMessage: { capability: "x" },
    },
    steered,
    ({ status, requests }) => {
      assert(
        (status.counters.packages_refused ?? 0) > 0 && (status.counters.custom_messages_declined ?? 0) > 0,
      );
      assert(requests <= 12);
    },
  ],
];
for (const [title, answer, openings, check] of cases) {
  Deno.test(`mock, answering: ${title}`, async () => check(await play(answer, openings)));
}
