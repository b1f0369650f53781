/**
 * OpAMP over WebSocket (opamp 1.3, 3.1), by the `ws` package: it bounds a message whatever its fragments and
 * compression, and shows the status and headers of a refused upgrade. Imported only for ws and wss endpoints.
 * @module
 */
import { Buffer } from "node:buffer";
// @ts-types="@types/ws"
import { type ClientOptions, type RawData, WebSocket } from "ws";
import { frame, unframe } from "./opamp_frame.ts";
import {
  type Credentials,
  decodeAnswer,
  failureOf,
  type Link,
  type LinkContext,
  reasonOf,
} from "./opamp_link.ts";
import type { Failure } from "./opamp_wait.ts";

const PING_MS = 30_000;
const PONG_MS = 20_000;
/** For the server's half of a close. */
const CLOSE_MS = 1_000;

const Close = { normal: 1000, protocol: 1002, unsupported: 1003, badData: 1007, tryAgain: 1013 } as const;
const ORDERLY: readonly number[] = [1000, 1001, 1012];

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return new Uint8Array(Buffer.concat(data));
  return data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data);
}

function closeFailure(code: number): Failure {
  const reason = `server closed the connection (${code})`;
  if (code === Close.tryAgain) return { kind: "throttled", reason };
  return { kind: ORDERLY.includes(code) ? "closed" : "network", reason };
}

/** A WebSocket link: one connection at a time. */
export class WebSocketLink implements Link {
  readonly #context: LinkContext;
  readonly #uid: () => string;
  #connection: Connection | undefined;

  /** `uid`: the identity at the time of each upgrade. */
  constructor(context: LinkContext, uid: () => string) {
    this.#context = context;
    this.#uid = uid;
  }

  readonly connect = (): void => {
    this.#connection = new Connection(this.#context);
    this.#connection.open(this.#uid());
  };

  readonly send = (bytes: Uint8Array<ArrayBuffer>): void => this.#connection?.send(bytes);
  readonly abort = (): void => this.close();

  readonly close = (): void => {
    this.#connection?.end(Close.normal);
    this.#connection = undefined;
  };
}

/** One WebSocket from its upgrade to its end. After its failure, or `end`, it is silent. */
class Connection {
  readonly #context: LinkContext;
  readonly #over = new AbortController();
  #socket: WebSocket | undefined;
  #ponged = false;

  constructor(context: LinkContext) {
    this.#context = context;
  }

  async open(uid: string): Promise<void> {
    try {
      const credentials = await this.#context.credentials();
      if (credentials.proxy !== undefined) {
        return this.#fail({ kind: "refused", reason: "no proxy over WebSocket: poll by http or https" });
      }
      if (!this.#over.signal.aborted) this.#attach(this.#start(credentials, uid));
    } catch (error) {
      this.#fail({ kind: "unauthorized", reason: `credentials cannot be used: ${reasonOf(error)}` });
    }
  }

  #start({ headers, caCerts, clientCert, clientKey }: Credentials, uid: string): WebSocket {
    const { endpoint, userAgent, timeoutMs, messageBytesMax, compression } = this.#context;
    const options: ClientOptions = {
      headers: { ...headers, "user-agent": userAgent, "opamp-instance-uid": uid },
      handshakeTimeout: timeoutMs,
      maxPayload: messageBytesMax,
      perMessageDeflate: compression,
      followRedirects: false,
      minVersion: "TLSv1.2",
      // They replace the known authorities: to list those needs a permission that the courier does not have.
      ...(caCerts === undefined || caCerts.length === 0 ? {} : { ca: [...caCerts] }),
      ...(clientCert === undefined ? {} : { cert: clientCert }),
      ...(clientKey === undefined ? {} : { key: clientKey }),
    };
    return new WebSocket(endpoint, options);
  }

  #attach(socket: WebSocket): void {
    const { emit, clock } = this.#context;
    this.#socket = socket;
    socket.on("open", () => {
      if (this.#over.signal.aborted) return;
      emit({ type: "opened" });
      this.#watch(socket);
    });
    socket.on("message", (data, isBinary) => this.#receive(bytesOf(data), isBinary));
    socket.on("pong", () => this.#ponged = true);
    socket.on("unexpected-response", (request, response) => {
      const header = (name: string) => {
        const value = response.headers[name];
        return Array.isArray(value) ? value[0] ?? null : value ?? null;
      };
      request.destroy();
      this.#fail(failureOf(response.statusCode ?? 0, header, clock.wall()));
    });
    socket.on("close", (code) => this.#fail(closeFailure(code)));
    socket.on("error", (error) => this.#fail(this.#faultOf(error)));
  }

  #faultOf(error: Error): Failure {
    const code = "code" in error ? String(error.code) : "";
    // Over the limit, bad UTF-8, bad frames: `ws` has sent the matching Close itself.
    return { kind: code.startsWith("WS_ERR_") ? "malformed" : "network", reason: reasonOf(error) };
  }

  #receive(data: Uint8Array, isBinary: boolean): void {
    if (this.#over.signal.aborted) return;
    if (!isBinary) return this.#reject(Close.unsupported, "text frame");
    let body: Uint8Array;
    try {
      body = unframe(data);
    } catch (error) {
      return this.#reject(Close.protocol, reasonOf(error));
    }
    const event = decodeAnswer(body);
    if (event.type === "failure") this.#reject(Close.badData, event.failure.reason);
    else this.#context.emit(event);
  }

  #reject(code: number, reason: string): void {
    this.#fail({ kind: "malformed", reason }, code);
  }

  /** A peer that no longer answers pings is gone, whatever TCP believes. */
  async #watch(socket: WebSocket): Promise<void> {
    const { clock } = this.#context;
    const { signal } = this.#over;
    while (!signal.aborted) {
      await clock.sleep(PING_MS, signal);
      if (signal.aborted) return;
      this.#ponged = false;
      socket.ping();
      await clock.sleep(PONG_MS, signal);
      if (signal.aborted) return;
      if (!this.#ponged) {
        this.#fail({ kind: "network", reason: `no pong in ${PONG_MS} ms` });
        return socket.terminate();
      }
    }
  }

  send(bytes: Uint8Array): void {
    const { emit, messageBytesMax } = this.#context;
    if (bytes.length > messageBytesMax) {
      const reason = `message of ${bytes.length} bytes, at most ${messageBytesMax} are sent`;
      return this.#fail({ kind: "tooLarge", reason });
    }
    this.#socket?.send(frame(bytes), (error) => {
      if (this.#over.signal.aborted) return;
      if (error) this.#fail({ kind: "network", reason: reasonOf(error) });
      else emit({ type: "sent" });
    });
  }

  #fail(failure: Failure, code: number = Close.normal): void {
    if (this.#over.signal.aborted) return;
    this.end(code);
    this.#context.emit({ type: "failure", failure });
  }

  /** Ends it in good order; silent from now on. */
  end(code: number): void {
    this.#over.abort();
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.close(code);
    this.#reap();
  }

  /** Takes the socket down when the server does not close its half. */
  #reap(): void {
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    if (socket.readyState === WebSocket.CONNECTING) return socket.terminate();
    const closed = new AbortController();
    socket.once("close", () => closed.abort());
    this.#context.clock.sleep(CLOSE_MS, closed.signal).then(() => socket.terminate());
  }
}
