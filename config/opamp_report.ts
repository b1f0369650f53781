/**
 * Builds AgentToServer messages: full, changed fields only, heartbeat, disconnect (opamp 1.4, 1.8). A field goes out
 * while its encoded form differs from what the server last took, and only to a server that wants it.
 * @module
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { createHash } from "node:crypto";
import {
  AgentDescriptionSchema,
  AgentDisconnectSchema,
  type AgentToServer,
  AgentToServerSchema,
  type AvailableComponents,
  AvailableComponentsSchema,
  ComponentHealthSchema,
  ConnectionSettingsStatusSchema,
  type EffectiveConfig,
  EffectiveConfigSchema,
  RemoteConfigStatusSchema,
} from "../proto_gen/opamp/opamp_pb.ts";
import { AgentBit, REQUEST_INSTANCE_UID, ServerBit } from "./opamp_bits.ts";
import type { EngineState, Field, FieldEvent, FieldName, Fields, Outgoing } from "./opamp_state.ts";
import { effectiveConfigOf } from "./opamp_values.ts";

const NAMES: readonly FieldName[] = [
  "description",
  "health",
  "effectiveConfig",
  "remoteConfigStatus",
  "components",
  "settingsStatus",
];

/** The capability without which a field is never sent. */
const NEEDED: Readonly<Record<FieldName, bigint>> = {
  description: AgentBit.reportsStatus,
  health: AgentBit.reportsHealth,
  effectiveConfig: AgentBit.reportsEffectiveConfig,
  remoteConfigStatus: AgentBit.reportsRemoteConfig,
  components: AgentBit.reportsAvailableComponents,
  settingsStatus: AgentBit.reportsConnectionSettingsStatus,
};

/** True when both hold the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function contentOf(event: FieldEvent): Uint8Array {
  switch (event.name) {
    case "description":
      return toBinary(AgentDescriptionSchema, event.value);
    case "health":
      return toBinary(ComponentHealthSchema, event.value);
    case "effectiveConfig":
      return toBinary(EffectiveConfigSchema, event.value);
    case "remoteConfigStatus":
      return toBinary(RemoteConfigStatusSchema, event.value);
    case "components":
      return toBinary(AvailableComponentsSchema, event.value);
    case "settingsStatus":
      return toBinary(ConnectionSettingsStatusSchema, event.value);
  }
}

/** The fields with one of them replaced; what the server has of it stays known. */
export function withField(fields: Fields, event: FieldEvent): Fields {
  const content = contentOf(event);
  const { acked } = fields[event.name] ?? {};
  return { ...fields, [event.name]: { value: event.value, content, ...(acked && { acked }) } };
}

/** The fields with the server's copies of some replaced; undefined: it has none. */
export function withAcked(
  fields: Fields,
  acked: Readonly<Partial<Record<FieldName, Uint8Array | undefined>>>,
): Fields {
  const next: { -readonly [N in FieldName]?: Field<never> } = {};
  const entries = NAMES.map((name) => {
    const field = fields[name];
    if (field === undefined || !(name in acked)) return [name, field];
    const { acked: _, ...rest } = field;
    const content = acked[name];
    return [name, content === undefined ? rest : { ...rest, acked: content }];
  });
  return Object.assign(next, Object.fromEntries(entries.filter(([, field]) => field !== undefined)));
}

/** True when agent and server both handle the field. Unknown server bits count as all of them. */
function isWanted(state: EngineState, name: FieldName): boolean {
  if ((state.config.capabilities & NEEDED[name]) === 0n) return false;
  if (name !== "effectiveConfig" || state.serverBits === 0n) return true;
  return (state.serverBits & ServerBit.acceptsEffectiveConfig) !== 0n;
}

function isDirty(field: Field<unknown>): boolean {
  return field.acked === undefined || !sameBytes(field.acked, field.content);
}

/** Names of the fields that differ from what the server has. */
export function dirtyFields(state: EngineState): FieldName[] {
  return NAMES.filter((name) => {
    const field = state.fields[name];
    return field !== undefined && isWanted(state, name) && isDirty(field);
  });
}

