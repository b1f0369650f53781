/**
 * From an HTTP answer to an outcome: status classes, partial success, Retry-After, bounded bodies
 * (otlp R1 to R18, classes of otlp 4.4). What leaves this file knows nothing of HTTP but the status.
 * @module
 */
import { roundOf } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { errorWords } from "./classify.ts";
import { concat } from "./gzip.ts";
import type { LaneConfig, RetryConfig } from "./lane_config.ts";
import type { Accepted, Outcome, Refused, Retryable } from "./outcome.ts";
import { parseHttpDate, resetSeconds, type RetryAfterContext, retryAfterMs } from "./retry_after.ts";
import { decodePartialSuccess, decodeStatusMessage, type PartialSuccess } from "./wire.ts";

/** The wire rule's cap on an answer (otlp R3). */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const SAMPLE_CHARS_MAX = 1_024;

/** The body as far as it came. */
interface AnswerBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Over the cap: refused whatever the status says. */
  readonly tooLarge: boolean;
  /** Why it is incomplete; absent when it is not. */
  readonly broken?: string;
}

/** Reads the answer to its end or its cap and says what became of the attempt. */
export async function readAnswer(response: Response, lane: LaneConfig, clock: Clock): Promise<Outcome> {
  const body = await readBody(response);
  const { status } = response;
  if (body.tooLarge) {
    const message = `answer of more than ${ANSWER_BYTES_MAX} bytes`;
    return { kind: "refused", class: "batch", status, cause: "response_too_large", message, keep: false };
  }
  if (status >= 200 && status < 300) return success(response, body, clock);
  return failure(response, body, { lane, clock });
}

async function readBody(response: Response): Promise<AnswerBody> {
  const none = new Uint8Array(0);
  if (response.body === null) return { bytes: none, tooLarge: false };
  if (Number(response.headers.get("content-length")) > ANSWER_BYTES_MAX) {
    await response.body.cancel();
    return { bytes: none, tooLarge: true };
  }
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return { bytes: concat(chunks, total), tooLarge: false };
      total += value.length;
      if (total > ANSWER_BYTES_MAX) {
        await reader.cancel();
        return { bytes: none, tooLarge: true };
      }
      chunks.push(value);
    }
  } catch (error) {
    return { bytes: concat(chunks, total), tooLarge: false, broken: errorWords(error) };
  }
}

function success(response: Response, body: AnswerBody, clock: Clock): Outcome {
  const { status } = response;
  const type = mediaType(response);
  if (type === "text/html") {
    const message = `answered ${status} with a web page: the endpoint is not an OTLP receiver`;
    return { kind: "refused", class: "destination", status, cause: "html", message, keep: true };
  }
  const accepted: Accepted = { kind: "accepted", status, rejected: 0, ...skew(response, clock) };
  if (body.broken !== undefined) return { ...accepted, badResponse: true };
  const read = readPartialSuccess(body.bytes, type);
  if (read === "unreadable") return { ...accepted, badResponse: true };
  if (read === undefined) return accepted;
  const message = oneLine(read.message);
  return { ...accepted, rejected: Math.max(0, read.rejected), ...(message !== "" && { message }) };
}

/** By the answer's own type; without one, JSON is told by its first byte (otlp R2). */
function readPartialSuccess(bytes: Uint8Array, type: string): PartialSuccess | "unreadable" | undefined {
  if (bytes.length === 0) return undefined;
  try {
    if (type === "application/json" || bytes[0] === 0x7b) return jsonPartialSuccess(bytes);
    return decodePartialSuccess(bytes);
  } catch {
    return "unreadable";
  }
}

function jsonPartialSuccess(bytes: Uint8Array): PartialSuccess | undefined {
  const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const part = member(parsed, "partialSuccess");
  if (part === undefined) return listedErrors(parsed);
  // Three signals, three names; each a number or a decimal string.
  const count = member(part, "rejectedDataPoints") ?? member(part, "rejectedSpans") ??
    member(part, "rejectedLogRecords") ?? 0;
  const rejected = Number(count);
  const message = member(part, "errorMessage") ?? "";
  return { rejected: Number.isSafeInteger(rejected) ? rejected : 0, message: String(message) };
}

/** Destinations with an API of their own list what they did not like in a 2xx, without a count. */
function listedErrors(parsed: unknown): PartialSuccess | undefined {
  const errors = member(parsed, "errors");
  if (!Array.isArray(errors) || errors.length === 0) return undefined;
  return { rejected: 0, message: errors.map(String).join("; ") };
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}

const THROTTLED = 429;
const UNAVAILABLE: ReadonlySet<number> = new Set([502, 503, 504]);

/** The server does not take bodies of this type, or of this encoding. */
export const MEDIA_TYPE = "media_type";
/** The server says that it cannot read the body's compression. */
export const BODY_ENCODING = "body_encoding";

/** Causes of class C statuses: the destination is at fault, not the batch. */
const DESTINATION_FAULTS: Readonly<Record<number, string>> = {
  401: "auth",
  403: "auth",
  404: "path",
  405: "path",
  407: "proxy_auth",
  410: "path",
  415: MEDIA_TYPE,
};

