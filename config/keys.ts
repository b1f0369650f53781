/**
 * The one table of keys (design 7), by area, and how a variable's name is found in it: as written, with `_FILE`
 * behind it, or with a destination's name inside it.
 * @module
 */
import type { Key } from "./key.ts";
import { BYTES_PER_DAY, LOCAL_KEYS, QUEUE_MAX, SHUTDOWN_TIMEOUT, SPOOL, SPOOL_MAX } from "./keys_local.ts";
import { REMOTE_KEYS } from "./keys_remote.ts";
import { WHAT_KEYS } from "./keys_what.ts";
import { RETRY_AFTER_MAX, RETRY_PROFILE, SPOOL_MAX_AGE, WHERE_KEYS } from "./keys_where.ts";
import { nearest } from "./nearest.ts";

/** Every key by area, in the order help and `config example` print them. */
export const AREAS: Readonly<Record<string, readonly Key<unknown>[]>> = {
  where: WHERE_KEYS,
  what: WHAT_KEYS,
  delivery: [
    RETRY_PROFILE,
    RETRY_AFTER_MAX,
    QUEUE_MAX,
    SPOOL,
    SPOOL_MAX,
    SPOOL_MAX_AGE,
    SHUTDOWN_TIMEOUT,
    BYTES_PER_DAY,
  ],
  local: LOCAL_KEYS,
  remote: REMOTE_KEYS,
};

export const KEYS: readonly Key<unknown>[] = Object.values(AREAS).flat();

const byName: ReadonlyMap<string, Key<unknown>> = new Map(KEYS.map((key) => [key.name, key]));
const PREFIX = "SONDE_";

/** `SONDE_ENV_FILE` chooses the file itself, so it cannot be a row: it is read before any layer exists. */
export const ENV_FILE = "SONDE_ENV_FILE";

/** First words of keys: a destination of that name could not be told from a key. */
export const FIRST_WORDS: ReadonlySet<string> = new Set(
  [...byName.keys(), ENV_FILE].map((name) => (name.split("_")[1] ?? "").toLowerCase()),
);

/** What a variable's name stands for. */
export interface NamedKey {
  readonly key: Key<unknown>;
  /** Set for `SONDE_<NAME>_…`, in lower case. */
  readonly destination?: string;
  /** The value is the path of a file that holds the key's value. */
  readonly isFile: boolean;
}

function plain(name: string): Omit<NamedKey, "destination"> | undefined {
  const key = byName.get(name);
  if (key !== undefined) return { key, isFile: false };
  const held = name.endsWith("_FILE") ? byName.get(name.slice(0, -"_FILE".length)) : undefined;
  return held === undefined ? undefined : { key: held, isFile: true };
}

/** The row a variable's name means, or undefined. Destinations are the names declared in `SONDE_DESTINATIONS`. */
export function keyNamed(name: string, destinations: readonly string[] = []): NamedKey | undefined {
  const own = plain(name);
  if (own !== undefined) return own;
  for (const destination of destinations) {
    const prefix = `${PREFIX}${destination.toUpperCase()}_`;
    if (destination === "default" || !name.startsWith(prefix)) continue;
    const named = plain(PREFIX + name.slice(prefix.length));
    if (named?.key.group !== undefined) return { ...named, destination };
  }
  return undefined;
}

/** The variable's name of a key for one destination; "default" is the unnamed one. */
export function variableName(key: Key<unknown>, destination = "default"): string {
  if (destination === "default") return key.name;
  return `${PREFIX}${destination.toUpperCase()}_${key.name.slice(PREFIX.length)}`;
}

/** What an unknown name should probably have been, as the next step of a finding. */
export function suggestKey(name: string, destinations: readonly string[] = []): string {
  const [, first = "", rest = ""] = /^SONDE_([A-Z0-9]+)_(.+)$/.exec(name) ?? [];
  const undeclared = first.toLowerCase();
  const isGroupKey = plain(PREFIX + rest)?.key.group !== undefined;
  if (isGroupKey && !FIRST_WORDS.has(undeclared) && !destinations.includes(undeclared)) {
    return `Did you mean ${PREFIX}${rest}? For a destination "${undeclared}", add it to SONDE_DESTINATIONS`;
  }
  const names = [
    ...byName.keys(),
    ENV_FILE,
    ...destinations.flatMap((destination) =>
      KEYS.filter((key) => key.group !== undefined).map((key) => variableName(key, destination))
    ),
  ];
  return `Did you mean ${nearest(name, names)}?`;
}
