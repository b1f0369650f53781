/**
 * The ledger's state as it is kept between two lives of the process, and its reading back. A damaged entry is left
 * out: its series then starts as any other.
 * @module
 */
import { valueFromJson } from "./series_key.ts";

/** JSON form; integers beyond 2^53 and nanoseconds are decimal text. */
export interface SavedLedger {
  readonly bootId: string;
  readonly counts: readonly {
    readonly key: string;
    readonly identity?: string;
    readonly raw: number | string;
    readonly value: number | string;
    readonly wraps: number;
    readonly startNs?: string;
  }[];
}

/** One count read back. */
export interface SavedCount {
  readonly identity: string | undefined;
  readonly raw: number | bigint;
  readonly value: number | bigint;
  readonly wraps: number;
  readonly startNs: bigint | undefined;
}

/** Series that ended in this life, by key. */
export type EndedSeries = Map<string, { readonly identity: string | undefined }>;

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/** Nanoseconds in decimal; undefined for anything else. */
export function nanoseconds(json: unknown): bigint | undefined {
  return typeof json === "string" && /^\d{1,19}$/.test(json) ? BigInt(json) : undefined;
}

/** Counts by key; none when the state is of another boot or no state at all. */
export function readLedger(json: unknown, bootId: string | undefined): Map<string, SavedCount> {
  const found = new Map<string, SavedCount>();
  if (bootId === undefined || !isObject(json) || json["bootId"] !== bootId) return found;
  const { counts } = json;
  for (const count of Array.isArray(counts) ? counts : []) {
    const saved = isObject(count) ? readCount(count) : undefined;
    if (saved !== undefined) found.set(saved.key, saved);
  }
  return found;
}

function readCount(json: Record<string, unknown>): (SavedCount & { readonly key: string }) | undefined {
  const { key, identity, wraps } = json;
  const [raw, value] = [valueFromJson(json["raw"]), valueFromJson(json["value"])];
  const startNs = nanoseconds(json["startNs"]);
  if (typeof key !== "string" || raw === undefined || value === undefined) return undefined;
  if (typeof wraps !== "number" || !Number.isSafeInteger(wraps) || wraps < 0) return undefined;
  if (json["startNs"] !== undefined && startNs === undefined) return undefined;
  return { key, identity: typeof identity === "string" ? identity : undefined, raw, value, wraps, startNs };
}
