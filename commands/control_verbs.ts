/**
 * What a running agent answers on its control socket.
 * @module
 */
import type { Log } from "../config/log.ts";
import type { Agent } from "./agent.ts";
import { type ControlRequest, ControlServer, listenControl } from "./control.ts";
import { inspect } from "./inspection.ts";
import { VERSION } from "./build.ts";

function answer(agent: Agent, request: ControlRequest): unknown {
  switch (request.verb) {
    case "hello":
      return { version: VERSION, pid: Deno.pid };
    case "sandbox":
      return inspect(agent);
    default:
      throw new RangeError(`Cannot serve "${request.verb}": unknown verb`);
  }
}

/** Listens on the first control socket that can be used, and serves it for life. Needs all permissions. */
export async function openControl(agent: Agent, log: Log): Promise<void> {
  const faults: string[] = [];
  for (const path of agent.settings.controlSockets) {
    const { listener, fault } = await listenControl(path);
    if (listener !== undefined) {
      void new ControlServer(listener, (request) => answer(agent, request)).serve();
      return;
    }
    faults.push(fault);
  }
  log.warn("no control socket", { why: faults.join("; ") });
}
