/**
 * C36 to C50 on the wire: client and apply machine together, as a server sees them.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { OpampSession } from "../config/opamp_session.ts";
import { bootRemote } from "../config/remote_boot.ts";
import { judgeValues } from "../config/remote_policy.ts";
import { type AgentRemoteConfig, RemoteConfigStatuses as Status } from "../proto_gen/opamp/opamp_pb.ts";
import { describeAgent } from "../config/opamp_values.ts";
import { VirtualClock } from "./opamp_clock.ts";
import { configFile, ENDPOINT, UID } from "./opamp_rig.ts";
import { ScriptedServer } from "./opamp_server.ts";
import { FakePipeline, MemoryStore, offerOf, OPEN_RULES } from "./remote_rig.ts";

interface SessionRig {
  readonly clock: VirtualClock;
  readonly server: ScriptedServer;
  readonly target: FakePipeline;
  readonly store: MemoryStore;
  readonly session: OpampSession;
}

/** A session polling once a second; the server offers `offer` until the agent holds it, as servers do. */
async function startSession(
  { store = new MemoryStore(), clock = new VirtualClock(), offer = () => undefined }: {
    readonly store?: MemoryStore;
    readonly clock?: VirtualClock;
    readonly offer?: () => AgentRemoteConfig | undefined;
  } = {},
): Promise<SessionRig> {
  const server = new ScriptedServer(clock);
  let held = "";
  server.script = ({ message }) => {
    held = message.remoteConfigStatus?.lastRemoteConfigHash.toHex() ?? held;
    const remoteConfig = offer();
    return remoteConfig === undefined || remoteConfig.configHash.toHex() === held ? {} : { remoteConfig };
  };
  const target = new FakePipeline();
  const judge = (values: Readonly<Record<string, unknown>>) => judgeValues(values, OPEN_RULES);
  const shared = { store, judge, context: "1", note: () => {} };
  const state = await bootRemote({ ...shared, wallMs: clock.wall() });
  const openings = { remoteConfig: true };
  const session = new OpampSession({
    client: {
      endpoint: ENDPOINT,
      instanceUid: UID,
      clock,
      openings,
      openHttp: server.open,
      intervalMs: 1_000,
    },
    machine: { options: { ...shared, target, clock, probationMs: 30_000 }, state },
    effective: () => configFile({ SONDE_INTERVAL: "10s", ...state.running, ...target.applied.at(-1) }),
  });
  session.client.setDescription(describeAgent({ "service.name": "sonde" }));
  session.start();
  return { clock, server, target, store, session };
}

async function stopSession({ clock, session }: SessionRig): Promise<void> {
  const stopped = session.stop();
  await clock.advance(3_000);
  await stopped;
}

/** Statuses in the order sent: "APPLYING 01". */
function said({ server }: SessionRig): string[] {
  return server.messages.flatMap(({ remoteConfigStatus: status, effectiveConfig }) =>
    status === undefined ? [] : [
      `${Status[status.status].split("_")[1]} ${status.lastRemoteConfigHash.toHex()}` +
      (effectiveConfig === undefined ? "" : " with configuration"),
    ]
  );
}

function interval({ server }: SessionRig): unknown {
  const configs = server.messages.flatMap(({ effectiveConfig }) => effectiveConfig ?? []);
  const [file] = Object.values(configs.at(-1)?.configMap?.configMap ?? {});
  return JSON.parse(new TextDecoder().decode(file?.body))["SONDE_INTERVAL"];
}

Deno.test("C36 APPLYING at once, then APPLIED and the configuration in one message", async () => {
  const rig = await startSession({ offer: () => offerOf(1, { SONDE_INTERVAL: "2s" }) });
  await rig.clock.advance(1_000);
  assertEquals(said(rig), ["UNSET  with configuration", "APPLYING 01"]);
  assertEquals(rig.target.applied, [{ SONDE_INTERVAL: "2s" }]);
  await rig.clock.advance(40_000);
  assertEquals(said(rig).slice(2), ["APPLIED 01 with configuration"]);
  assertEquals(interval(rig), "2s");
  await stopSession(rig);
});

