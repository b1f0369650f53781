/**
 * The door of sonde's OpAMP library: a client for any OpAMP server over HTTP or WebSocket, with callbacks, builders
 * for its messages, and remote configuration decoded. It needs net permission for its server and nothing else;
 * WebSocket and YAML also read the environment names of `OPAMP_ENVIRONMENT`.
 * @module
 */
import { type Clock, sleep } from "../exporters/clock.ts";
import { OpampClient } from "./opamp_client.ts";
import type { ClientOptions } from "./opamp_options.ts";

export {
  type AgentToServer,
  type RemoteConfigStatus,
  RemoteConfigStatuses,
} from "../proto_gen/opamp/opamp_pb.ts";
export { capabilitiesOf, type Openings } from "./opamp_bits.ts";
export { OpampClient, OpampSendError } from "./opamp_client.ts";
export { OPAMP_ENVIRONMENT } from "./opamp_environment.ts";
export type { HttpDoor, OpenHttp } from "./opamp_fetch.ts";
export type { Credentials } from "./opamp_link.ts";
export type { LinkMemory, RememberedOffer } from "./opamp_memory.ts";
export type { TelemetryOffer } from "./opamp_offer.ts";
export type {
  Callbacks,
  ClientLog,
  ClientOptions,
  ClientStatus,
  MessageData,
  SettingsReport,
} from "./opamp_options.ts";
export {
  type Attributes,
  type AttributeValue,
  type ConfigFile,
  describeAgent,
  describeComponents,
  describeHealth,
  effectiveConfigOf,
  type Health,
  remoteStatusOf,
} from "./opamp_values.ts";
export type { Failure } from "./opamp_wait.ts";
export { decodeRemoteConfig, mergeRemoteConfig, type RemoteValues } from "./remote_parse.ts";
export type { Clock };

// A library's door is where its user's program gets time and chance from.
const systemClock: Clock = { wall: Date.now, mono: () => performance.now(), random: Math.random, sleep };

/**
 * A client, not yet started. Throws TypeError or SyntaxError when endpoint or instance id cannot be used.
 *
 * @example Report to a server, take a configuration from it, and say that it is in use
 * ```ts
 * import { describeAgent, mergeRemoteConfig, openClient, remoteStatusOf } from "./opamp.ts";
 *
 * const client = openClient({
 *   endpoint: "http://127.0.0.1:4320/v1/opamp",
 *   instanceUid: "01890a5d-ac96-774b-bcce-b302099a8057",
 *   openings: { remoteConfig: true },
 *   callbacks: {
 *     async onRemoteConfig(client, { configHash, config }) {
 *       if (config === undefined) return;
 *       const values = await mergeRemoteConfig(config);
 *       client.setRemoteConfigStatus(remoteStatusOf(configHash, Object.keys(values).length > 0 ? "applied" : "failed"));
 *     },
 *   },
 * });
 * client.setDescription(describeAgent({ "service.name": "example" }));
 * client.start();
 * await client.stop();
 * ```
 *
 * @example Send one message on demand, with attempts of its own
 * ```ts
 * import { openClient, OpampSendError } from "./opamp.ts";
 *
 * const client = openClient({
 *   endpoint: "http://127.0.0.1:1/v1/opamp",
 *   instanceUid: "01890a5d-ac96-774b-bcce-b302099a8057",
 *   // Stands for a network without a server.
 *   openHttp: () => ({ fetch: () => Promise.reject(new TypeError("refused")), close() {}, used: false }),
 * });
 * client.start();
 * const failed = await client.send(client.heartbeatMessage(), { attempts: 1 }).catch((error) => error);
 * if (!(failed instanceof OpampSendError)) throw new Error("Cannot be: nobody listens there");
 * await client.stop();
 * ```
 */
export function openClient(options: Omit<ClientOptions, "clock"> & { readonly clock?: Clock }): OpampClient {
  return new OpampClient({ clock: systemClock, ...options });
}
