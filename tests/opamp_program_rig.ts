/**
 * sonde's own process between a backend and opamp-go's server, and what the server has seen of it.
 * @module
 */
import { ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { firstRecord, type Fits } from "./opamp_records.ts";
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
export function seen(server: OpampServer, fits: Fits, skip = 0): Promise<OpampRecord> {
  return firstRecord(server, fits, { skip, withinMs: 20_000 });
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
