/**
 * C48 and C51 to C58: what a server may change of the link, of own telemetry and of the process, and what not.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Credentials } from "../config/opamp_link.ts";
import { type LinkMemory, parseMemory } from "../config/opamp_memory.ts";
import type { TelemetryOffer } from "../config/opamp_offer.ts";
import type { ClientOptions } from "../config/opamp_options.ts";
import { ConnectionSettingsStatuses as Status } from "../proto_gen/opamp/opamp_pb.ts";
import { ENDPOINT, OTHER_UID_BYTES, type Rig, startRig, stopRig } from "./opamp_rig.ts";

const HASH = new Uint8Array([7]);
const S = 1_000;
const own: () => Promise<Credentials> = () => Promise.resolve({ headers: { authorization: "Bearer old" } });
const offered = { headers: { headers: [{ key: "Authorization", value: "Bearer new" }] } };

/** Options of a client that takes credentials, and what it remembered. */
function persistent(mode: "credentials" | "allowlist", memory: LinkMemory = {}): {
  readonly options: Partial<ClientOptions>;
  readonly kept: LinkMemory[];
} {
  const kept: LinkMemory[] = [];
  const remember = (next: LinkMemory) => {
    kept.push(parseMemory(JSON.stringify(next)));
    return Promise.resolve();
  };
  return { kept, options: { openings: { connectionSettings: mode }, credentials: own, memory, remember } };
}

function sentTokens({ server }: Rig): (string | null)[] {
  return server.received.map(({ headers }) => headers.get("authorization"));
}

/** Statuses of connection settings in the order sent, with their reason. */
function settingsSaid({ server }: Rig): string[] {
  return server.messages.flatMap(({ connectionSettingsStatus: said }) =>
    said === undefined ? [] : [`${Status[said.status].split("_")[1]} ${said.errorMessage}`.trim()]
  );
}

Deno.test("C48 an offer that was not asked for is ignored and gets no status", async () => {
  const offers: unknown[] = [];
  const rig = await startRig({
    openings: {},
    callbacks: { onRemoteConfig: (_, config) => void offers.push(config) },
  }, (server) => server.script = () => ({ remoteConfig: { configHash: HASH } }));
  await rig.clock.advance(60 * S);
  assertEquals(offers, []);
  assertEquals(rig.server.last.capabilities, 0x6805n);
  assert(rig.server.messages.every(({ remoteConfigStatus }) => remoteConfigStatus === undefined));
  await stopRig(rig);
});

Deno.test("C51 an offered interval counts, its endpoint does not", async () => {
  const opamp = { heartbeatIntervalSeconds: 5n, destinationEndpoint: "http://evil.example/v1/opamp" };
  const rig = await startRig({}, (server) => server.next({ connectionSettings: { hash: HASH, opamp } }));
  await rig.clock.advance(30 * S);
  for (const gap of rig.server.gaps) assert(gap >= 4.4 * S && gap <= 5.1 * S, `gap of ${gap} ms`);
  assert(rig.server.received.every(({ url }) => url === ENDPOINT));
  assertEquals(settingsSaid(rig), []);
  await stopRig(rig);
});

Deno.test("C52 an interval of 0 changes nothing when polling, and a huge one is a day", async () => {
  const zero = { hash: HASH, opamp: { heartbeatIntervalSeconds: 0n } };
  const huge = { hash: HASH, opamp: { heartbeatIntervalSeconds: 2n ** 64n - 1n } };
  const rig = await startRig(
    {},
    (server) => server.next({ connectionSettings: zero }, { connectionSettings: huge }),
  );
  assertEquals(rig.client.status().intervalMs, 30 * S);
  await rig.clock.advance(31 * S);
  assertEquals(rig.client.status().intervalMs, 86_400 * S);
  await stopRig(rig);
});

