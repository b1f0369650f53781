/**
 * Own telemetry over OpAMP: which offers count in this life and the next, and what of it reaches a backend of its own
 * from a bounded memory (opamp 3.8).
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type LinkMemory, parseMemory } from "../config/opamp_memory.ts";
import type { TelemetryOffer } from "../config/opamp_offer.ts";
import type { ClientOptions } from "../config/opamp_options.ts";
import { OwnTelemetry } from "../config/opamp_own.ts";
import type { BatchMessage } from "../exporters/batch.ts";
import { type Clock, sleep } from "../exporters/clock.ts";
import { openDelivery } from "../exporters/delivery.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import type { LogRecord } from "../exporters/messages.ts";
import { ConnectionSettingsStatuses as Status } from "../proto_gen/opamp/opamp_pb.ts";
import { answer, type Behaviour, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { type Rig, startRig, stopRig } from "./opamp_rig.ts";

const S = 1_000;
const OTLP = "https://otlp.example";

interface Life {
  readonly rig: Rig;
  readonly taken: TelemetryOffer[];
  readonly kept: LinkMemory[];
}

/** One life of a client that may send own telemetry to one origin; the server offers these in turn. */
async function live(offers: readonly object[], more: Partial<ClientOptions> = {}): Promise<Life> {
  const taken: TelemetryOffer[] = [];
  const kept: LinkMemory[] = [];
  const rig = await startRig({
    openings: { ownTelemetry: ["metrics", "logs"] },
    allowedOrigins: [OTLP],
    intervalMs: 1 * S,
    callbacks: { onOwnTelemetry: (_, given) => void taken.push(...given) },
    remember: (memory) => {
      kept.push(parseMemory(JSON.stringify(memory)));
      return Promise.resolve();
    },
    ...more,
  }, (server) => {
    const settings = offers.map((offer, index) => ({ hash: new Uint8Array([index + 1]), ...offer }));
    server.next(...settings.map((connectionSettings) => ({ connectionSettings })));
  });
  await rig.clock.advance(5 * S);
  return { rig, taken, kept };
}

function said({ rig }: Life): string[] {
  return rig.server.messages.flatMap(({ connectionSettingsStatus: status }) =>
    status === undefined
      ? []
      : [`${Status[status.status].split("_")[1]} ${status.lastConnectionSettingsHash.toHex()}`]
  );
}

const metricsTo = (destinationEndpoint: string) => ({ ownMetrics: { destinationEndpoint } });
const logsTo = (destinationEndpoint: string) => ({ ownLogs: { destinationEndpoint } });

Deno.test("C56 bits of own telemetry are set only for what was opened", async () => {
  for (const [own, bits] of [[[], 0n], [["metrics"], 0x40n], [["logs"], 0x80n]] as const) {
    const { rig } = await live([], { openings: { ownTelemetry: own } });
    assertEquals(rig.server.last.capabilities & 0xc0n, bits);
    assertEquals(rig.server.last.capabilities & 0x8000n, own.length === 0 ? 0n : 0x8000n);
    await stopRig(rig);
  }
});

Deno.test("C56 an offer of one signal leaves the other alone, and an empty endpoint withdraws", async () => {
  const life = await live([metricsTo(`${OTLP}/v1/metrics`), logsTo(`${OTLP}/v1/logs`), metricsTo("")]);
  assertEquals(life.taken.map(({ signal, endpoint }) => `${signal} ${endpoint}`), [
    `metrics ${OTLP}/v1/metrics`,
    `logs ${OTLP}/v1/logs`,
    "metrics ",
  ]);
  assertEquals(said(life), ["APPLIED 01", "APPLIED 02", "APPLIED 03"]);
  assertEquals(life.kept.at(-1)?.own?.map(({ signal }) => signal), ["logs"]);
  await stopRig(life.rig);
});

Deno.test("C56 settings of TLS, proxy, authority and reserved headers are refused with a reason", async () => {
  const endpoint = { destinationEndpoint: `${OTLP}/v1/metrics` };
  const refusals: readonly [object, RegExp][] = [
    [{ tls: { insecureSkipVerify: true } }, /insecure_skip_verify is never taken/],
    [{ tls: { minVersion: "1.0" } }, /tls settings are local/],
    [{ proxy: { url: "http://evil.example" } }, /the proxy is local/],
    [{ certificate: { caCert: new Uint8Array([1]) } }, /authority is never trusted/],
    [{ headers: { headers: [{ key: "Host", value: "evil" }] } }, /header "Host" is set by sonde/],
  ];
  for (const [part, reason] of refusals) {
    const life = await live([{ ownMetrics: { ...endpoint, ...part } }]);
    assertMatch(life.rig.client.status().settings?.error ?? "", reason);
    assertEquals([life.taken, life.rig.client.status().settings?.state], [[], "failed"]);
    await stopRig(life.rig);
  }
});

Deno.test("C56 what was taken goes on in the next life, which tells its hash first", async () => {
  const headers = { headers: [{ key: "X-Key", value: "k" }] };
  const first = await live([{ ownMetrics: { destinationEndpoint: `${OTLP}/v1/metrics`, headers } }]);
  await stopRig(first.rig);
  const memory = first.kept.at(-1) ?? {};
  const next = await live([], { memory });
  assertEquals(next.taken, [{
    ...{ signal: "metrics", endpoint: `${OTLP}/v1/metrics`, headers: { "x-key": "k" } },
  }]);
  assertEquals(said(next), ["APPLIED 01"]);
  await stopRig(next.rig);

  const lives: readonly Partial<ClientOptions>[] = [
    { allowedOrigins: [] },
    { openings: { ownTelemetry: ["logs"] } },
    { endpoint: "http://other.example/v1/opamp" },
  ];
  for (const change of lives) {
    const closed = await live([], { memory, ...change });
    assertEquals([closed.taken, said(closed)], [[], []]);
    await stopRig(closed.rig);
  }
});

