/**
 * JSON from elsewhere, before anything is believed about it.
 * @module
 */

/** True for an object with members; not for a list or null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
