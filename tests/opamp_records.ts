/**
 * What opamp-go's server has seen of an agent: conditions on its records, and waiting for one that fits.
 * @module
 */
import { sleep } from "../exporters/clock.ts";
import type { OpampRecord, OpampServer } from "./peers/opamp.ts";

/** A condition on a record. */
export type Fits = (record: OpampRecord) => boolean;

/** The first record that fits, among those after the first `skip`; they are asked for until there is one. */
export async function firstRecord(
  server: OpampServer,
  fits: Fits,
  { skip = 0, withinMs }: { readonly skip?: number; readonly withinMs: number },
): Promise<OpampRecord> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const found = (await server.messages()).slice(skip).find(fits);
    if (found !== undefined) return found;
    await sleep(25);
  }
  throw new Error(`Cannot find the record: ${JSON.stringify((await server.messages()).slice(skip))}`);
}

/** Holds records that have all these fields. */
export function has(...fields: readonly string[]): Fits {
  return ({ message }) => fields.every((field) => message[field] !== undefined);
}

/** The status of remote configuration in a record; empty when it has none. */
export function statusOf({ message }: OpampRecord): { status?: string; errorMessage?: string } {
  return { ...Object(message["remoteConfigStatus"]) };
}

/** Holds records with this status of remote configuration. */
export function isStatus(status: string): Fits {
  return (record) => statusOf(record).status === `RemoteConfigStatuses_${status}`;
}

/** The status of offered connections in a record, without its prefix; empty when it has none. */
export function settingsOf({ message }: OpampRecord): string {
  const { status = "" }: { status?: string } = { ...Object(message["connectionSettingsStatus"]) };
  return status.replace("ConnectionSettingsStatuses_", "");
}

/** Holds records with this status of offered connections. */
export function isSettings(status: string): Fits {
  return (record) => settingsOf(record) === status;
}