const TLS = new URL("./fixtures/tls/", import.meta.url);
const pem = (name: string) => Deno.readTextFileSync(new URL(name, TLS));
const clock: Clock = { wall: Date.now, mono: () => performance.now(), random: () => 0.5, sleep };

interface Sending {
  readonly server: FaultServer;
  readonly own: OwnTelemetry;
  readonly fed: (readonly LaneConfig[])[];
  readonly log: LogRecord[];
}

async function withOwn(behaviour: Behaviour, run: (sending: Sending) => Promise<void>): Promise<void> {
  await using server = new FaultServer(behaviour, {
    tls: { cert: pem("server.pem"), key: pem("server.key") },
  });
  const fed: (readonly LaneConfig[])[] = [];
  const log: LogRecord[] = [];
  const own = new OwnTelemetry({
    open: (lanes, aside) =>
      openDelivery({ product: "sonde/1", lanes, queueBytesMax: 10_000 }, {
        clock,
        log: aside,
        changed: () => {},
      }),
    transport: () => ({ caCerts: [pem("ca.pem")] }),
    feed: (lanes) => void fed.push(lanes),
    log: (record) => void log.push(record),
  });
  await run({ server, own, fed, log });
  await own.stop(500);
}

function offerFor({ server }: Sending, signal: "metrics" | "logs"): TelemetryOffer {
  return { signal, endpoint: `${server.url}/v1/${signal}`, headers: { "x-key": "planted" } };
}

/** A batch of a thousand bytes that hardly shrink. */
function batch(signal: "metrics" | "logs", sequence: number): BatchMessage {
  const body = crypto.getRandomValues(new Uint8Array(1_000));
  const times = { firstTimeMs: Date.now(), lastTimeMs: Date.now() };
  const header = {
    destination: "opamp",
    signal,
    encoding: "protobuf",
    items: 1,
    sequence,
    ...times,
  } as const;
  const headers = [{ ...header, uncompressedBytes: body.length }];
  return { type: "batch", origin: "sensor", headers, body, gzipped: false };
}

/** Waits, in real time, for sockets. */
async function untilFed({ fed }: Sending, times: number): Promise<void> {
  for (let left = 500; fed.length < times && left > 0; left--) await sleep(5);
  assertEquals(fed.length, times);
}

Deno.test("OwnTelemetry delivers with the offer's headers, and tells the sensor no secret", async () => {
  await withOwn(ok, async (sending) => {
    const { server, own, fed } = sending;
    own.take([offerFor(sending, "metrics"), offerFor(sending, "logs")]);
    await untilFed(sending, 1);
    assertEquals(fed[0]?.map(({ signal, headers, transport }) => ({ signal, headers, transport })), [
      { signal: "metrics", headers: {}, transport: { caCerts: [], insecure: false } },
      { signal: "logs", headers: {}, transport: { caCerts: [], insecure: false } },
    ]);
    own.take([offerFor(sending, "metrics")]);
    own.accept(batch("metrics", 1));
    own.accept(batch("logs", 1));
    await server.waitFor(2);
    assertEquals(fed.length, 1, "the same offer again changes nothing");
    assertEquals(server.requests.map(({ path }) => path).sort(), ["/v1/logs", "/v1/metrics"]);
    assert(server.requests.every(({ headers }) => headers["x-key"] === "planted"));
  });
});

Deno.test("OwnTelemetry keeps a bounded queue, counts what it drops, and says little", async () => {
  await withOwn(answer(503), async (sending) => {
    const { own, log } = sending;
    own.take([offerFor(sending, "metrics")]);
    await untilFed(sending, 1);
    for (let sequence = 1; sequence <= 100; sequence++) own.accept(batch("metrics", sequence));
    await sending.server.waitFor(1);
    const [report] = own.report();
    assert(report !== undefined);
    const { produced, delivered, rejected, dropped, queued, queuedBytes } = report;
    assertEquals([produced, delivered, rejected], [100, 0, 0]);
    const lost = Object.values(dropped).reduce((sum, items) => sum + items, 0);
    assertEquals(lost + queued, 100);
    assert(queuedBytes <= 10_000, `${queuedBytes} bytes`);
    assert(log.length <= 3, JSON.stringify(log));
  });
});

Deno.test("OwnTelemetry of a withdrawn offer ends, the other signal goes on", async () => {
  await withOwn(ok, async (sending) => {
    const { server, own, fed } = sending;
    own.take([offerFor(sending, "metrics"), offerFor(sending, "logs")]);
    own.take([{ signal: "metrics", endpoint: "", headers: {} }]);
    await untilFed(sending, 2);
    assertEquals(fed.at(-1)?.map(({ signal }) => signal), ["logs"]);
    own.accept(batch("metrics", 1));
    own.accept(batch("logs", 2));
    await server.waitFor(1);
    assertEquals(server.requests.map(({ path }) => path), ["/v1/logs"]);
    own.take([{ signal: "logs", endpoint: "", headers: {} }]);
    await untilFed(sending, 3);
    assertEquals(fed.at(-1), []);
    own.accept(batch("logs", 3));
    assertEquals(server.requests.length, 1);
    const counted = () =>
      own.report().map(({ signal, endpoint, delivered }) => [signal, endpoint, delivered]);
    const isBooked = () => counted().some(([signal, , delivered]) => signal === "logs" && delivered === 1);
    for (let left = 200; left > 0 && !isBooked(); left--) await sleep(5);
    assertEquals(counted().find(([signal]) => signal === "logs"), ["logs", "", 1]);
  });
});
