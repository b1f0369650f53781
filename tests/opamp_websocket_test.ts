/**
 * W01 to W16 on real sockets with virtual time: frames, pushes, losses, refusals and farewells over WebSocket.
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { OpampClient } from "../config/opamp_client.ts";
import { waitMs } from "../config/opamp_wait.ts";
import type { ClientOptions } from "../config/opamp_options.ts";
import { settle, until, VirtualClock } from "./opamp_clock.ts";
import { describe, healthOf, UID } from "./opamp_rig.ts";
import { WebSocketScript } from "./opamp_ws_server.ts";

interface SocketRig {
  readonly clock: VirtualClock;
  readonly server: WebSocketScript;
  readonly client: OpampClient;
  readonly offered: unknown[];
}

/** Runs a test against a connected client, and leaves nothing behind. */
async function withClient(
  run: (rig: SocketRig) => Promise<void>,
  { options = {}, compression = false, prepare = () => {}, seed = 1 }: {
    readonly options?: Partial<ClientOptions>;
    readonly compression?: boolean;
    readonly prepare?: (server: WebSocketScript) => void;
    readonly seed?: number;
  } = {},
): Promise<void> {
  const clock = new VirtualClock(seed);
  const server = new WebSocketScript(compression);
  prepare(server);
  const offered: unknown[] = [];
  const client = new OpampClient({
    ...{ endpoint: await server.listen(), instanceUid: UID, clock, openings: { remoteConfig: true } },
    ...{ compression, callbacks: { onRemoteConfig: (_, config) => void offered.push(config) } },
    credentials: () => Promise.resolve({ headers: { authorization: "Bearer t" } }),
    ...options,
  });
  await describe(client);
  client.start();
  try {
    await until(() => server.messages.length > 0 || server.upgrades > 0, "the first upgrade");
    await run({ clock, server, client, offered });
  } finally {
    const stopped = client.stop();
    await clock.advance(3_000);
    await stopped;
    await server.close();
    await clock.advance(3_000);
  }
}

/** Waits for the first report. */
async function connected({ server, client }: SocketRig): Promise<void> {
  await until(() => server.messages.length > 0 && client.status().isConnected, "a first report");
}

/** Milliseconds of virtual time until `condition`; stops at `limitMs`. */
async function waitFor(
  clock: VirtualClock,
  condition: () => boolean,
  { limitMs, stepMs = 250 }: { readonly limitMs: number; readonly stepMs?: number },
): Promise<number> {
  const start = clock.mono();
  while (!condition() && clock.mono() - start < limitMs) {
    await clock.advance(stepMs, 6);
    // Real time, for real sockets: a packet on loopback needs less.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return clock.mono() - start;
}

/** Lets virtual time pass slowly enough for pongs to arrive. */
async function live({ clock }: SocketRig, ms: number): Promise<void> {
  await waitFor(clock, () => false, { limitMs: ms, stepMs: 1_000 });
}

Deno.test("W01 the first frame is binary, has a zero header, and is a full report", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    const { headers, frames: [first], messages: [message] } = rig.server.last;
    assertEquals(first?.[0], 0);
    assert(message?.agentDescription && message.health && message.effectiveConfig);
    assertEquals(headers["authorization"], "Bearer t");
    assertEquals(headers["opamp-instance-uid"], UID);
  });
});

Deno.test("W02 a pushed configuration arrives without a poll", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    rig.server.push({ remoteConfig: { configHash: new Uint8Array([1]) } });
    await until(() => rig.offered.length === 1, "the offer");
  });
});

Deno.test("W04 a frame that is a header only is a valid message without a reply", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    const before = rig.client.status().counters.answers ?? 0;
    rig.server.last.socket.send(new Uint8Array([0]));
    await until(() => (rig.client.status().counters.answers ?? 0) > before, "the empty message");
    await rig.clock.advance(1_000);
    assertEquals(rig.server.messages.length, 1);
  });
});