Deno.test("C37 C38 known hashes cause no message, equal content no swap", async () => {
  let hash = 1;
  const rig = await startSession({ offer: () => offerOf(hash, { SONDE_INTERVAL: "2s" }) });
  await rig.clock.advance(40_000);
  hash = 2;
  await rig.clock.advance(5_000);
  assertEquals(said(rig).slice(2), ["APPLIED 01 with configuration", "APPLIED 02"]);
  assertEquals(rig.target.applied.length, 1);
  await stopSession(rig);
});

Deno.test("C39 C41 a refused offer names the path, and nothing else happens", async () => {
  const rig = await startSession({ offer: () => offerOf(3, { SONDE_ENDPOINT: "http://evil.example" }) });
  await rig.clock.advance(60_000);
  assertEquals(said(rig), ["UNSET  with configuration", "FAILED 03"]);
  const status = rig.server.messages.flatMap(({ remoteConfigStatus }) => remoteConfigStatus ?? []).at(-1);
  assertMatch(status?.errorMessage ?? "", /^\/SONDE_ENDPOINT: /);
  assert(rig.server.received.every(({ url }) => url === ENDPOINT));
  await stopSession(rig);
});

Deno.test("C43 a rollback shows the old configuration and stays FAILED", async () => {
  const rig = await startSession({ offer: () => offerOf(1, { SONDE_INTERVAL: "2s" }) });
  await rig.clock.advance(2_000);
  rig.target.observation = { ...rig.target.observation, fault: "collector died" };
  await rig.clock.advance(60_000);
  assertEquals(said(rig).slice(1), ["APPLYING 01", "FAILED 01"]);
  assertEquals(interval(rig), "10s");
  await stopSession(rig);
});

Deno.test("C44 after a kill the first message is FAILED, with the good configuration running", async () => {
  const first = await startSession({ offer: () => offerOf(1, { SONDE_INTERVAL: "2s" }) });
  await first.clock.advance(5_000);
  first.store.cutAt = 0;
  await stopSession(first);
  const disk = new MemoryStore();
  for (const [name, bytes] of first.store.files) disk.files.set(name, bytes);
  const next = await startSession({ store: disk, offer: () => offerOf(1, { SONDE_INTERVAL: "2s" }) });
  await next.clock.advance(10_000);
  assertEquals(said(next), ["FAILED 01 with configuration"]);
  assertEquals(interval(next), "10s");
  await stopSession(next);
});

Deno.test("C47 of two offers in a row only the second is settled", async () => {
  let hash = 11;
  const rig = await startSession({ offer: () => offerOf(hash, { SONDE_INTERVAL: `${hash}s` }) });
  await rig.clock.advance(100);
  hash = 12;
  await rig.clock.advance(60_000);
  assertEquals(said(rig).at(-1), "APPLIED 0c with configuration");
  assert(!said(rig).some((line) => /^(APPLIED|FAILED) 0b/.test(line)), `${said(rig)}`);
  await stopSession(rig);
});

Deno.test("C49 C50 the next life runs the proven configuration, says so first, and waits for nobody", async () => {
  const first = await startSession({ offer: () => offerOf(1, { SONDE_INTERVAL: "2s" }) });
  await first.clock.advance(40_000);
  await stopSession(first);
  const { store } = first;
  const judge = (values: Readonly<Record<string, unknown>>) => judgeValues(values, OPEN_RULES);
  const state = await bootRemote({ store, judge, wallMs: first.clock.wall(), context: "1", note: () => {} });
  assertEquals(state.running, { SONDE_INTERVAL: "2s" });
  const next = await startSession({ store, offer: () => offerOf(1, { SONDE_INTERVAL: "2s" }) });
  await next.clock.advance(10_000);
  assertEquals(said(next), ["APPLIED 01 with configuration"]);
  assertEquals(next.target.applied, []);
  await stopSession(next);
});

Deno.test("setInterval() changes polling at once", async () => {
  const rig = await startSession();
  rig.session.client.setInterval(5_000);
  await rig.clock.advance(30_000);
  for (const gap of rig.server.gaps.slice(1)) assert(gap >= 4_400 && gap <= 5_000, `gap of ${gap} ms`);
  await stopSession(rig);
});
