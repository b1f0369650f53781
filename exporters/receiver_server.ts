/**
 * The HTTP/1.1 server of the receiver, on plain sockets. Not `Deno.serve`: that has no cap on connections, no deadline
 * for a head or a body and no say before a body is read, and without a JIT reading and answering 2 kB costs 50 us of
 * CPU there (node:http 75 us) against 17 us on a socket, with 8 MB less memory (Deno 2.9.6, four connections).
 * @module
 */
import { Connection, type ConnectionOptions } from "./receiver_connection.ts";
import { RefusedRequest } from "./receiver_refusal.ts";

/** Connections over the cap that are told so at a time; more are closed without a word. */
const TURNED_AWAY_MAX = 16;

/** So long a connection may be silent before it can lose its place to another: its request may be on the way. */
const IDLE_SPARED_MS = 1_000;

/** What the server does with what a connection cannot know. */
export interface ServerEvents {
  /** A connection was ended for a reason of `ReceiverReport.refused`. */
  ended(reason: string): void;
  /** A connection failed with what is no socket error: our bug. */
  failed(error: unknown): void;
  /** There is something to sweep. */
  busy(): void;
  /** Waits a little, after an `accept` that failed and may fail again at once. */
  pause(): Promise<void>;
}

export class ReceiverServer {
  readonly #listener: Deno.TcpListener;
  readonly #options: ConnectionOptions;
  readonly #events: ServerEvents;
  readonly #connections = new Set<Connection>();
  readonly #turnedAway = new Set<Connection>();
  readonly #tasks = new Set<Promise<void>>();
  #isStopped = false;

  constructor(listener: Deno.TcpListener, options: ConnectionOptions, events: ServerEvents) {
    this.#listener = listener;
    this.#options = options;
    this.#events = events;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** True when only waiting connections are left, whose deadlines are far. */
  get isQuiet(): boolean {
    const isWaiting = (it: Connection): boolean => it.phase === "idle" && !this.#isStopped;
    return this.#turnedAway.size === 0 && this.#connections.values().every(isWaiting);
  }

  /** Accepts until stopped. */
  async run(): Promise<void> {
    while (!this.#isStopped) {
      let socket: Deno.TcpConn;
      try {
        socket = await this.#listener.accept();
      } catch (error) {
        if (this.#isStopped) break;
        // The client hung up before it was accepted, or there are no descriptors left: neither ends the server.
        this.#events.ended(error instanceof Error ? "accept" : "internal");
        await this.#events.pause();
        continue;
      }
      this.#admit(socket);
    }
    await Promise.all(this.#tasks);
  }

  /** Closes what is past its deadline and, once stopped, what has nothing left to do. */
  sweep(nowMs: number): void {
    for (const connection of [...this.#connections, ...this.#turnedAway]) {
      const isOver = this.#isStopped && connection.phase === "idle";
      if (nowMs < connection.deadlineMs && !isOver) continue;
      if (connection.phase !== "idle") this.#events.ended(`${connection.phase}_timeout`);
      connection.close();
    }
  }

  /** No connection is accepted any more; those at work may finish, as far as `sweep` is called. Resolves when all are over. */
  async stop(graceMs: number): Promise<void> {
    if (!this.#isStopped) {
      this.#isStopped = true;
      this.#listener.close();
    }
    for (const connection of this.#connections) {
      if (connection.phase === "idle") connection.close();
      else connection.deadlineMs = Math.min(connection.deadlineMs, this.#options.nowMs() + graceMs);
    }
    await Promise.all(this.#tasks);
  }

  #admit(socket: Deno.TcpConn): void {
    const connection = new Connection(socket, this.#options);
    if (this.#connections.size >= this.#options.limits.connections && !this.#closeIdle()) {
      this.#turnAway(connection);
      return;
    }
    this.#connections.add(connection);
    this.#track(connection.serve(), () => this.#connections.delete(connection));
  }

  /** Makes room by closing the connection that has been idle for longest. */
  #closeIdle(): boolean {
    const idle = this.#connections.values().filter((it) => it.phase === "idle").toArray();
    const oldest = idle.sort((a, b) => a.enteredMs - b.enteredMs)[0];
    const nowMs = this.#options.nowMs();
    if (oldest === undefined || nowMs - oldest.enteredMs < IDLE_SPARED_MS) return false;
    oldest.close();
    this.#connections.delete(oldest);
    this.#events.ended("idle_closed");
    return true;
  }

  #turnAway(connection: Connection): void {
    this.#events.ended("connections");
    if (this.#turnedAway.size >= TURNED_AWAY_MAX) return connection.close();
    this.#turnedAway.add(connection);
    const refusal = new RefusedRequest("Cannot take another connection now, expected fewer at a time", {
      status: 503,
      reason: "full",
      retryAfter: 1,
    });
    this.#track(connection.turnAway(refusal), () => this.#turnedAway.delete(connection));
  }

  #track(serving: Promise<void>, done: () => void): void {
    const task = serving.catch((error) => this.#events.failed(error)).then(() => {
      done();
      this.#tasks.delete(task);
    });
    this.#tasks.add(task);
    this.#events.busy();
  }
}