Deno.test("C53 new credentials are announced, tried, kept and survive a restart", async () => {
  const { options, kept } = persistent("credentials");
  const rig = await startRig(
    options,
    (server) => server.next({ connectionSettings: { hash: HASH, opamp: offered } }),
  );
  await rig.clock.advance(2 * S);
  assertEquals(settingsSaid(rig), ["APPLYING", "APPLYING", "APPLIED"]);
  const farewell = rig.server.messages.findIndex(({ agentDisconnect }) => agentDisconnect !== undefined);
  assertEquals(sentTokens(rig).slice(0, farewell + 1).includes("Bearer new"), false);
  assert(sentTokens(rig).slice(farewell + 1).every((token) => token === "Bearer new"));
  assert(rig.server.messages[farewell + 1]?.agentDescription);
  await stopRig(rig);
  const memory = kept.at(-1);
  assertEquals(memory?.candidate, undefined);
  const next = await startRig(persistent("credentials", memory).options);
  assertEquals(sentTokens(next), ["Bearer new"]);
  await stopRig(next);
});

Deno.test("C53 a candidate that a crash left is tried in the next life", async () => {
  const { kept } = persistent("credentials");
  const candidate = { hash: "07", endpoint: ENDPOINT, headers: { authorization: "Bearer new" } };
  const rig = await startRig(persistent("credentials", { candidate }).options);
  await rig.clock.advance(1 * S);
  assertEquals(sentTokens(rig)[0], "Bearer new");
  assertEquals(settingsSaid(rig).at(-1), "APPLIED");
  assertEquals(kept, []);
  await stopRig(rig);
});

Deno.test("C54 refused credentials are dropped, the old ones return and FAILED is said", async () => {
  const { options, kept } = persistent("credentials");
  const rig = await startRig(options, (server) => {
    server.next({ connectionSettings: { hash: HASH, opamp: offered } });
    server.script = ({ headers }) =>
      headers.get("authorization") === "Bearer new" ? new Response(null, { status: 401 }) : {};
  });
  await rig.clock.advance(5 * S);
  assertEquals(sentTokens(rig).at(-1), "Bearer old");
  assertEquals(settingsSaid(rig).at(-1), "FAILED status 401");
  assertEquals(kept.at(-1), { configured: ENDPOINT });
  assertEquals(rig.server.messages.at(-1)?.agentDescription !== undefined, true);
  await stopRig(rig);
});

const refused: readonly [string, "credentials" | "allowlist", object, RegExp][] = [
  ["another origin", "credentials", { destinationEndpoint: "http://evil.example/" }, /only credentials/],
  ["an origin not listed", "allowlist", { destinationEndpoint: "http://evil.example/" }, /ALLOWED_ENDPOINTS/],
  [
    "another transport",
    "allowlist",
    { destinationEndpoint: "ws://opamp.example:4320/" },
    /transport is local/,
  ],
  ["no URL", "allowlist", { destinationEndpoint: "file:///etc/shadow" }, /not a URL/],
  [
    "skipped verification",
    "credentials",
    { ...offered, tls: { insecureSkipVerify: true } },
    /insecure_skip_verify/,
  ],
  ["an authority", "credentials", { certificate: { caCert: HASH } }, /authority/],
  ["a proxy", "credentials", { ...offered, proxy: { url: "http://evil.example" } }, /proxy is local/],
  ["a reserved header", "credentials", { headers: { headers: [{ key: "Host", value: "x" }] } }, /"Host"/],
  [
    "a header with a line break",
    "credentials",
    { headers: { headers: [{ key: "a", value: "x\r\ny" }] } },
    /cannot carry/,
  ],
];
for (const [title, mode, opamp, reason] of refused) {
  Deno.test(`C55 an offer of ${title} is FAILED and nothing is connected`, async () => {
    const { options, kept } = persistent(mode);
    const rig = await startRig(
      options,
      (server) => server.next({ connectionSettings: { hash: HASH, opamp } }),
    );
    await rig.clock.advance(60 * S);
    assertMatch(settingsSaid(rig).at(-1) ?? "", /^FAILED /);
    assertMatch(settingsSaid(rig).at(-1) ?? "", reason);
    assert(rig.server.received.every(({ url }) => url === ENDPOINT));
    assert(sentTokens(rig).every((token) => token === "Bearer old"));
    assertEquals(kept, []);
    await stopRig(rig);
  });
}

