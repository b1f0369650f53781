/**
 * Giving up every permission: revoked kind by kind, then asserted. Afterwards this isolate can only use what it
 * already holds: open files, the calls into libc, the control socket and its workers' ports.
 * @module
 */

const KINDS = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const;

function stateOf(name: typeof KINDS[number]): Deno.PermissionState {
  return Deno.permissions.querySync({ name }).state;
}

/** Permission kinds that are not granted in full. /proc opens only when this is empty (deno fact D1). */
export function missingPermissions(): string[] {
  return KINDS.filter((name) => stateOf(name) !== "granted");
}

/** Permission kinds this isolate still holds. */
export function heldPermissions(): string[] {
  return KINDS.filter((name) => stateOf(name) === "granted");
}

/** Revokes all eight kinds. Throws when one of them is still held. */
export function dropPermissions(): void {
  for (const name of KINDS) Deno.permissions.revokeSync({ name });
  const held = heldPermissions();
  if (held.length > 0) {
    throw new Error(`BUG: permissions ${held.join(", ")} are still held after revoking them`);
  }
}

/** Revokes every kind but these, for a verb that cannot do without them. */
export function dropAllBut(...kept: readonly (typeof KINDS[number])[]): void {
  for (const name of KINDS) if (!kept.includes(name)) Deno.permissions.revokeSync({ name });
}
