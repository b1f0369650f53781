/**
 * Reading HTTP/1.1 requests off a raw connection, for the fault server: heads, Content-Length and chunked bodies.
 * @module
 */
import { concat } from "../exporters/gzip.ts";

const HEAD_END = new TextEncoder().encode("\r\n\r\n");
const LINE_END = new TextEncoder().encode("\r\n");

/** Method, path and headers of a request's head. */
export function parseHead(head: string): { method: string; path: string; headers: Record<string, string> } {
  const [line = "", ...rest] = head.split("\r\n");
  const [method = "", path = ""] = line.split(" ");
  const headers: Record<string, string> = {};
  for (const text of rest) {
    const colon = text.indexOf(":");
    if (colon > 0) headers[text.slice(0, colon).toLowerCase()] = text.slice(colon + 1).trim();
  }
  return { method, path, headers };
}

export class RequestReader {
  readonly #connection: Deno.Conn;
  #buffered: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** True when a request has begun; false when the client is done. Reads one byte only: a close now is a reset. */
  async waitForBytes(): Promise<boolean> {
    return this.#buffered.length > 0 || await this.#more(1);
  }

  async readRequest(): Promise<{ head: string; body: Uint8Array<ArrayBuffer> }> {
    const head = new TextDecoder().decode(await this.#until(HEAD_END));
    const { headers } = parseHead(head);
    if (headers["expect"] === "100-continue") {
      await this.#connection.write(new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    if (headers["transfer-encoding"] === "chunked") return { head, body: await this.#chunks() };
    return { head, body: await this.#exactly(Number(headers["content-length"] ?? 0)) };
  }

  async #chunks(): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = [];
    let total = 0;
    while (true) {
      const size = parseInt(new TextDecoder().decode(await this.#until(LINE_END)), 16);
      const chunk = await this.#exactly(size);
      await this.#exactly(LINE_END.length);
      if (size === 0) return concat(chunks, total);
      chunks.push(chunk);
      total += size;
    }
  }

  async #until(mark: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    while (true) {
      const at = indexOf(this.#buffered, mark);
      if (at >= 0) {
        const part = this.#buffered.slice(0, at);
        this.#buffered = this.#buffered.slice(at + mark.length);
        return part;
      }
      await this.#need();
    }
  }

  async #exactly(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const chunks = [this.#buffered];
    let total = this.#buffered.length;
    while (total < count) {
      this.#buffered = new Uint8Array(0);
      await this.#need();
      chunks.push(this.#buffered);
      total += this.#buffered.length;
    }
    const all = concat(chunks, total);
    this.#buffered = all.slice(count);
    return all.slice(0, count);
  }

  async #need(): Promise<void> {
    if (!await this.#more(65_536)) throw new Error("Cannot read request: connection ended, expected more");
  }

  async #more(atMost: number): Promise<boolean> {
    const chunk = new Uint8Array(atMost);
    const count = await this.#connection.read(chunk);
    if (count === null) return false;
    this.#buffered = concat([this.#buffered, chunk.subarray(0, count)], this.#buffered.length + count);
    return true;
  }
}

function indexOf(bytes: Uint8Array, mark: Uint8Array): number {
  const first = mark[0] ?? 0;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (mark.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  return -1;
}
