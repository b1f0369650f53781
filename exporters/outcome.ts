/**
 * The outcome of one send, a three-way union: HTTP knowledge ends in the file that makes it (post.ts).
 * Classes as in otlp.md 4.4.
 * @module
 */

/** Accepted: a 2xx that is not HTML. `rejected` items are final loss (partial success), never resent. */
export interface Accepted {
  readonly kind: "accepted";
  readonly status: number;
  readonly rejected: number;
  /** The backend's own words, bounded; with `rejected` 0 it is a warning. */
  readonly message?: string;
  /** The 2xx body could not be decoded or came incomplete: accepted all the same (otlp R16). */
  readonly badResponse?: true;
  /** Backend clock minus ours in seconds, by the Date header. */
  readonly clockSkew?: number;
}

/** Class A: keep the batch, byte-identical, and try again. */
export interface Retryable {
  readonly kind: "retryable";
  /** Absent for transport errors. */
  readonly status?: number;
  /** "refused", "dns", "timeout", "reset", "closed", "unreachable", "throttled", "unavailable", … */
  readonly cause: string;
  readonly message: string;
  /** What the server asked for, already capped; never shorter. */
  readonly retryAfterMs?: number;
  /** The client must be re-created before the next attempt (deno.md fact 5). */
  readonly freshClient?: true;
}

/** Why a batch was refused for good. */
export type RefusalClass =
  /** B: this batch is at fault; drop it and go on. */
  | "batch"
  /** B2: too large; split and learn. */
  | "too_large"
  /** C: the destination is at fault (auth, TLS, redirect, HTML, path): hold the backlog. */
  | "destination";

/** Classes B, B2 and C. */
export interface Refused {
  readonly kind: "refused";
  readonly class: RefusalClass;
  /** Absent when no HTTP answer was had (TLS, URL). */
  readonly status?: number;
  /** "auth", "redirect", "html", "certificate", "bad_request", "too_large", "response_too_large", … */
  readonly cause: string;
  readonly message: string;
  /** True when the batch itself was not judged and must be kept (no HTTP answer, HTML, redirect). */
  readonly keep: boolean;
}

/** What became of one attempt. */
export type Outcome = Accepted | Retryable | Refused;
