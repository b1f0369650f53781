/**
 * What every key is worth and where that comes from, for `config print`. Secrets are masked here, once, so that no
 * printer can forget to.
 * @module
 */
import type { Destination } from "./destination.ts";
import type { Key } from "./key.ts";
import { KEYS, variableName } from "./keys.ts";
import { RESOURCE_ATTRIBUTES } from "./keys_what.ts";
import { ENDPOINT, PRESET } from "./keys_where.ts";
import { presetUrl } from "./destination.ts";
import type { Resolution } from "./resolution.ts";
import { mergeAttributes } from "./settings.ts";

/** One line of `config print`. */
export interface Effective {
  /** The variable's name, the destination's inside it. */
  readonly name: string;
  /** Absent: unset. Secrets: `****`. */
  readonly value?: string;
  /** flag, env, FILE:LINE, credential, remote, preset NAME or default. */
  readonly origin: string;
}

export const MASK = "****";

/** What the row itself decides about the destination. */
function fromRow(key: Key<unknown>, destination: Destination, resolution: Resolution): string | undefined {
  if (key === PRESET) return destination.preset.name;
  return key === ENDPOINT ? presetUrl(destination, resolution) : undefined;
}

function describeOne(
  key: Key<unknown>,
  destination: Destination | undefined,
  resolution: Resolution,
): Effective {
  const scope = destination === undefined ? {} : { destination: destination.name };
  const name = variableName(key, destination?.name);
  const winner = resolution.winner(key, scope) ?? resolution.winner(key, { ...scope, signal: "metrics" });
  if (winner !== undefined) {
    const text = key === RESOURCE_ATTRIBUTES ? attributesText(resolution) : winner.text;
    return { name, value: key.secret ? MASK : text, origin: winner.origin };
  }
  const row = destination === undefined ? undefined : fromRow(key, destination, resolution);
  if (row !== undefined) {
    const origin = key === PRESET ? "default" : `preset ${destination?.preset.name}`;
    return { name, value: row, origin };
  }
  return { name, ...(key.default === undefined ? {} : { value: key.default }), origin: "default" };
}

function attributesText(resolution: Resolution): string {
  return Object.entries(mergeAttributes(resolution))
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join(",");
}

/** Every key once, and keys of destinations once per destination. */
export function describe(resolution: Resolution, destinations: readonly Destination[]): readonly Effective[] {
  const named = destinations.filter(({ name }) => name !== "default");
  const unnamed = destinations.find(({ name }) => name === "default");
  const own = KEYS.map((key) => describeOne(key, key.group === undefined ? undefined : unnamed, resolution));
  const grouped = KEYS.filter((key) => key.group !== undefined);
  return [...own, ...named.flatMap((each) => grouped.map((key) => describeOne(key, each, resolution)))];
}
