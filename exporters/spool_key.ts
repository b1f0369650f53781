/**
 * Whose data a spool folder holds: destination, preset, origin and path, never a key or a query. Data of another
 * endpoint stays where it is: it may belong to another tenant (otlp 4.5 "Endpoint changed").
 * @module
 */
import type { Signal } from "./batch.ts";
import type { LaneConfig } from "./lane_config.ts";

/** What a folder's name is made from, and what `destination.json` in it says. */
export interface DestinationKey {
  readonly destination: string;
  readonly preset: string;
  readonly origin: string;
  /** Without OTLP's signal part, so that the signals of one destination share a folder. */
  readonly path: string;
}

/** One lane's folder. */
export interface SpoolPlace {
  readonly folder: string;
  readonly destination: string;
  readonly signal: Signal;
  /** CRC of the lane's key, in every segment's header. */
  readonly lane: number;
}

/** What a lane's folder depends on. */
export type SpoolLaneKey = Pick<LaneConfig, "destination" | "signal" | "preset" | "url">;

/** A lane whose folder is the one that this key's hash names. */
export function laneOfKey(
  { destination, preset, origin, path }: DestinationKey,
  signal: Signal,
): SpoolLaneKey {
  return { destination, signal, preset, url: `${origin}${path === "/" ? "" : path}/v1/${signal}` };
}

/** Whoever holds its lock owns the spool. */
export const LOCK_FILE = "spool.lock";
export const DESTINATION_FILE = "destination.json";
const HASH_CHARS = 16;

export function destinationKey({ destination, preset, url }: SpoolLaneKey): DestinationKey {
  const { origin, pathname } = new URL(url);
  return { destination, preset, origin, path: pathname.replace(/\/v1\/(metrics|logs|traces)$/, "") || "/" };
}

/** The folder's name: the first 16 hex digits of SHA-256. */
export async function destinationHash(key: DestinationKey): Promise<string> {
  const text = [key.destination, key.preset, key.origin, key.path].join("\n");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return digest.toHex().slice(0, HASH_CHARS);
}

/** Reads `destination.json`; undefined when it is none of ours. */
export function parseDestinationKey(text: string): DestinationKey | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const read = (name: string): string => {
    const value: unknown = typeof parsed === "object" && parsed !== null
      ? Reflect.get(parsed, name)
      : undefined;
    return typeof value === "string" ? value : "";
  };
  const destination = read("destination");
  if (destination === "") return undefined;
  return { destination, preset: read("preset"), origin: read("origin"), path: read("path") };
}
