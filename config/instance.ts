/**
 * Who this installation is: a UUIDv7 kept in STATE/instance.json (opamp 3.7). A copy of the disk on another
 * machine is noticed by the machine's fingerprint, whose parts are stored apart and compared only where both
 * runs could read them, so that losing the right to read one of them never changes the identity.
 * @module
 */
import { recordOf } from "./json_record.ts";
import { formatUid } from "./opamp_identity.ts";
import { replaceFile } from "./state_dir.ts";

/** What tells one machine from another, before hashing; absent where it cannot be read. */
export interface MachineParts {
  readonly machineId?: string | undefined;
  readonly productUuid?: string | undefined;
}

/** SHA-256 of each part, hex. */
export interface Fingerprint {
  readonly machineId?: string;
  readonly productUuid?: string;
}

export interface Instance {
  readonly uid: string;
  /** RFC 3339. */
  readonly created: string;
  readonly fingerprint: Fingerprint;
}

/** An instance with what was noticed on the way, fit for one log line each. */
export interface OpenedInstance {
  readonly instance: Instance;
  readonly notes: readonly string[];
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A UUIDv7 (RFC 9562 section 5.7) from a time in milliseconds and ten random bytes. */
export function uuidv7(timeMs: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(timeMs) << 16n);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return formatUid(bytes);
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

/** Hashes the parts that could be read. */
export async function fingerprintOf(parts: MachineParts): Promise<Fingerprint> {
  return {
    ...(parts.machineId === undefined ? {} : { machineId: await sha256(parts.machineId) }),
    ...(parts.productUuid === undefined ? {} : { productUuid: await sha256(parts.productUuid) }),
  };
}

/** True when a part known to both differs. */
export function isOtherMachine(stored: Fingerprint, now: Fingerprint): boolean {
  const differs = (a: string | undefined, b: string | undefined) =>
    a !== undefined && b !== undefined && a !== b;
  return differs(stored.machineId, now.machineId) || differs(stored.productUuid, now.productUuid);
}

/** Reads instance.json's text. Throws `SyntaxError` when it is not one. */
export function parseInstance(text: string): Instance {
  const value: unknown = JSON.parse(text);
  const { uid, created, fingerprint } = recordOf(value);
  if (typeof uid !== "string" || !UUID.test(uid)) {
    throw new SyntaxError(`Cannot use instance.json: uid is ${JSON.stringify(uid)}, expected a UUID`);
  }
  const { machineId, productUuid } = recordOf(fingerprint);
  return {
    uid,
    created: typeof created === "string" ? created : "",
    fingerprint: {
      ...(typeof machineId === "string" ? { machineId } : {}),
      ...(typeof productUuid === "string" ? { productUuid } : {}),
    },
  };
}

function firstLine(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The parts of this machine's fingerprint that this process may read. */
export function machineParts(): MachineParts {
  return {
    machineId: firstLine("/etc/machine-id") ?? firstLine("/var/lib/dbus/machine-id"),
    productUuid: firstLine("/sys/class/dmi/id/product_uuid"),
  };
}

/** Replaces the identity by one that a server assigned; the rest of instance.json stays. Throws when it cannot. */
export function storeUid(stateDir: string, uid: string): void {
  const path = `${stateDir}/instance.json`;
  const instance: Instance = { ...parseInstance(Deno.readTextFileSync(path)), uid };
  replaceFile(path, JSON.stringify(instance, undefined, 2) + "\n");
}

function readStored(path: string, notes: string[]): Instance | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) notes.push(`instance.json unreadable: ${String(error)}`);
    return undefined;
  }
  try {
    return parseInstance(text);
  } catch {
    Deno.renameSync(path, `${path}.bad`);
    notes.push("instance.json was damaged: set aside as instance.json.bad, new identity made");
    return undefined;
  }
}

/**
 * The installation's identity: the stored one, or a new one that is then stored. Without a state directory the
 * identity lives as long as the process.
 */
export async function openInstance(stateDir: string | undefined, parts: MachineParts, now: {
  readonly timeMs: number;
  readonly random: Uint8Array;
}): Promise<OpenedInstance> {
  const notes: string[] = [];
  const path = stateDir === undefined ? undefined : `${stateDir}/instance.json`;
  const fingerprint = await fingerprintOf(parts);
  const stored = path === undefined ? undefined : readStored(path, notes);
  const isClone = stored !== undefined && isOtherMachine(stored.fingerprint, fingerprint);
  if (isClone) notes.push("instance.json belongs to another machine (cloned disk): new identity made");
  const kept = isClone ? undefined : stored;
  const instance: Instance = {
    uid: kept?.uid ?? uuidv7(now.timeMs, now.random),
    created: kept?.created ?? new Date(now.timeMs).toISOString(),
    fingerprint: { ...kept?.fingerprint, ...fingerprint },
  };
  if (path !== undefined && JSON.stringify(instance) !== JSON.stringify(stored)) {
    try {
      replaceFile(path, JSON.stringify(instance, undefined, 2) + "\n");
    } catch (error) {
      notes.push(`instance.json cannot be written: ${String(error)}`);
    }
  }
  return { instance, notes };
}
