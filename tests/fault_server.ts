/**
 * A vendor that misbehaves on demand: a raw TCP (or TLS) server on loopback that records every request with its
 * bytes, arrival time and connection, and answers from a script. Raw, because an HTTP library would not let it
 * drip a header, close without an answer or reset.
 * @module
 */
import { parseHead, RequestReader } from "./fault_request.ts";
import type { Behaviour } from "./fault_behaviours.ts";

/** One request as it came over the wire. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Request line and header lines as received. */
  readonly head: string;
  readonly body: Uint8Array<ArrayBuffer>;
  /** Which connection it came over, from 1. */
  readonly connection: number;
  /** `performance.now()` when it was complete. */
  readonly arrivedMs: number;
}

export interface FaultServerOptions {
  /** 0 picks a free port. */
  readonly port?: number;
  readonly tls?: { readonly cert: string; readonly key: string };
}

export class FaultServer {
  readonly port: number;
  readonly requests: RecordedRequest[] = [];
  /** Connections accepted so far. */
  connections = 0;
  /** Behaviours for the next requests, one each; afterwards `otherwise` holds. */
  readonly script: Behaviour[] = [];
  otherwise: Behaviour;
  readonly #options: FaultServerOptions;
  #listener: Deno.Listener | undefined;
  #accepting: Promise<void> = Promise.resolve();
  readonly #open = new Map<Deno.Conn, Promise<void>>();
  #closing = new AbortController();
  #arrived: (() => void)[] = [];

  constructor(otherwise: Behaviour, options: FaultServerOptions = {}) {
    this.otherwise = otherwise;
    this.#options = options;
    const listener = this.#listen(options.port ?? 0);
    if (listener.addr.transport !== "tcp") throw new TypeError("BUG: listener is not TCP");
    this.port = listener.addr.port;
    this.#start(listener);
  }

  get url(): string {
    return `${this.#options.tls ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  /** Resolves when `count` requests have come in; rejects after `withinMs` (real time: it waits for a process). */
  async waitFor(count: number, withinMs = 10_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (this.requests.length < count) {
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new Error(`Cannot wait longer: ${this.requests.length} requests, expected ${count}`);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#arrived.push(resolve);
      const timer = setTimeout(resolve, left);
      await promise;
      clearTimeout(timer);
    }
  }

  /** Stops listening and cuts every connection: to a client, a dead backend. */
  async down(): Promise<void> {
    this.#closing.abort();
    this.#listener?.close();
    this.#listener = undefined;
    for (const connection of this.#open.keys()) closeQuietly(connection);
    await Promise.all([this.#accepting, ...this.#open.values()]);
  }

  /** Listens again on the same port. */
  up(): void {
    this.#closing = new AbortController();
    this.#start(this.#listen(this.port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  #listen(port: number): Deno.Listener {
    const address = { hostname: "127.0.0.1", port };
    return this.#options.tls ? Deno.listenTls({ ...address, ...this.#options.tls }) : Deno.listen(address);
  }

  #start(listener: Deno.Listener): void {
    this.#listener = listener;
    this.#accepting = this.#accept(listener);
  }

  async #accept(listener: Deno.Listener): Promise<void> {
    while (listener === this.#listener) {
      try {
        const connection = await listener.accept();
        const served = this.#serve(connection, ++this.connections);
        this.#open.set(connection, served);
        served.finally(() => this.#open.delete(connection));
      } catch {
        // The listener was closed, or a TLS handshake failed: only the first ends the loop.
      }
    }
  }

  async #serve(connection: Deno.Conn, id: number): Promise<void> {
    const reader = new RequestReader(connection);
    try {
      while (true) {
        if (!await reader.waitForBytes()) return;
        const behaviour = this.script.shift() ?? this.otherwise;
        if (behaviour.before === "reset") return;
        if (behaviour.before !== undefined) {
          await connection.write(new TextEncoder().encode(behaviour.before.write));
          return;
        }
        const { head, body } = await reader.readRequest();
        const request = { ...parseHead(head), head, body, connection: id, arrivedMs: performance.now() };
        this.requests.push(request);
        this.#arrived.splice(0).forEach((resolve) => resolve());
        const next = await behaviour.answer(request, { connection, closing: this.#closing.signal });
        if (next === "close") return;
      }
    } catch {
      // The client went away or the server is being stopped.
    } finally {
      closeQuietly(connection);
    }
  }
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
