/**
 * sonde's own process between a backend and opamp-go's server, and what the server has seen of it.
 * @module
 */
import { sleep } from "../exporters/clock.ts";
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { type OpampRecord, type OpampServer, startOpamp } from "./peers/opamp.ts";
import { inFolder, type ProgramOptions } from "./program.ts";

/** Everything around one agent. */
export interface Rig {
  readonly server: OpampServer;
  readonly backend: FaultServer;
  readonly folder: string;
  readonly options: ProgramOptions;
}

/** Runs with a backend that takes everything and a server of this transport; probation and polls are short. */
export async function withRig(transport: "http" | "ws", run: (rig: Rig) => Promise<void>): Promise<void> {
  await using backend = new FaultServer(ok);
  const server = await startOpamp();
  try {
    await inFolder(async (folder) => {
      const env = {
        SONDE_ENDPOINT: backend.url,
        SONDE_OPAMP_ENDPOINT: server.endpoint.replace("http:", `${transport}:`),
        SONDE_OPAMP_ACCEPT_REMOTE_CONFIG: "true",
        SONDE_OPAMP_PROBATION: "1s",
        SONDE_OPAMP_POLL_INTERVAL: "1s",
      };
      await run({ server, backend, folder, options: { env } });
    });
  } finally {
    await server.stop();
  }
}

/** The first record that fits, among those after the first `skip`. */
export async function seen(
  server: OpampServer,
  fits: (record: OpampRecord) => boolean,
  skip = 0,
): Promise<OpampRecord> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const found = (await server.messages()).slice(skip).find(fits);
    if (found !== undefined) return found;
    await sleep(25);
  }
  throw new Error(`Cannot find the record: ${JSON.stringify((await server.messages()).slice(skip))}`);
}

/** Holds records that have all these fields. */
export function has(...fields: string[]): (record: OpampRecord) => boolean {
  return ({ message }) => fields.every((field) => message[field] !== undefined);
}

/** The status of remote configuration in a record; empty when it has none. */
export function statusOf({ message }: OpampRecord): { status?: string; errorMessage?: string } {
  return { ...Object(message["remoteConfigStatus"]) };
}

/** Holds records with this status of remote configuration. */
export function isStatus(status: string): (record: OpampRecord) => boolean {
  return (record) => statusOf(record).status === `RemoteConfigStatuses_${status}`;
}

/** The effective configuration in a record that has one. */
export function effectiveOf({ message }: OpampRecord): Record<string, string> {
  const { configMap } = { ...Object(message["effectiveConfig"]) };
  return JSON.parse(atob(configMap.configMap[""].body));
}

/** A nameless file of these values. */
export function json(values: unknown): Record<string, { body: string; contentType: string }> {
  return { "": { body: JSON.stringify(values), contentType: "application/json" } };
}
