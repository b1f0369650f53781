/**
 * A server that steers without end: new settings, intervals, identities and configurations with every message. Each is
 * taken a few times and then now and then; disk, log and pipeline see no more than that, and the last one counts.
 */
import { assert, assertEquals } from "@std/assert";
import type { ClientOptions } from "../config/opamp_options.ts";
import type { ServerToAgentSchema } from "../proto_gen/opamp/opamp_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { OTHER_UID_BYTES, startRig, stopRig } from "./opamp_rig.ts";
import { bootMachine, offerOf } from "./remote_rig.ts";

const SECONDS = 300;
/** Ten at once, one in ten seconds. */
const TAKEN_MAX = 10 + SECONDS / 10;

/** What came of a server that says something new with each of 300 answers. */
async function flood(
  answer: (serial: number) => MessageInitShape<typeof ServerToAgentSchema>,
  openings: ClientOptions["openings"] = { ownTelemetry: ["metrics"] },
) {
  let [serial, writes, taken] = [0, 0, 0];
  const rig = await startRig({
    openings,
    intervalMs: 1_000,
    allowedOrigins: ["https://otlp.example"],
    remember: () => Promise.resolve(void writes++),
    callbacks: { onOwnTelemetry: () => void taken++, onInstanceUid: () => void taken++ },
  }, (server) => server.script = () => answer(serial++));
  for (let second = 0; second < SECONDS; second++) {
    rig.client.reportFullState();
    await rig.clock.advance(1_000, 1);
  }
  const { counters } = rig.client.status();
  await stopRig(rig);
  return { writes, taken, serial, lines: rig.log.length, declined: counters.steering_declined ?? 0 };
}

const hashOf = (serial: number) => new Uint8Array([serial % 256, serial >> 8]);

Deno.test("settings that are accepted with every answer are taken now and then", async () => {
  const ownMetrics = { destinationEndpoint: "https://otlp.example/v1/metrics" };
  const { taken, writes, declined, serial } = await flood((serial) => ({
    connectionSettings: { hash: hashOf(serial), ownMetrics },
  }));
  assert(serial >= SECONDS, `${serial} answers`);
  assert(taken > 10 && taken <= TAKEN_MAX + 1, `${taken} taken`);
  assert(writes <= 2 * TAKEN_MAX + 2, `${writes} writes`);
  assert(declined > SECONDS / 2, `${declined} declined`);
});

Deno.test("settings that are refused with every answer are logged now and then", async () => {
  const ownMetrics = { destinationEndpoint: "https://evil.example/v1/metrics" };
  const { lines } = await flood((serial) => ({ connectionSettings: { hash: hashOf(serial), ownMetrics } }));
  assert(lines > 10 && lines <= TAKEN_MAX + 2, `${lines} lines`);
});

Deno.test("intervals and identities that change with every answer are taken now and then", async () => {
  const intervals = await flood((serial) => ({
    connectionSettings: { opamp: { heartbeatIntervalSeconds: BigInt(1 + serial % 2) } },
  }));
  assert(intervals.writes > 10 && intervals.writes <= TAKEN_MAX + 1, `${intervals.writes} writes`);
  const identities = await flood((serial) => {
    const newInstanceUid = new Uint8Array(OTHER_UID_BYTES);
    newInstanceUid.set(hashOf(serial), 14);
    return { agentIdentification: { newInstanceUid } };
  });
  assert(identities.taken > 10 && identities.taken <= TAKEN_MAX + 1, `${identities.taken} identities`);
});

Deno.test("configurations that change every moment swap the pipeline now and then, and the last one counts", async () => {
  const rig = await bootMachine();
  for (let serial = 0; serial < 3_000; serial++) {
    rig.machine.offer(offerOf(serial % 256, { SONDE_INTERVAL: `${2 + serial % 50}s` }));
    await rig.clock.advance(100, 1);
  }
  assert(rig.target.applied.length <= TAKEN_MAX + 1, `${rig.target.applied.length} swaps`);
  await rig.clock.advance(120_000);
  assertEquals(rig.target.applied.at(-1), { SONDE_INTERVAL: "51s" });
  assertEquals(rig.told.at(-1), "applied b7");
});

Deno.test("a server that offers without a hash for ever is noted once", async () => {
  const rig = await bootMachine();
  for (let times = 0; times < 100; times++) {
    const offer = offerOf(1, {});
    offer.configHash = new Uint8Array();
    rig.machine.offer(offer);
  }
  assertEquals(rig.notes.length, 1);
});
