/**
 * The receiver's answers: OTLP's export responses and `google.rpc.Status`, each in the type of the request, as the
 * bytes of an HTTP/1.1 response. Source: OTLP specification, "OTLP/HTTP Response".
 * @module
 */
import type { Encoding, Signal } from "./batch.ts";
import { concat } from "./gzip.ts";
import { intField, joined, lengthField, textField } from "./received_wire.ts";
import type { RefusedRequest } from "./receiver_refusal.ts";

/** What is answered, before it is bytes. */
export interface Answer {
  readonly status: number;
  readonly encoding: Encoding;
  readonly body: Uint8Array;
  /** Seconds. */
  readonly retryAfter?: number;
}

/** What of an accepted request was not taken, or is taken with a word of warning. */
export interface Partial {
  readonly rejected: number;
  readonly message: string;
}

const encoder = new TextEncoder();

const PHRASES: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** Numbers of google.rpc.Code; they have no effect on a client (otlp R9). */
const CODES: Readonly<Record<number, number>> = {
  403: 7,
  404: 5,
  405: 12,
  413: 8,
  429: 8,
  431: 8,
  500: 13,
  501: 12,
  503: 14,
  505: 12,
};
const INVALID_ARGUMENT = 3;

const REJECTED: Readonly<Record<Signal, string>> = {
  metrics: "rejectedDataPoints",
  logs: "rejectedLogRecords",
  traces: "rejectedSpans",
};

/** 200, with `partial_success` when something is to be said. */
export function accepted(signal: Signal, encoding: Encoding, partial?: Partial): Answer {
  if (partial === undefined) {
    return { status: 200, encoding, body: encoding === "json" ? encoder.encode("{}") : new Uint8Array() };
  }
  const { rejected, message: words } = partial;
  const body = encoding === "json"
    ? encoder.encode(
      JSON.stringify({ partialSuccess: { [REJECTED[signal]]: String(rejected), errorMessage: words } }),
    )
    : lengthField(1, joined([intField(1, rejected), textField(2, words)]));
  return { status: 200, encoding, body };
}

/** A refusal with its words as `google.rpc.Status`. */
export function refused(refusal: RefusedRequest, encoding: Encoding): Answer {
  const code = CODES[refusal.status] ?? INVALID_ARGUMENT;
  const body = encoding === "json"
    ? encoder.encode(JSON.stringify({ code, message: refusal.message }))
    : joined([intField(1, code), textField(2, refusal.message)]);
  const retry = refusal.retryAfter === undefined ? {} : { retryAfter: refusal.retryAfter };
  return { status: refusal.status, encoding, body, ...retry };
}

/** How the connection goes on after an answer. */
export interface AnswerOptions {
  readonly keepsAlive: boolean;
  /** The request was HEAD: its answer has no body. */
  readonly withoutBody?: boolean;
}

/** An answer on the wire. */
export function answerBytes(answer: Answer, options: AnswerOptions): Uint8Array {
  const { status, encoding, body, retryAfter } = answer;
  const type = encoding === "json" ? "application/json" : "application/x-protobuf";
  let head = `HTTP/1.1 ${status} ${PHRASES[status] ?? "Error"}\r\nContent-Type: ${type}\r\n` +
    `Content-Length: ${body.length}\r\n`;
  if (retryAfter !== undefined) head += `Retry-After: ${retryAfter}\r\n`;
  if (status === 405) head += "Allow: POST\r\n";
  head += options.keepsAlive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  const bytes = encoder.encode(head);
  if (body.length === 0 || options.withoutBody) return bytes;
  return concat([bytes, body], bytes.length + body.length);
}

/** "HTTP/1.1 100 Continue", for `Expect: 100-continue`. */
export const CONTINUE: Uint8Array = encoder.encode("HTTP/1.1 100 Continue\r\n\r\n");
