/**
 * One connection: requests one after the other, pipelined or not, each phase under a deadline that the server's
 * sweep enforces by closing the socket. A refused body is not read; the answer is followed by a half close and a short
 * drain, since a reset would take the answer from the client.
 * @module
 */
import type { Encoding } from "./batch.ts";
import { accepted, type Answer, answerBytes, CONTINUE, refused } from "./receiver_answer.ts";
import { release } from "./growing_bytes.ts";
import { checkLength, type FlightBudget, readBody, Share } from "./receiver_body.ts";
import { type Head, parseHead } from "./receiver_head.ts";
import type { ReceiverLimits } from "./receiver_messages.ts";
import { RefusedRequest } from "./receiver_refusal.ts";
import { encodingOf, type Route, route } from "./receiver_route.ts";
import { ByteStream, type Socket } from "./receiver_stream.ts";

/** A request whose body is here. */
export interface ReceivedRequest extends Route {
  readonly body: Uint8Array<ArrayBuffer>;
  /** What it holds of all bodies' memory; grows with what is made of the body. */
  readonly share: Share;
}

/** What a connection needs of its server. */
export interface ConnectionOptions {
  readonly limits: ReceiverLimits;
  readonly budget: FlightBudget;
  readonly hostNames: ReadonlySet<string>;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Takes a request; throws `RefusedRequest`. */
  readonly intake: (request: ReceivedRequest) => Promise<Answer>;
  /** Called once per answer. */
  readonly answered: (status: number, refusal?: RefusedRequest) => void;
}

/** Where a connection is, for its deadline and its place in `ReceiverReport.refused`. */
export type Phase = "idle" | "head" | "body" | "work" | "answer";

/** Read after a refusal at most, so that the client sees the answer. */
const DRAIN_BYTES_MAX = 1_048_576;

export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #stream: ByteStream;
  phase: Phase = "idle";
  /** When the phase began and when it must be over, on the monotonic clock. */
  enteredMs = 0;
  deadlineMs = 0;
  #isClosed = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#stream = new ByteStream(socket);
    this.#enter("idle", options.limits.idleMs);
  }

  /** Serves until the connection ends; never rejects for what a client does. */
  async serve(): Promise<void> {
    try {
      while (await this.#exchange());
    } catch (error) {
      // A socket that was closed, by the client or by the sweep, fails every call with an error of the runtime.
      if (!this.#isClosed && !isSocketError(error)) throw error;
    } finally {
      this.close();
    }
  }

  /** Answers a connection over the cap and ends it. */
  async turnAway(refusal: RefusedRequest): Promise<void> {
    try {
      await this.#end(refused(refusal, "json"), false);
    } catch (error) {
      if (!this.#isClosed && !isSocketError(error)) throw error;
    } finally {
      this.close();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  #enter(phase: Phase, ms: number): void {
    this.phase = phase;
    this.enteredMs = this.#options.nowMs();
    this.deadlineMs = this.enteredMs + ms;
  }

  /** One request and its answer; false when the connection is over. */
  async #exchange(): Promise<boolean> {
    const { limits } = this.#options;
    this.#enter("idle", limits.idleMs);
    if (!this.#stream.hasMore && !await this.#stream.fill()) return false;
    this.#enter("head", limits.headMs);
    let head: Head | undefined;
    try {
      const text = await this.#stream.head();
      if (text === undefined) return false;
      head = parseHead(text);
      const answer = await this.#receive(head);
      if (answer === undefined) return false;
      await this.#write(answerBytes(answer, head));
      this.#options.answered(answer.status);
      return head.keepsAlive;
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      return await this.#refuse(error, head);
    }
  }

  /** The answer to a request whose head is read; undefined when its body never came. */
  async #receive(head: Head): Promise<Answer | undefined> {
    const { limits, budget, hostNames, intake } = this.#options;
    const to = route(head, hostNames);
    checkLength(head, limits.bodyBytes);
    using share = new Share(budget);
    share.take(head.length ?? 0);
    if (head.expectsContinue) await this.#write(CONTINUE);
    this.#enter("body", limits.bodyMs);
    const body = await readBody(this.#stream, head, { bytesMax: limits.bodyBytes, share });
    if (body === undefined) return undefined;
    this.#enter("work", Infinity);
    if (body.length === 0 && to.encoding === "protobuf") return accepted(to.signal, to.encoding);
    try {
      return await intake({ ...to, body, share });
    } finally {
      release(body);
    }
  }

  async #refuse(refusal: RefusedRequest, head: Head | undefined): Promise<boolean> {
    this.#options.answered(refusal.status, refusal);
    const answer = refused(refusal, answerEncoding(head));
    const withoutBody = head?.method === "HEAD";
    // After "work" the body was read; before it, what is on the wire is not known to be a request.
    if (head !== undefined && (this.phase === "work" || head.length === 0)) {
      await this.#write(answerBytes(answer, { keepsAlive: head.keepsAlive, withoutBody }));
      return head.keepsAlive;
    }
    await this.#end(answer, withoutBody);
    return false;
  }

  async #end(answer: Answer, withoutBody: boolean): Promise<void> {
    await this.#write(answerBytes(answer, { keepsAlive: false, withoutBody }));
    await this.#socket.closeWrite();
    await this.#stream.drain(DRAIN_BYTES_MAX);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#enter("answer", this.#options.limits.answerMs);
    for (let at = 0; at < bytes.length;) at += await this.#socket.write(bytes.subarray(at));
  }
}

function answerEncoding(head: Head | undefined): Encoding {
  return encodingOf(head?.headers.get("content-type")) ?? "json";
}

function isSocketError(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.NotConnected;
}
