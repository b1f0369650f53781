/**
 * What a failed fetch means. The runtime gives no codes, only texts from its HTTP and TLS libraries, so this is an
 * ordered table of patterns; tests/classify_test.ts provokes each real failure, and a runtime upgrade that changes
 * a text fails there (otlp 4.6, deno.md 4, F47).
 * @module
 */
import type { Refused, Retryable } from "./outcome.ts";

/** One row: the first pattern that matches decides. */
interface Row {
  readonly pattern: RegExp;
  readonly cause: string;
  /** "retry": class A. "hold": class C, the batch was not judged. "drop": class B. */
  readonly verdict: "retry" | "hold" | "drop";
  readonly freshClient?: true;
}

const ROWS: readonly Row[] = [
  { pattern: /TimeoutError|os error 110/, cause: "timeout", verdict: "retry", freshClient: true },
  { pattern: /Requires net access/, cause: "permission", verdict: "hold" },
  { pattern: /message head is too large/, cause: "response_too_large", verdict: "drop" },
  { pattern: /proxy auth(entication|orization) required/i, cause: "proxy_auth", verdict: "hold" },
  { pattern: /unsuccessful tunnel/, cause: "proxy", verdict: "retry" },
  { pattern: /dns error|failed to lookup address/, cause: "dns", verdict: "retry" },
  { pattern: /os error 111/, cause: "refused", verdict: "retry" },
  { pattern: /os error (101|113)/, cause: "unreachable", verdict: "retry" },
  { pattern: /os error (104|32)\b/, cause: "reset", verdict: "retry" },
  {
    pattern: /handshake eof|before message completed|unexpected eof|close_notify/i,
    cause: "closed",
    verdict: "retry",
  },
  { pattern: /peer certificate|keys may not be consistent/, cause: "certificate", verdict: "hold" },
  { pattern: /fatal alert/, cause: "tls", verdict: "hold" },
  { pattern: /InvalidContentType/, cause: "tls_to_plain", verdict: "hold" },
  { pattern: /invalid HTTP version/, cause: "not_http", verdict: "hold" },
  { pattern: /Invalid URL|Url scheme|Requests to port|[Ii]nvalid header/, cause: "config", verdict: "hold" },
];

const URL_TEXT = /\s*(for url )?\(?https?:\/\/[^\s)]*\)?:?/g;
const WORDS_MAX = 300;

/** The words of an error and its causes in one line, without URLs: those may carry names a log must not. */
export function errorWords(error: unknown): string {
  const words: string[] = [];
  let current = error;
  // A chain of causes is short; the bound is against one that refers to itself.
  for (let depth = 0; current instanceof Error && depth < 5; depth++) {
    const name = current.name === "Error" || current.name === "TypeError" ? "" : `${current.name}: `;
    words.push(name + current.message);
    current = current.cause;
  }
  const text = words.length > 0 ? words.join(": ") : String(error);
  return text.replace(URL_TEXT, "").replace(/\s+/g, " ").slice(0, WORDS_MAX);
}

/** The outcome of an attempt that had no HTTP answer. Unknown texts are retryable: nothing is lost by trying. */
export function classifyError(error: unknown): Retryable | Refused {
  const message = errorWords(error);
  const row = ROWS.find(({ pattern }) => pattern.test(message));
  if (row === undefined) return { kind: "retryable", cause: "unknown", message, freshClient: true };
  const { cause, verdict } = row;
  if (verdict === "retry") {
    return { kind: "retryable", cause, message, ...(row.freshClient && { freshClient: true }) };
  }
  const keep = verdict === "hold";
  return { kind: "refused", class: keep ? "destination" : "batch", cause, message, keep };
}
