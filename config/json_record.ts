/**
 * Objects in JSON that somebody else wrote, or a disk has damaged, before anything is believed about them.
 * @module
 */

/** True for an object with members; not for a list or null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The members of an object; of anything else none. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
