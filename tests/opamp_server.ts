/**
 * A scripted OpAMP server for polling clients that needs no socket: it is the client's way out. It records every
 * request with its time and answers as the test says.
 * @module
 */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { OpenHttp } from "../config/opamp_fetch.ts";
import type { Credentials } from "../config/opamp_link.ts";
import { type AgentToServer, AgentToServerSchema, ServerToAgentSchema } from "../proto_gen/opamp/opamp_pb.ts";
import type { VirtualClock } from "./opamp_clock.ts";

/** One request as it arrived. */
export interface Received {
  readonly at: number;
  readonly url: string;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly message: AgentToServer;
}

type Answer = MessageInitShape<typeof ServerToAgentSchema>;

/** What the server does with a request: a ServerToAgent, a whole response, or an error of the network. */
export type Reply = Answer | Response | Error | Promise<Response>;

const EMPTY: Answer = {};

/** A good response with these parts; the instance id is the request's unless given. */
export function answerTo(received: Received, parts: Answer): Response {
  const message = create(ServerToAgentSchema, parts);
  if (parts.instanceUid === undefined) message.instanceUid = received.message.instanceUid;
  return body(new Uint8Array(toBinary(ServerToAgentSchema, message)));
}

/** A response of OpAMP's media type with these bytes. */
export function body(bytes: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Response {
  return new Response(bytes, { headers: { "content-type": "application/x-protobuf", ...headers } });
}

/** The server. `script` decides each reply; `next` puts replies in front of it. */
export class ScriptedServer {
  readonly received: Received[] = [];
  /** TLS material of each client that was opened. */
  readonly doors: Omit<Credentials, "headers">[] = [];
  readonly #clock: VirtualClock;
  readonly #replies: Reply[] = [];
  script: (received: Received) => Reply = () => EMPTY;
  inFlight = 0;
  inFlightMax = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Replies for the next requests, before the script's. */
  next(...replies: Reply[]): void {
    this.#replies.push(...replies);
  }

  get messages(): readonly AgentToServer[] {
    return this.received.map(({ message }) => message);
  }

  get last(): AgentToServer {
    const message = this.messages.at(-1);
    if (message === undefined) throw new Error("Cannot look at the last message: none arrived");
    return message;
  }

  /** Milliseconds between requests. */
  get gaps(): readonly number[] {
    return this.received.slice(1).map(({ at }, index) => at - (this.received[index]?.at ?? 0));
  }

  readonly open: OpenHttp = (tls) => {
    this.doors.push(tls);
    return { fetch: (url, init) => this.#answer(url, init), close: () => {}, used: false };
  };

  async #answer(url: string, init: RequestInit): Promise<Response> {
    const signal = init.signal ?? undefined;
    const request = new Request(url, {
      method: "POST",
      headers: init.headers ?? {},
      body: init.body ?? null,
    });
    const bytes = await plainBody(request);
    const message = fromBinary(AgentToServerSchema, bytes);
    const received = { at: this.#clock.mono(), url, headers: request.headers, bytes, message };
    this.received.push(received);
    this.inFlightMax = Math.max(this.inFlightMax, ++this.inFlight);
    try {
      const reply = await orAborted(this.#replies.shift() ?? this.script(received), signal);
      if (reply instanceof Error) throw reply;
      return reply instanceof Response ? reply : answerTo(received, reply);
    } finally {
      this.inFlight--;
    }
  }
}

async function plainBody(request: Request): Promise<Uint8Array> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (request.headers.get("content-encoding") !== "gzip") return bytes;
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

function orAborted<T>(value: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  signal?.addEventListener("abort", () => reject(signal.reason));
  Promise.resolve(value).then(resolve, reject);
  return promise;
}