Deno.test("C55 a downgrade is refused, and a listed origin is used", async () => {
  const secure = "https://opamp.example/v1/opamp";
  const { options } = persistent("allowlist");
  const rig = await startRig(
    { ...options, endpoint: secure, allowedOrigins: ["https://other.example"] },
    (server) =>
      server.next({
        connectionSettings: { hash: HASH, opamp: { destinationEndpoint: "http://opamp.example/v1/opamp" } },
      }, {
        connectionSettings: {
          hash: new Uint8Array([8]),
          opamp: { destinationEndpoint: "https://other.example/v1/opamp" },
        },
      }),
  );
  await rig.clock.advance(60 * S);
  assertMatch(settingsSaid(rig)[0] ?? "", /no longer be encrypted/);
  assertEquals(rig.server.received.at(-1)?.url, "https://other.example/v1/opamp");
  assertEquals(settingsSaid(rig).at(-1), "APPLIED");
  await stopRig(rig);
});

const own56: readonly [string, string, RegExp][] = [
  ["an allowed origin", "https://otlp.example/v1/metrics", /^APPLIED$/],
  ["a foreign origin", "https://evil.example/v1/metrics", /^FAILED own_metrics: the endpoint's origin/],
  ["plain http", "http://otlp.example/v1/metrics", /^FAILED own_metrics: the endpoint is not https/],
];
for (const [title, destinationEndpoint, said] of own56) {
  Deno.test(`C56 own metrics to ${title}`, async () => {
    const taken: TelemetryOffer[] = [];
    const rig = await startRig({
      openings: { ownTelemetry: ["metrics"] },
      allowedOrigins: ["https://otlp.example"],
      callbacks: { onOwnTelemetry: (_, offers) => void taken.push(...offers) },
    }, (server) =>
      server.next({
        connectionSettings: {
          hash: HASH,
          ownMetrics: { destinationEndpoint },
          ownLogs: { destinationEndpoint },
        },
      }));
    await rig.clock.advance(1 * S);
    assertMatch(settingsSaid(rig).at(-1) ?? "", said);
    assertEquals(
      taken.map(({ endpoint }) => endpoint),
      String(said) === "/^APPLIED$/" ? [destinationEndpoint] : [],
    );
    await stopRig(rig);
  });
}

for (const restart of [true, false]) {
  Deno.test(`C57 a restart command ${restart ? "alone is acted on" : "not opened is ignored"}`, async () => {
    const events: string[] = [];
    const callbacks = {
      onRestart: () => void events.push("restart"),
      onRemoteConfig: () => void events.push("config"),
    };
    const rig = await startRig(
      { openings: { remoteConfig: true, restart }, callbacks },
      (server) => server.next({ command: { type: 0 }, remoteConfig: { configHash: HASH } }),
    );
    assertEquals(events, [restart ? "restart" : "config"]);
    await stopRig(rig);
  });
}

Deno.test("C58 packages, other connections and custom messages are declined without a word", async () => {
  const rig = await startRig({}, (server) =>
    server.next({
      packagesAvailable: { packages: { sonde: { version: "9" } }, allPackagesHash: HASH },
      connectionSettings: {
        hash: HASH,
        otherConnections: { x: { destinationEndpoint: "http://evil.example" } },
      },
      customMessage: { capability: "com.example", type: "x", data: HASH },
      customCapabilities: { capabilities: [] },
    }));
  await rig.clock.advance(20 * S);
  assertEquals(rig.server.received.length, 1);
  const { counters } = rig.client.status();
  assertEquals([counters.packages_refused, counters.custom_messages_declined], [1, 1]);
  await stopRig(rig);
});

Deno.test("an identity assigned for ever again does not make the client talk for ever", async () => {
  let serial = 0;
  const rig = await startRig({}, (server) =>
    server.script = () => {
      const newInstanceUid = new Uint8Array(OTHER_UID_BYTES);
      newInstanceUid[15] = serial++ % 256;
      return { agentIdentification: { newInstanceUid } };
    });
  await rig.clock.advance(60 * S);
  assert(rig.server.received.length <= 8, `${rig.server.received.length} messages`);
  await stopRig(rig);
});
