/**
 * The control socket: a unix socket opened before the drop that keeps accepting after it. One JSON object per
 * line in, one per line out; every connection is bounded in time and size (design 2).
 * @module
 */

/** Longest line; `submit` carries batches of up to 1 MiB as base64. */
export const LINE_BYTES_MAX: number = 2 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** Connections served at once; further ones are closed. */
const CONNECTIONS_MAX = 16;
/** A connection that says nothing, or does not listen, for this long is closed. */
const IDLE_MS = 10_000;

/** A request: the verb and what it needs. */
export type ControlRequest = Readonly<Record<string, unknown>> & { readonly verb: string };

/** Answers one verb; the result is sent as JSON. Throwing answers `{"error": message}`. */
export type ControlHandler = (request: ControlRequest) => unknown;

function parseRequest(line: string): ControlRequest {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || !("verb" in value) || typeof value.verb !== "string") {
    throw new SyntaxError('Cannot serve request: expected an object with a "verb"');
  }
  return { ...value, verb: value.verb };
}

async function writeAll(conn: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
}

/** Reads lines of bounded length; what came behind a line is kept for the next one. */
class Lines {
  readonly #conn: Deno.Conn;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Up to the next newline; undefined at the end, throws when the line is too long. */
  async next(): Promise<string | undefined> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (let part = this.#rest;;) {
      const end = part.indexOf(10);
      parts.push(end < 0 ? part : part.subarray(0, end));
      length += part.length;
      if (end >= 0) {
        this.#rest = part.slice(end + 1);
        return joined(parts);
      }
      if (length > LINE_BYTES_MAX) {
        throw new RangeError(`Cannot serve request: longer than ${LINE_BYTES_MAX} bytes`);
      }
      const chunk = new Uint8Array(CHUNK_BYTES);
      const n = await this.#conn.read(chunk);
      if (n === null) return undefined;
      part = chunk.subarray(0, n);
    }
  }
}

function joined(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
}

/** Closes a connection at most once, after a time when nobody does it earlier. */
class Guard {
  readonly #conn: Deno.Conn;
  #isOpen = true;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  close(): void {
    if (this.#isOpen) this.#conn.close();
    this.#isOpen = false;
  }

  /** What takes longer loses its connection. */
  async within<T>(ms: number, work: Promise<T>): Promise<T> {
    // Not a plain timer: a one-shot verb would load the runtime's Node layer for it.
    const late = AbortSignal.timeout(ms);
    const close = () => this.close();
    late.addEventListener("abort", close);
    try {
      return await work;
    } finally {
      late.removeEventListener("abort", close);
    }
  }
}

/** Serves a listener until it is closed. */
export class ControlServer {
  readonly #listener: Deno.Listener;
  readonly #handler: ControlHandler;
  #connections = 0;

  constructor(listener: Deno.Listener, handler: ControlHandler) {
    this.#listener = listener;
    this.#handler = handler;
  }

  /** Accepts until the listener closes. */
  async serve(): Promise<void> {
    for await (const conn of this.#listener) {
      if (this.#connections >= CONNECTIONS_MAX) {
        conn.close();
        continue;
      }
      this.#connections++;
      this.#serveOne(conn).finally(() => this.#connections--);
    }
  }

  /** A connection may ask again: a one-shot verb opens its own before it gives up the right to. */
  async #serveOne(conn: Deno.Conn): Promise<void> {
    const guard = new Guard(conn);
    const lines = new Lines(conn);
    try {
      for (;;) {
        const line = await guard.within(IDLE_MS, lines.next());
        if (line === undefined) return;
        const answer = JSON.stringify(await this.#answer(line)) + "\n";
        await guard.within(IDLE_MS, writeAll(conn, answer));
      }
    } catch {
      // The peer went away or sent too much: its connection ends, nothing else does.
    } finally {
      guard.close();
    }
  }

  async #answer(line: string): Promise<unknown> {
    try {
      return await this.#handler(parseRequest(line)) ?? {};
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }

  close(): void {
    this.#listener.close();
  }
}

/** A listening control socket, or why there is none. */
export type ControlSocket =
  | { readonly listener: Deno.Listener; readonly path: string; readonly fault?: never }
  | { readonly listener?: never; readonly path?: never; readonly fault: string };

/** Listens on a path; a socket left behind by a crash is replaced, a living one is not. */
export async function listenControl(path: string): Promise<ControlSocket> {
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true, mode: 0o750 });
    if (await askControl(path, { verb: "hello" }) !== undefined) {
      return { fault: `"${path}" is in use by a running agent` };
    }
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    const listener = Deno.listen({ transport: "unix", path });
    Deno.chmodSync(path, 0o660);
    return { listener, path };
  } catch (error) {
    return { fault: `"${path}": ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Milliseconds a client waits for an answer. */
const ANSWER_MS = 5_000;

/** A connection to a running agent. */
export class ControlClient {
  readonly #conn: Deno.Conn;
  readonly #guard: Guard;
  readonly #lines: Lines;
  #last: Promise<unknown> = Promise.resolve();

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.#guard = new Guard(conn);
    this.#lines = new Lines(conn);
  }

  /** Undefined when nobody listens on that path, or this user may not ask. */
  static async connect(path: string): Promise<ControlClient | undefined> {
    try {
      return new ControlClient(await Deno.connect({ transport: "unix", path }));
    } catch {
      return undefined;
    }
  }

  /** The agent's answer; undefined when none came in time, and then the connection is of no use any more. */
  ask(request: ControlRequest, withinMs: number = ANSWER_MS): Promise<ControlAnswer | undefined> {
    // Answers come in the order of the questions.
    const answer = this.#last.then(() => this.#ask(request, withinMs));
    this.#last = answer;
    return answer;
  }

  async #ask(request: ControlRequest, withinMs: number): Promise<ControlAnswer | undefined> {
    const asked = async () => {
      await writeAll(this.#conn, JSON.stringify(request) + "\n");
      return await this.#lines.next();
    };
    try {
      const line = await this.#guard.within(withinMs, asked());
      const value: unknown = line === undefined ? undefined : JSON.parse(line);
      return typeof value === "object" && value !== null ? { ...value } : undefined;
    } catch {
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#guard.close();
  }
}

/** What an agent says; a refusal has `error`. */
export type ControlAnswer = Readonly<Record<string, unknown>>;

/** Asks a running agent one thing; undefined when none answers on that path. */
export async function askControl(path: string, request: ControlRequest): Promise<ControlAnswer | undefined> {
  using client = await ControlClient.connect(path);
  return await client?.ask(request);
}
