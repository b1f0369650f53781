/**
 * What the fault server can do with a request: every answer and every misbehaviour of the fault plan (otlp 5).
 * @module
 */
import type { RecordedRequest } from "./fault_server.ts";
import { compress } from "../exporters/gzip.ts";

/** Where a behaviour writes, and when it must stop. */
export interface Exchange {
  readonly connection: Deno.Conn;
  readonly closing: AbortSignal;
}

export interface Behaviour {
  /**
   * Done when the first byte has come, instead of reading on: "reset" closes with bytes unread, which Linux turns
   * into RST; `write` says something before the client has finished.
   */
  readonly before?: "reset" | { readonly write: string };
  readonly answer: (request: RecordedRequest, exchange: Exchange) => Promise<"keep" | "close">;
}

export interface AnswerOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const encoder = new TextEncoder();

/** A well-formed answer; keeps the connection open. */
export function answer(status: number, { headers = {}, body = "" }: AnswerOptions = {}): Behaviour {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const fields = { "content-length": String(bytes.length), ...headers };
  // 204 and 304 have no body and no length (RFC 9110 8.6).
  const shown = Object.entries(fields).filter(([name]) => status !== 204 || name !== "content-length");
  const head = `HTTP/1.1 ${status} Reason\r\n${shown.map(([k, v]) => `${k}: ${v}\r\n`).join("")}\r\n`;
  return {
    answer: async (_request, { connection }) => {
      await writeAll(connection, encoder.encode(head));
      await writeAll(connection, bytes);
      return "keep";
    },
  };
}

const PROTOBUF = { "content-type": "application/x-protobuf" };
const JSON_TYPE = { "content-type": "application/json" };

/** 200 with an empty protobuf answer: all is well. */
export const ok: Behaviour = answer(200, { headers: PROTOBUF });

/** 200 whose body says that some items were refused. `count` as JSON writes it: a string or a number. */
export function partialSuccessJson(count: string | number, errorMessage: string): Behaviour {
  const body = JSON.stringify({ partialSuccess: { rejectedDataPoints: count, errorMessage } });
  return answer(200, { headers: JSON_TYPE, body });
}

/** The same in protobuf: field 1 { 1: varint rejected, 2: string message }. */
export function partialSuccess(rejected: number, message: string): Behaviour {
  if (rejected > 127) throw new RangeError(`Cannot encode ${rejected} rejected: expected at most 127`);
  const words = encoder.encode(message);
  if (words.length > 100) {
    throw new RangeError(`Cannot encode message: ${words.length} bytes, expected at most 100`);
  }
  const inner = [...(rejected > 0 ? [0x08, rejected] : []), 0x12, words.length, ...words];
  return answer(200, { headers: PROTOBUF, body: new Uint8Array([0x0a, inner.length, ...inner]) });
}

/** 429 or 503 with a Retry-After (seconds or date) as given. */
export function throttle(status: number, retryAfter?: string, date?: string): Behaviour {
  const headers = {
    ...(retryAfter !== undefined && { "retry-after": retryAfter }),
    ...(date !== undefined && { date }),
  };
  return answer(status, { headers });
}

export function redirect(status: number, location: string): Behaviour {
  return answer(status, { headers: { location } });
}

/** A single-page application's fallback: 200 for everything. */
export const html: Behaviour = answer(200, {
  headers: { "content-type": "text/html; charset=utf-8" },
  body: "<!doctype html><title>App</title>",
});

/** Reads the request and never answers. */
export const hang: Behaviour = {
  answer: async (_request, { closing }) => {
    await aborted(closing);
    return "close";
  },
};

export const reset: Behaviour = { before: "reset", answer: () => Promise.resolve("close") };

/** Speaks plain HTTP to whatever the client began with, TLS included. */
export const plainAnswer: Behaviour = {
  before: { write: "HTTP/1.1 400 Bad Request\r\n\r\n" },
  answer: () => Promise.resolve("close"),
};

/** Reads (and so may have stored) the request, then closes without a word. */
export const closeAfterRead: Behaviour = { answer: () => Promise.resolve("close") };

/** Sends `text` one byte at a time, `everyMs` apart, for as long as the client listens. */
export function drip(text: string, everyMs: number, atOnce = ""): Behaviour {
  return {
    answer: async (_request, { connection, closing }) => {
      await writeAll(connection, encoder.encode(atOnce));
      for (const byte of encoder.encode(text)) {
        if (closing.aborted) break;
        await writeAll(connection, new Uint8Array([byte]));
        // Real time: the drip is the fault.
        await pause(everyMs, closing);
      }
      return "close";
    },
  };
}

/** Bytes that are not HTTP at all, or a cut answer: written as they are, then closed. */
export function raw(text: string): Behaviour {
  return {
    answer: async (_request, { connection }) => {
      await writeAll(connection, encoder.encode(text));
      return "close";
    },
  };
}

/** An answer of `size` bytes. */
export function large(status: number, size: number): Behaviour {
  return answer(status, { headers: PROTOBUF, body: new Uint8Array(size) });
}

/** A gzip answer that inflates to `size` bytes. */
export async function gzipBomb(size: number): Promise<Behaviour> {
  const { bytes } = await compress(new Uint8Array(size));
  return answer(200, { headers: { ...PROTOBUF, "content-encoding": "gzip" }, body: bytes });
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) offset += await connection.write(bytes.subarray(offset));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, aborted(signal)]);
  clearTimeout(timer);
}
