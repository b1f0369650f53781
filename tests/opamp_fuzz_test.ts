/**
 * X02: whatever a server sends, the engine neither throws nor stops. Random bytes and random valid messages, over
 * both transports; `SONDE_FUZZ` sets how many (default 100 000, a few seconds), `SONDE_FUZZ_SEED` where the sequence starts.
 * @module
 */
import { assert } from "@std/assert";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { capabilitiesOf } from "../config/opamp_bits.ts";
import { step, wakeAt } from "../config/opamp_engine.ts";
import { decodeAnswer, type LinkEvent } from "../config/opamp_link.ts";
import { type EngineEvent, type EngineState, initialState } from "../config/opamp_state.ts";
import { describeAgent, effectiveConfigOf } from "../config/opamp_values.ts";
import { ServerToAgentSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { VirtualClock } from "./opamp_clock.ts";
import { configFile, ENDPOINT, UID_BYTES } from "./opamp_rig.ts";

const COUNT = Number(Deno.env.get("SONDE_FUZZ") ?? 100_000);
const SEED = Number(Deno.env.get("SONDE_FUZZ_SEED") ?? 1);
/** The longest anything may make the client wait, with its jitter. */
const SILENCE_MAX_MS = 24 * 3_600_000 + 60_000;

type Message = MessageInitShape<typeof ServerToAgentSchema>;

/** Random parts of messages. */
class Dice {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  maybe<T>(make: () => T, chance = 0.3): T | undefined {
    return this.#random() < chance ? make() : undefined;
  }

  bytes(max: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: this.below(max + 1) }, () => this.below(256));
  }

  uint64(): bigint {
    return 2n ** BigInt(this.below(65)) - 1n;
  }

  text(): string {
    return ["", "http://evil.example", ENDPOINT, "wss://\u0000", "x".repeat(300), "\ud83d"][this.below(6)] ??
      "";
  }

  /** Our identity, nobody's, or anyone's. */
  uid(): Uint8Array<ArrayBuffer> {
    const own = new Uint8Array(UID_BYTES);
    return [own, own, own, new Uint8Array(), this.bytes(17)][this.below(5)] ?? own;
  }
}

function connection(dice: Dice): object {
  return {
    destinationEndpoint: dice.text(),
    headers: dice.maybe(() => ({ headers: [{ key: dice.text(), value: dice.text() }] })),
    certificate: dice.maybe(() => ({
      cert: dice.bytes(5),
      privateKey: dice.bytes(5),
      caCert: dice.bytes(2),
    })),
    heartbeatIntervalSeconds: dice.uint64(),
    tls: dice.maybe(() => ({ insecureSkipVerify: dice.below(2) === 1 })),
    proxy: dice.maybe(() => ({ url: dice.text() })),
  };
}

function randomMessage(dice: Dice): Message {
  const retry = { retryAfterNanoseconds: dice.uint64() };
  return {
    instanceUid: dice.uid(),
    errorResponse: dice.maybe(() => ({
      type: dice.below(5),
      errorMessage: dice.text().toWellFormed(),
      Details: dice.maybe(() => ({ case: "retryInfo" as const, value: retry })) ?? { case: undefined },
    }), 0.1),
    remoteConfig: dice.maybe(() => ({
      configHash: dice.bytes(3),
      config: dice.maybe(() => ({ configMap: { "": { body: dice.bytes(20), contentType: "" } } })),
    })),
    connectionSettings: dice.maybe(() => ({
      ...{ hash: dice.bytes(2), opamp: dice.maybe(() => connection(dice)) },
      ...{ ownMetrics: dice.maybe(() => connection(dice)), ownLogs: dice.maybe(() => connection(dice)) },
    })),
    packagesAvailable: dice.maybe(() => ({ allPackagesHash: dice.bytes(2) }), 0.1),
    flags: dice.uint64(),
    capabilities: dice.uint64(),
    agentIdentification: dice.maybe(() => ({ newInstanceUid: dice.bytes(17) }), 0.1),
    command: dice.maybe(() => ({ type: dice.below(3) }), 0.1),
    customMessage: dice.maybe(() => ({ capability: "x", data: dice.bytes(5) }), 0.1),
  };
}

/** What a transport would make of it; a lone surrogate cannot be written and stands for garbage. */
function randomEvent(dice: Dice): LinkEvent {
  if (dice.below(4) === 0) return decodeAnswer(dice.bytes(60));
  try {
    return decodeAnswer(toBinary(ServerToAgentSchema, create(ServerToAgentSchema, randomMessage(dice))));
  } catch {
    return decodeAnswer(new Uint8Array([0xff]));
  }
}

function startState(transport: "http" | "websocket"): EngineState {
  const openings = {
    ...{ remoteConfig: true, restart: true, connectionSettings: "allowlist" as const },
    ownTelemetry: ["metrics" as const, "logs" as const],
  };
  const endpoint = transport === "http" ? ENDPOINT : ENDPOINT.replace("http", "ws");
  const policy = { mode: openings.connectionSettings, endpoint, allowedOrigins: ["https://otlp.example"] };
  const config = {
    ...{ transport, capabilities: capabilitiesOf(openings), intervalMs: 30_000 },
    policy: { ...policy, ownTelemetry: openings.ownTelemetry, canPersist: true },
  };
  return initialState(config, { uid: UID_BYTES, now: 0 });
}

for (const transport of ["http", "websocket"] as const) {
  Deno.test(`X02 ${COUNT} random messages over ${transport} neither break nor silence the engine`, () => {
    const { random } = new VirtualClock(SEED);
    const dice = new Dice(random);
    let state = startState(transport);
    let now = 0;
    let sends = 0;
    const feed = (event: EngineEvent) => {
      const result = step(state, event, { now, random });
      state = result.state;
      for (const { type } of result.effects) {
        if (type === "send") sends++;
        if (type === "connect") feed({ type: "opened" });
      }
    };
    feed({ type: "field", name: "description", value: describeAgent({ "service.name": "sonde" }) });
    for (let index = 0; index < COUNT; index++) {
      if (index % 7 === 0) {
        const value = effectiveConfigOf({ "": configFile({ index }) });
        feed({ type: "field", name: "effectiveConfig", value });
      }
      feed({ type: "timer" });
      if (transport === "websocket" && state.inFlight !== undefined) feed({ type: "sent" });
      if (state.inFlight !== undefined || transport === "websocket") feed(randomEvent(dice));
      const wake = wakeAt(state);
      const isQuiet = transport === "websocket" && state.intervalMs === Infinity;
      assert(
        isQuiet || state.inFlight !== undefined || wake - now <= SILENCE_MAX_MS,
        `wakes in ${wake - now} ms`,
      );
      if (Number.isFinite(wake)) now = Math.max(now, wake);
    }
    assert(sends > COUNT / 20, `${sends} messages sent`);
  });
}