const poisons: readonly [string, string | Uint8Array, number][] = [
  ["W03 a header of 1", new Uint8Array([1, 0]), 1002],
  ["W05 a text frame", "hello", 1003],
  ["W05 truncated protobuf", new Uint8Array([0, 0x0a, 0x10, 1]), 1007],
  ["W06 a message over the limit", new Uint8Array(70_000), 1009],
];
for (const [title, data, code] of poisons) {
  Deno.test(`${title} closes with ${code} and comes back after a pause`, async () => {
    await withClient(async (rig) => {
      await connected(rig);
      rig.server.last.socket.send(data);
      await until(() => rig.server.last.closed !== undefined, "the close");
      assertEquals(rig.server.last.closed, code);
      assertEquals(rig.client.status().counters.malformed, 1);
      const waited = await waitFor(rig.clock, () => rig.server.upgrades > 1, { limitMs: 60_000 });
      assert(waited >= 29_000, `came back after ${waited} ms`);
    }, { options: { messageBytesMax: 65_536 } });
  });
}

Deno.test("W06 fragments and compressed bombs are bounded too", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    for (let part = 0; part < 9; part++) {
      rig.server.last.socket.send(new Uint8Array(10_000), { fin: part === 8 });
    }
    await until(() => rig.server.last.closed !== undefined, "the close");
    assertEquals(rig.server.last.closed, 1009);
    await waitFor(rig.clock, () => rig.server.sessions.length > 1, { limitMs: 60_000 });
    rig.server.last.socket.send(new Uint8Array(50_000_000), { compress: true });
    await until(() => rig.server.last.closed !== undefined, "the close");
    assertEquals(rig.server.last.closed, 1009);
  }, { options: { messageBytesMax: 65_536 }, compression: true });
});

Deno.test("W07 after a reset the client is back within 2 s, with everything, and counts on", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    await rig.clock.advance(31_000);
    await until(() => rig.server.messages.length === 2, "a heartbeat");
    rig.server.last.socket.terminate();
    await settle(20);
    const waited = await waitFor(rig.clock, () => rig.server.sessions.length > 1, { limitMs: 5_000 });
    assert(waited <= 2_000, `back after ${waited} ms`);
    await until(() => rig.server.last.messages.length > 0, "a report");
    const [message] = rig.server.last.messages;
    assert(message?.agentDescription && message.health);
    assertEquals(message.sequenceNum, 2n);
  });
});

Deno.test("W08 a refused upgrade's Retry-After is kept", async () => {
  await withClient(async (rig) => {
    await settle(20);
    const waited = await waitFor(rig.clock, () => rig.server.upgrades > 1, { limitMs: 90_000 });
    assert(waited >= 40_000 && waited <= 49_000, `back after ${waited} ms`);
  }, { prepare: ({ refusals }) => refusals.push({ status: 503, headers: { "retry-after": "40" } }) });
});

/** When each of some refused attempts happened. */
async function attempts(seed: number): Promise<readonly number[]> {
  const times: number[] = [];
  await withClient(async ({ clock, server }) => {
    while (times.length < 9) {
      times.push(clock.mono());
      await settle(20);
      const { upgrades } = server;
      await waitFor(clock, () => server.upgrades > upgrades, { limitMs: 400_000, stepMs: 1_000 });
    }
  }, {
    seed,
    prepare: ({ refusals }) => refusals.push(...Array.from({ length: 20 }, () => ({ status: 500 }))),
  });
  return times;
}

Deno.test("W09 refused attempts grow apart, differ between clients and stay under 300 s", async () => {
  const [one, other] = [await attempts(1), await attempts(99)];
  assertNotEquals(one, other);
  const gaps = one.slice(1).map((at, index) => at - (one[index] ?? 0));
  for (let failures = 1; failures < 2_000; failures++) {
    assert(waitMs({ kind: "network", reason: "" }, failures, Math.random) <= 300_000);
  }
  assert((gaps[6] ?? 0) > 10 * (gaps[1] ?? 0), `gaps ${gaps}`);
});

