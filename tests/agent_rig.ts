/**
 * A running agent for tests of the verbs that ask it: sonde as a process beside a fault server, with its own folders.
 * @module
 */
import { type Behaviour, ok } from "./fault_behaviours.ts";
import { FaultServer } from "./fault_server.ts";
import { inFolder, Program, type ProgramOptions } from "./program.ts";

/** What a test is given. */
export interface AgentRig {
  readonly folder: string;
  readonly server: FaultServer;
  readonly agent: Program;
}

/** What is different about the agent. */
export interface RigOptions extends ProgramOptions {
  readonly args?: readonly string[];
  readonly otherwise?: Behaviour;
  /** Written to FOLDER/sonde.env, which the agent is started with; `{url}` is the server's address. */
  readonly file?: string;
}

/** Runs a test against an agent that has delivered once, and ends the agent. */
export async function withAgent(options: RigOptions, test: (rig: AgentRig) => Promise<void>): Promise<void> {
  const { args = [], otherwise = ok, file, ...program } = options;
  await using server = new FaultServer(otherwise);
  await inFolder(async (folder) => {
    const path = `${folder}/sonde.env`;
    const text = file ?? "SONDE_ENDPOINT={url}\nSONDE_INTERVAL=300ms\n";
    Deno.writeTextFileSync(path, text.replaceAll("{url}", server.url), { mode: 0o600 });
    await using agent = new Program(folder, ["run", "-c", path, ...args], program);
    await server.waitFor(1);
    await test({ folder, server, agent });
  });
}
