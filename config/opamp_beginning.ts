/**
 * What an OpAMP client begins with: its options complete, what it remembers as far as today's policy allows it, and
 * the engine's first state.
 * @module
 */
import { ConnectionSettingsStatuses as Status } from "../proto_gen/opamp/opamp_pb.ts";
import { capabilitiesOf } from "./opamp_bits.ts";
import { parseUid } from "./opamp_identity.ts";
import { allowedMemory, rememberedOffer } from "./opamp_memory.ts";
import type { OfferPolicy } from "./opamp_offer.ts";
import { type ClientOptions, DEFAULTS, type FullOptions, opampEndpoint } from "./opamp_options.ts";
import { withField } from "./opamp_report.ts";
import { type EngineState, initialState } from "./opamp_state.ts";
import { settingsStatus } from "./opamp_trial.ts";

function policyOf({ endpoint, openings = {}, allowedOrigins = [], remember }: FullOptions): OfferPolicy {
  return {
    mode: openings.connectionSettings ?? "none",
    ...{ endpoint, allowedOrigins, ownTelemetry: openings.ownTelemetry ?? [] },
    canPersist: remember !== undefined,
  };
}

/** Options with defaults, and a memory that the policy allows. Throws TypeError on an endpoint OpAMP cannot use. */
export function beginWith(options: ClientOptions): FullOptions {
  const full: FullOptions = { ...DEFAULTS, ...options, endpoint: opampEndpoint(options.endpoint) };
  const { memory } = full;
  return memory === undefined ? full : { ...full, memory: allowedMemory(memory, policyOf(full)) };
}

/** The engine before its first event. Throws SyntaxError on an instance id that is none. */
export function firstState(options: FullOptions): EngineState {
  const { endpoint, openings = {}, memory = {}, clock } = options;
  const applied = memory.applied === undefined ? undefined : Uint8Array.fromHex(memory.applied);
  const state = initialState({
    transport: /^ws/i.test(endpoint) ? "websocket" : "http",
    ...{ capabilities: capabilitiesOf(openings), intervalMs: options.intervalMs, policy: policyOf(options) },
  }, {
    uid: parseUid(options.instanceUid),
    now: clock.mono(),
    requestsUid: options.requestsInstanceUid ?? false,
    intervalMs: memory.intervalMs,
    trial: memory.candidate && rememberedOffer(memory.candidate),
    applied,
  });
  if (applied === undefined || state.trial !== undefined) return state;
  const said = settingsStatus(applied, Status.ConnectionSettingsStatuses_APPLIED);
  return { ...state, fields: withField(state.fields, said) };
}
