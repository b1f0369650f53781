/**
 * Plain values to OpAMP's own messages: attributes, health, components, configuration files (opamp 1.7).
 * @module
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type KeyValue, KeyValueSchema } from "../proto_gen/opamp/anyvalue_pb.ts";
import {
  type AgentDescription,
  AgentDescriptionSchema,
  type AvailableComponents,
  AvailableComponentsSchema,
  type ComponentHealth,
  ComponentHealthSchema,
  type EffectiveConfig,
  EffectiveConfigSchema,
  type RemoteConfigStatus,
  RemoteConfigStatuses,
  RemoteConfigStatusSchema,
} from "../proto_gen/opamp/opamp_pb.ts";

/** Value of an attribute: text, truth, 64-bit integer, number, bytes, or lists and maps of them. */
export type AttributeValue =
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type Attributes = Readonly<Record<string, AttributeValue>>;

type AnyValueInit = NonNullable<MessageInitShape<typeof KeyValueSchema>["value"]>;

function anyValue(value: AttributeValue): AnyValueInit {
  if (typeof value === "string") return { value: { case: "stringValue", value } };
  if (typeof value === "boolean") return { value: { case: "boolValue", value } };
  if (typeof value === "bigint") return { value: { case: "intValue", value } };
  if (typeof value === "number") {
    return Number.isSafeInteger(value)
      ? { value: { case: "intValue", value: BigInt(value) } }
      : { value: { case: "doubleValue", value } };
  }
  if (value instanceof Uint8Array) return { value: { case: "bytesValue", value: new Uint8Array(value) } };
  if (isList(value)) return { value: { case: "arrayValue", value: { values: value.map(anyValue) } } };
  const values = Object.entries(value).map(([key, each]) => ({ key, value: anyValue(each) }));
  return { value: { case: "kvlistValue", value: { values } } };
}

function isList(value: AttributeValue): value is readonly AttributeValue[] {
  return Array.isArray(value);
}

/** Attributes in the order given. */
export function keyValues(attributes: Attributes): KeyValue[] {
  return Object.entries(attributes).map(([key, value]) =>
    create(KeyValueSchema, { key, value: anyValue(value) })
  );
}

/** Who an agent is: what makes its telemetry unique, and what else is known of it. */
export function describeAgent(identifying: Attributes, other: Attributes = {}): AgentDescription {
  return create(AgentDescriptionSchema, {
    identifyingAttributes: keyValues(identifying),
    nonIdentifyingAttributes: keyValues(other),
  });
}

/** Health of an agent or of one of its components. */
export interface Health {
  readonly healthy: boolean;
  /** A word of ours, such as "running" or "probation". */
  readonly status?: string;
  readonly lastError?: string;
  /** Milliseconds since 1970. */
  readonly startTimeMs?: number;
  readonly statusTimeMs?: number;
  readonly components?: Readonly<Record<string, Health>>;
}

const NANOS_PER_MS = 1_000_000n;

function nanos(ms: number | undefined): bigint {
  return ms === undefined ? 0n : BigInt(Math.trunc(ms)) * NANOS_PER_MS;
}

/** Health as a message; an agent that is not running has no start time. */
export function describeHealth(health: Health): ComponentHealth {
  const components = Object.entries(health.components ?? {});
  return create(ComponentHealthSchema, {
    healthy: health.healthy,
    status: health.status ?? "",
    lastError: health.lastError ?? "",
    startTimeUnixNano: nanos(health.startTimeMs),
    statusTimeUnixNano: nanos(health.statusTimeMs),
    componentHealthMap: Object.fromEntries(components.map(([name, each]) => [name, describeHealth(each)])),
  });
}

/** A configuration file as OpAMP carries it. */
export interface ConfigFile {
  readonly body: Uint8Array;
  /** MIME type; "" when unknown. */
  readonly contentType: string;
}

/** What the agent runs with; a single file is usually named "". */
export function effectiveConfigOf(files: Readonly<Record<string, ConfigFile>>): EffectiveConfig {
  const configMap = Object.fromEntries(
    Object.entries(files).map(([name, { body, contentType }]) => [
      name,
      { body: new Uint8Array(body), contentType },
    ]),
  );
  return create(EffectiveConfigSchema, { configMap: { configMap } });
}

const STATUSES: Readonly<Record<"unset" | "applied" | "applying" | "failed", RemoteConfigStatuses>> = {
  unset: RemoteConfigStatuses.RemoteConfigStatuses_UNSET,
  applied: RemoteConfigStatuses.RemoteConfigStatuses_APPLIED,
  applying: RemoteConfigStatuses.RemoteConfigStatuses_APPLYING,
  failed: RemoteConfigStatuses.RemoteConfigStatuses_FAILED,
};

/** Where the configuration with this hash stands; `error` says why it failed. */
export function remoteStatusOf(
  hash: Uint8Array,
  state: "unset" | "applied" | "applying" | "failed",
  error = "",
): RemoteConfigStatus {
  return create(RemoteConfigStatusSchema, {
    lastRemoteConfigHash: new Uint8Array(hash),
    status: STATUSES[state],
    errorMessage: error,
  });
}

/** Components compiled in, by name, with a version; the hash is over the sorted names and versions. */
export async function describeComponents(
  versions: Readonly<Record<string, string>>,
): Promise<AvailableComponents> {
  const sorted = Object.entries(versions).sort(([a], [b]) => a < b ? -1 : 1);
  const text = new TextEncoder().encode(JSON.stringify(sorted));
  return create(AvailableComponentsSchema, {
    hash: new Uint8Array(await crypto.subtle.digest("SHA-256", text)),
    components: Object.fromEntries(
      sorted.map(([name, version]) => [name, { metadata: keyValues({ version }) }]),
    ),
  });
}
