/**
 * A scripted OpAMP server over WebSocket on loopback: it records frames and upgrades and does what a test says.
 * @module
 */
import { Buffer } from "node:buffer";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { frame, unframe } from "../config/opamp_frame.ts";
import { type AgentToServer, AgentToServerSchema, ServerToAgentSchema } from "../proto_gen/opamp/opamp_pb.ts";

type Answer = MessageInitShape<typeof ServerToAgentSchema>;

/** One connection as the server saw it. */
export interface Session {
  readonly headers: IncomingMessage["headers"];
  readonly socket: WebSocket;
  readonly frames: Uint8Array[];
  readonly messages: AgentToServer[];
  /** Code of the client's Close frame. */
  closed: number | undefined;
}

/** The server. */
export class WebSocketScript {
  readonly sessions: Session[] = [];
  upgrades = 0;
  /** Answers that upgrades get instead of a connection. */
  readonly refusals: { status: number; headers?: Record<string, string> }[] = [];
  /** Answer to each message; undefined: none. */
  answer: (message: AgentToServer) => Answer | undefined = () => ({});
  readonly #http: Server = createServer();
  readonly #sockets: WebSocketServer;

  constructor(compression = false) {
    this.#sockets = new WebSocketServer({ noServer: true, perMessageDeflate: compression });
    this.#http.on("upgrade", (request, stream, head) => this.#upgrade(request, stream, head));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#http.listen(0, "127.0.0.1", resolve));
    const address = this.#http.address();
    const port = typeof address === "object" ? address?.port : undefined;
    return `ws://127.0.0.1:${port}/v1/opamp`;
  }

  get last(): Session {
    const session = this.sessions.at(-1);
    if (session === undefined) throw new Error("Cannot look at the last session: none was opened");
    return session;
  }

  get messages(): readonly AgentToServer[] {
    return this.sessions.flatMap(({ messages }) => messages);
  }

  push(parts: Answer): void {
    const { socket, messages } = this.last;
    const message = create(ServerToAgentSchema, parts);
    message.instanceUid = messages[0]?.instanceUid ?? new Uint8Array();
    socket.send(frame(toBinary(ServerToAgentSchema, message)));
  }

  async close(): Promise<void> {
    for (const { socket } of this.sessions) socket.terminate();
    this.#sockets.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.upgrades++;
    stream.on("error", () => {});
    const refusal = this.refusals.shift();
    if (refusal === undefined) {
      return this.#sockets.handleUpgrade(request, stream, head, (socket) => this.#accept(request, socket));
    }
    const headers = Object.entries({ connection: "close", "content-length": "0", ...refusal.headers });
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    stream.end(`HTTP/1.1 ${refusal.status} Refused\r\n${lines}\r\n`);
  }

  #accept(request: IncomingMessage, socket: WebSocket): void {
    const session: Session = {
      headers: request.headers,
      socket,
      frames: [],
      messages: [],
      closed: undefined,
    };
    this.sessions.push(session);
    socket.on("error", () => {});
    socket.on("close", (code) => session.closed = code);
    socket.on("message", (data: RawData) => {
      const bytes = new Uint8Array(Buffer.isBuffer(data) ? data : new Uint8Array());
      session.frames.push(bytes);
      const message = fromBinary(AgentToServerSchema, unframe(bytes));
      session.messages.push(message);
      const answer = this.answer(message);
      if (answer === undefined) return;
      const reply = create(ServerToAgentSchema, { instanceUid: message.instanceUid, ...answer });
      socket.send(frame(toBinary(ServerToAgentSchema, reply)));
    });
  }
}