/** Vendors that take no gzip say so with 400 as well as with 415 (vendors V12). */
const ENCODING_WORDS = /\b(gzip|content[- ]encoding|compress(ed|ion)?)\b|unsupported encoding/i;

/** The Collector's receiver says 400 where others say 413 (otlp 4.2). */
const TOO_LARGE_WORDS = /(body|payload|request|message)\b.*\b(too large|exceeds)/i;

function failure(
  response: Response,
  body: AnswerBody,
  { lane, clock }: { lane: LaneConfig; clock: Clock },
): Retryable | Refused {
  const { status } = response;
  const words = oneLine(answerWords(body.bytes, mediaType(response))) || `status ${status}`;
  const meaning = lane.answers?.[status];
  const message = meaning === undefined ? words : `${words} (${meaning})`;
  if (status >= 300 && status < 400) {
    const target = redirectTarget(response, lane.url);
    return { kind: "refused", class: "destination", status, cause: "redirect", message: target, keep: true };
  }
  const cause = retryCause(status, lane);
  if (cause !== undefined) {
    const asked = askedMs(response, {
      date: response.headers.get("date"),
      wallMs: clock.wall(),
      maxMs: lane.retry.retryAfterMaxMs,
      random: clock.random,
    });
    const retryAfter = asked ?? (status === THROTTLED ? roundOf(lane.retry)?.retryAfterDefaultMs : undefined);
    return {
      kind: "retryable",
      status,
      cause,
      message,
      ...(retryAfter !== undefined && { retryAfterMs: retryAfter }),
    };
  }
  const fault = DESTINATION_FAULTS[status];
  if (fault !== undefined) {
    return { kind: "refused", class: "destination", status, cause: fault, message, keep: false };
  }
  if (status === 413 || (status === 400 && TOO_LARGE_WORDS.test(message))) {
    return { kind: "refused", class: "too_large", status, cause: "too_large", message, keep: false };
  }
  return {
    kind: "refused",
    class: "batch",
    status,
    cause: batchCause(status, message),
    message,
    keep: false,
  };
}

/** What the server asks to wait: the standard header, else the one that rate limits often have. */
function askedMs({ headers }: Response, context: RetryAfterContext): number | undefined {
  const standard = headers.get("retry-after");
  if (standard !== null) return retryAfterMs(standard, context);
  return retryAfterMs(resetSeconds(headers.get("x-ratelimit-reset"), context), context);
}

/** Why a status may be tried again; undefined when it may not. */
function retryCause(status: number, { retry }: LaneConfig): string | undefined {
  if (status === THROTTLED) return "throttled";
  if (UNAVAILABLE.has(status)) return "unavailable";
  if (retry.profile !== "heka") return undefined;
  if (status === 408) return "request_timeout";
  return status >= 500 && status < 600 ? "server_error" : undefined;
}

/**
 * Attempts a batch gets whose last one ended with this status. What only a profile makes retryable is dropped when
 * its round of attempts ends.
 */
export function attemptsMax(retry: RetryConfig, status: number | undefined): number {
  const isProfileRetry = status !== undefined && status !== THROTTLED && !UNAVAILABLE.has(status);
  const round = isProfileRetry ? roundOf(retry)?.attemptsMax ?? 1 : Infinity;
  return Math.min(round, retry.attemptsMax ?? Infinity);
}

function batchCause(status: number, message: string): string {
  if (status === 400) return ENCODING_WORDS.test(message) ? BODY_ENCODING : "bad_request";
  return status >= 500 && status < 600 ? "server_error" : "rejected";
}

/** The backend's own words: google.rpc.Status in either encoding, else text. */
function answerWords(bytes: Uint8Array, type: string): string {
  if (type === "application/x-protobuf") {
    try {
      return decodeStatusMessage(bytes) ?? "";
    } catch {
      return "";
    }
  }
  const text = new TextDecoder().decode(bytes.subarray(0, 4 * SAMPLE_CHARS_MAX));
  if (type !== "application/json" || bytes.length > 4 * SAMPLE_CHARS_MAX) return text;
  try {
    const message = member(JSON.parse(text), "message");
    return typeof message === "string" ? message : text;
  } catch {
    return text;
  }
}

function redirectTarget(response: Response, url: string): string {
  const location = response.headers.get("location") ?? "";
  const target = URL.parse(location, url);
  // Origin and path only: a query may carry a token.
  return oneLine(`endpoint redirects to ${target === null ? "nowhere" : target.origin + target.pathname}`);
}

function mediaType(response: Response): string {
  return (response.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

function skew(response: Response, clock: Clock): { clockSkew?: number } {
  const date = parseHttpDate(response.headers.get("date")?.trim() ?? "");
  return date === undefined ? {} : { clockSkew: Math.round((date - clock.wall()) / 1000) };
}

function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- a backend's words may hold control characters, a log line must not
  return text.replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029]+/g, " ").trim().slice(0, SAMPLE_CHARS_MAX);
}
