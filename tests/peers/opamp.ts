/**
 * Starts opamp-go's server (tests/peers/opamp) and speaks to its admin side: what agents sent, and what the
 * server shall answer.
 * @module
 */
import { startChild } from "./child.ts";
import { buildGoPeer, goAbsence } from "./go.ts";

/** One AgentToServer as the server saw it; `message` is protobuf's JSON form. */
export interface OpampRecord {
  /** Hex. */
  readonly instanceUid: string;
  readonly transport: "http" | "websocket";
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly message: Readonly<Record<string, unknown>>;
}

export interface OpampServer {
  /** "http://127.0.0.1:PORT/v1/opamp"; the same port takes WebSocket. */
  readonly endpoint: string;
  /** Everything received, oldest first. */
  messages(): Promise<readonly OpampRecord[]>;
  /** The last message of each agent, by instance id in hex. */
  agents(): Promise<Readonly<Record<string, OpampRecord>>>;
  /** Offers files, by name, to every agent that does not hold them; resolves with the hash in hex. */
  offerConfig(files: Readonly<Record<string, { body: string; contentType?: string }>>): Promise<string>;
  /** Sends any ServerToAgent, in protobuf's JSON form. */
  send(message: Readonly<Record<string, unknown>>): Promise<void>;
  /** Refuses the next connections, or the next that carry a header. */
  refuse(
    how: { status: number; headers?: Record<string, string>; times: number; when?: string },
  ): Promise<void>;
  /** How messages are answered from now on; without a part, as usual. */
  behave(how: { silent?: boolean; delayMs?: number; capabilities?: number }): Promise<void>;
  /** Every agent is unknown again. */
  forget(): Promise<void>;
  /** Drops every connection without a Close frame. */
  disconnect(): Promise<void>;
  stop(): Promise<void>;
}

/** Why there is no OpAMP server here; undefined: there is. */
export const opampAbsence: string | undefined = goAbsence();

/** Builds it when needed and starts it on free loopback ports. */
export async function startOpamp(): Promise<OpampServer> {
  const binary = await buildGoPeer({ name: "opamp" });
  const child = await startChild(binary, { args: [], ready: /^\{"admin"/ });
  const { opamp, admin }: { opamp: string; admin: string } = JSON.parse(child.readyLine);
  const get = async (path: string) => await (await fetch(`${admin}${path}`)).json();
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${admin}${path}`, { method: "POST", body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot tell the OpAMP server "${path}": ${text}`);
    return text;
  };
  return {
    endpoint: opamp,
    messages: () => get("/messages"),
    agents: () => get("/agents"),
    offerConfig: async (files) => JSON.parse(await post("/config", { files })).hash,
    send: async (message) => void await post("/send", message),
    refuse: async (how) => void await post("/refuse", how),
    behave: async (how) => void await post("/behave", how),
    forget: async () => void await post("/forget", {}),
    disconnect: async () => void await post("/disconnect", {}),
    stop: child.stop,
  };
}