Deno.test("W10 UNAVAILABLE is answered by a farewell and silence", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    const retryAfterNanoseconds = 35_000_000_000n;
    rig.server.push({
      errorResponse: { type: 2, Details: { case: "retryInfo", value: { retryAfterNanoseconds } } },
    });
    await until(() => rig.server.last.closed !== undefined, "the close");
    assertEquals(rig.server.last.closed, 1000);
    assert(rig.server.last.messages.at(-1)?.agentDisconnect);
    const waited = await waitFor(rig.clock, () => rig.server.upgrades > 1, { limitMs: 90_000 });
    assert(waited >= 35_000, `back after ${waited} ms`);
  });
});

Deno.test("W11 a server that stops answering pings is left within 50 s", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    // The process stays, but nothing is read any more.
    rig.server.last.socket.pause();
    const waited = await waitFor(rig.clock, () => rig.server.upgrades > 1, { limitMs: 60_000 });
    assert(waited <= 53_000, `back after ${waited} ms`);
  });
});

Deno.test("W12 a server that never answers keeps its connection and gets heartbeats", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    for (let beat = 2; beat <= 5; beat++) {
      await live(rig, 30_000);
      await until(() => rig.server.messages.length >= beat, `message ${beat}`);
    }
    assertEquals(rig.server.upgrades, 1);
  }, { prepare: (server) => server.answer = () => undefined });
});

const closes: readonly [number, number, number][] = [[1000, 0, 5_500], [1012, 0, 5_500], [
  1013,
  29_750,
  37_000,
]];
for (const [code, least, most] of closes) {
  Deno.test(`W13 the server's Close ${code} is followed by ${least} to ${most} ms of silence`, async () => {
    await withClient(async (rig) => {
      await connected(rig);
      rig.server.last.socket.close(code);
      await until(() => rig.server.last.closed !== undefined, "the close");
      const waited = await waitFor(rig.clock, () => rig.server.upgrades > 1, { limitMs: 60_000 });
      assert(waited >= least && waited <= most, `back after ${waited} ms`);
    });
  });
}

Deno.test("W14 a stop sends the farewell before Close 1000", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    await rig.client.stop();
    await until(() => rig.server.last.closed !== undefined, "the close");
    assert(rig.server.last.messages.at(-1)?.agentDisconnect);
    assertEquals(rig.server.last.closed, 1000);
  });
});

Deno.test("W15 a busy session needs no heartbeat", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    for (let change = 1; change <= 5; change++) {
      rig.client.setHealth(healthOf(change));
      await live(rig, 26_000);
    }
    const beats = rig.server.messages.slice(1).filter(({ health }) => health === undefined);
    assertEquals(beats.length, 0);
  });
});

for (const compression of [false, true]) {
  Deno.test(`W16 permessage-deflate ${compression ? "on" : "off"}`, async () => {
    await withClient(async (rig) => {
      await connected(rig);
      assertEquals(rig.server.last.headers["sec-websocket-extensions"] !== undefined, compression);
      rig.server.push({ remoteConfig: { configHash: new Uint8Array(5_000) } });
      await until(() => rig.offered.length === 1, "the offer");
    }, { compression });
  });
}

Deno.test("C52 an interval of 0 ends heartbeats over WebSocket, not the connection", async () => {
  await withClient(async (rig) => {
    await connected(rig);
    rig.server.push({
      connectionSettings: { hash: new Uint8Array([1]), opamp: { heartbeatIntervalSeconds: 0n } },
    });
    await until(() => rig.client.status().intervalMs === Infinity, "the interval");
    await live(rig, 120_000);
    assertEquals(rig.server.messages.length, 1);
    assertEquals(rig.server.upgrades, 1);
  });
});
