/**
 * The control socket: a unix socket opened before the drop that keeps accepting after it. One JSON object per
 * line in, one per line out; every connection is bounded in time and size (design 2).
 * @module
 */

/** Longest request line; `submit` carries batches of up to 1 MiB as base64. */
const LINE_BYTES_MAX: number = 2 * 1024 * 1024;
/** Connections served at once; further ones are closed. */
const CONNECTIONS_MAX = 16;
/** A connection that says nothing for this long is closed. */
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

/** Reads up to the next newline; undefined at the end, throws when the line is too long. */
async function readLine(conn: Deno.Conn): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const chunk = new Uint8Array(64 * 1024);
  for (;;) {
    const n = await conn.read(chunk);
    if (n === null) return undefined;
    parts.push(chunk.slice(0, n));
    length += n;
    if (chunk.subarray(0, n).includes(10)) break;
    if (length > LINE_BYTES_MAX) {
      throw new RangeError(`Cannot serve request: longer than ${LINE_BYTES_MAX} bytes`);
    }
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new TextDecoder().decode(all.subarray(0, all.indexOf(10)));
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

  async #serveOne(conn: Deno.Conn): Promise<void> {
    let isOpen = true;
    const close = () => {
      if (isOpen) conn.close();
      isOpen = false;
    };
    const timer = setTimeout(close, IDLE_MS);
    try {
      const line = await readLine(conn);
      if (line !== undefined) await writeAll(conn, JSON.stringify(await this.#answer(line)) + "\n");
    } catch {
      // The peer went away or sent too much: its connection ends, nothing else does.
    } finally {
      clearTimeout(timer);
      close();
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

/** Asks a running agent; undefined when none answers on that path. */
export async function askControl(
  path: string,
  request: ControlRequest,
): Promise<Record<string, unknown> | undefined> {
  let conn: Deno.Conn;
  try {
    conn = await Deno.connect({ transport: "unix", path });
  } catch {
    return undefined;
  }
  let isOpen = true;
  const close = () => {
    if (isOpen) conn.close();
    isOpen = false;
  };
  const timer = setTimeout(close, ANSWER_MS);
  try {
    await writeAll(conn, JSON.stringify(request) + "\n");
    const line = await readLine(conn);
    const value: unknown = line === undefined ? undefined : JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    close();
  }
}
