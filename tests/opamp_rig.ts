/**
 * A client with everything around it that tests of the protocol need, and the fields a real agent reports.
 * @module
 */
import { create } from "@bufbuild/protobuf";
import { OpampClient } from "../config/opamp_client.ts";
import type { ClientLog, ClientOptions } from "../config/opamp_options.ts";
import {
  describeAgent,
  describeComponents,
  describeHealth,
  effectiveConfigOf,
} from "../config/opamp_values.ts";
import { RemoteConfigStatusSchema } from "../proto_gen/opamp/opamp_pb.ts";
import { settle, VirtualClock } from "./opamp_clock.ts";
import { ScriptedServer } from "./opamp_server.ts";

export const UID = "01890a5d-ac96-774b-bcce-b302099a8057";
export const UID_BYTES: Uint8Array<ArrayBuffer> = Uint8Array.fromHex(UID.replaceAll("-", ""));
export const OTHER_UID = "01890a5d-ac96-774b-bcce-b302099a8058";
export const OTHER_UID_BYTES: Uint8Array<ArrayBuffer> = Uint8Array.fromHex(OTHER_UID.replaceAll("-", ""));
export const ENDPOINT = "http://opamp.example:4320/v1/opamp";

const text = (value: string) => new TextEncoder().encode(value);

/** Everything an agent says about itself. */
export async function describe(client: OpampClient): Promise<void> {
  client.setDescription(describeAgent({ "service.name": "sonde" }, { "os.type": "linux" }));
  client.setHealth(describeHealth({ healthy: true, status: "running", startTimeMs: 1000 }));
  client.setEffectiveConfig(effectiveConfigOf({ "": configFile({ SONDE_INTERVAL: "10s" }) }));
  client.setRemoteConfigStatus(create(RemoteConfigStatusSchema));
  client.setComponents(await describeComponents({ "collector/cpu": "1.0.0", "exporter/otlp": "1.0.0" }));
}

/** A JSON file of sonde's keys. */
export function configFile(values: unknown): { body: Uint8Array<ArrayBuffer>; contentType: string } {
  return { body: text(JSON.stringify(values)), contentType: "application/json" };
}

/** A health that differs from every other number's. */
export function healthOf(number: number): ReturnType<typeof describeHealth> {
  return describeHealth({ healthy: number % 2 === 0, status: `state ${number}` });
}

/** A started client against a scripted server. */
export interface Rig {
  readonly clock: VirtualClock;
  readonly server: ScriptedServer;
  readonly client: OpampClient;
  readonly log: readonly ClientLog[];
}

/** Starts a client; `script` runs before the first request. */
export async function startRig(
  options: Partial<ClientOptions> = {},
  script: (server: ScriptedServer) => void = () => {},
): Promise<Rig> {
  const clock = new VirtualClock();
  const server = new ScriptedServer(clock);
  const log: ClientLog[] = [];
  script(server);
  const client = new OpampClient({
    ...{ endpoint: ENDPOINT, instanceUid: UID, clock, openHttp: server.open },
    openings: { remoteConfig: true },
    log: (line) => log.push(line),
    ...options,
  });
  await describe(client);
  client.start();
  await settle();
  return { clock, server, client, log };
}

/** Stops the client, whatever its server does. */
export async function stopRig({ clock, client }: Pick<Rig, "clock" | "client">): Promise<void> {
  const stopped = client.stop();
  await clock.advance(3_000);
  await stopped;
}