/** A configuration too large to send, by its hash. */
function stub(config: EffectiveConfig): EffectiveConfig {
  const sha256 = createHash("sha256").update(toBinary(EffectiveConfigSchema, config)).digest("hex");
  const body = new TextEncoder().encode(JSON.stringify({ truncated: true, sha256 }));
  return effectiveConfigOf({ "": { body, contentType: "application/json" } });
}

/** The components' hash alone: the map is sent only when asked for. */
function hashOnly(components: AvailableComponents): AvailableComponents {
  return create(AvailableComponentsSchema, { hash: components.hash });
}

function bare(state: EngineState, sequence: bigint): AgentToServer {
  return create(AgentToServerSchema, {
    instanceUid: new Uint8Array(state.uid),
    sequenceNum: sequence,
    capabilities: state.config.capabilities,
    flags: state.requestsUid ? REQUEST_INSTANCE_UID : 0n,
  });
}

/** What a report holds beside the fields that changed. */
export interface ReportChoice {
  readonly full: boolean;
  readonly allComponents: boolean;
}

/** A report as a message, without a number yet, and the fields in it. */
export function reportMessage(state: EngineState, { full, allComponents }: ReportChoice): {
  readonly message: AgentToServer;
  readonly included: readonly FieldName[];
} {
  const { fields } = state;
  const included = NAMES.filter((name) => {
    const field = fields[name];
    if (field === undefined || !isWanted(state, name)) return false;
    return full || isDirty(field) || (name === "components" && allComponents);
  });
  const message = bare(state, 0n);
  const value = <N extends FieldName>(name: N) => included.includes(name) ? fields[name]?.value : undefined;
  const [description, health, status] = [value("description"), value("health"), value("remoteConfigStatus")];
  const [config, components, settings] = [
    value("effectiveConfig"),
    value("components"),
    value("settingsStatus"),
  ];
  if (description) message.agentDescription = description;
  if (health) message.health = health;
  if (config) message.effectiveConfig = state.shortened ? stub(config) : config;
  if (status) message.remoteConfigStatus = status;
  if (components) {
    message.availableComponents = allComponents && !state.shortened ? components : hashOnly(components);
  }
  if (settings) message.connectionSettingsStatus = settings;
  return { message, included };
}

/** The last message of an association. */
export function disconnectMessage(state: EngineState): AgentToServer {
  const message = bare(state, 0n);
  message.agentDisconnect = create(AgentDisconnectSchema);
  return message;
}

/** Nothing but what every message must hold. */
export function heartbeatMessage(state: EngineState): AgentToServer {
  return bare(state, 0n);
}

/** Puts a number on a message: that of an unanswered one while it would be the same bytes, else the next (A8). */
function numbered(state: EngineState, message: AgentToServer): Pick<Outgoing, "bytes" | "sequence"> {
  const encode = (sequence: bigint) => {
    message.sequenceNum = sequence;
    return { sequence, bytes: new Uint8Array(toBinary(AgentToServerSchema, message)) };
  };
  if (state.unanswered !== undefined) {
    const again = encode(state.unanswered.sequence);
    if (sameBytes(again.bytes, state.unanswered.bytes)) return again;
  }
  return encode(state.sequence + 1n);
}

/** The report that is due. */
export function makeReport(state: EngineState, choice: ReportChoice): Outgoing {
  const { message, included } = reportMessage(state, choice);
  const contents = included.map((name) => [name, state.fields[name]?.content]);
  return {
    kind: "report",
    ...numbered(state, message),
    included: Object.fromEntries(contents),
    full: choice.full,
    allComponents: choice.allComponents,
    bare: included.length === 0,
  };
}

const NOTHING = { included: {}, full: false, allComponents: false, bare: false } as const;

/** The farewell. */
export function makeDisconnect(state: EngineState): Outgoing {
  return { kind: "disconnect", ...numbered(state, disconnectMessage(state)), ...NOTHING };
}

/** A message of the library's user: identity, capabilities and number are ours to set. */
export function makeRequest(state: EngineState, message: AgentToServer): Outgoing {
  const { $typeName: _, $unknown: __, ...content } = message;
  const own = create(AgentToServerSchema, content);
  own.instanceUid = new Uint8Array(state.uid);
  own.capabilities = state.config.capabilities;
  return { kind: "request", ...numbered(state, own), ...NOTHING };
}
