/**
 * A request the receiver does not take, as an error that carries its HTTP status and the reason it is counted
 * under: thrown anywhere between socket and group, answered in one place.
 * @module
 */

/** Why a request was refused; a key of `ReceiverReport.refused`. */
export type RefusalReason =
  | "malformed"
  | "head_too_large"
  | "method"
  | "path"
  | "host"
  | "origin"
  | "expectation"
  | "content_type"
  | "content_encoding"
  | "too_large"
  | "bad_body"
  | "bytes_in_flight"
  | "full"
  | "internal";

/** How a refusal is answered, beside its words. */
export interface RefusalOptions extends ErrorOptions {
  readonly status: number;
  readonly reason: RefusalReason;
  /** Seconds; with 429 and 503. */
  readonly retryAfter?: number;
}

/** Thrown for a request that is answered with another status than 200. */
export class RefusedRequest extends Error {
  override readonly name = "RefusedRequest";
  readonly status: number;
  readonly reason: RefusalReason;
  readonly retryAfter: number | undefined;

  constructor(message: string, options: RefusalOptions) {
    super(message, options);
    this.status = options.status;
    this.reason = options.reason;
    this.retryAfter = options.retryAfter;
  }
}

/** A request that is no HTTP: the connection cannot go on after it. */
export function malformed(found: string, rule: string): RefusedRequest {
  return new RefusedRequest(`Cannot read HTTP request: ${found}, expected ${rule}`, {
    status: 400,
    reason: "malformed",
  });
}

/** A body that is not what its header says: 400. */
export function badBody(message: string, cause: unknown): RefusedRequest {
  return new RefusedRequest(message, { status: 400, reason: "bad_body", cause });
}
