/**
 * What a transport is to the OpAMP client, and what its two kinds share: credentials that are read anew for each
 * attempt, and how an HTTP status becomes a failure (opamp 3.6).
 * @module
 */
import { fromBinary } from "@bufbuild/protobuf";
import type { Clock } from "../exporters/clock.ts";
import { parseHttpDate } from "../exporters/retry_after.ts";
import { ServerToAgentSchema } from "../proto_gen/opamp/opamp_pb.ts";
import type { EngineEvent } from "./opamp_state.ts";
import type { Failure } from "./opamp_wait.ts";

/** With what a connection is made. Read for each attempt, so that a changed file counts without a restart. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  /** PEM. When polling they are trusted beside the system's, over WebSocket instead of them. */
  readonly caCerts?: readonly string[];
  readonly clientCert?: string;
  readonly clientKey?: string;
  /** URL; HTTP polling only. */
  readonly proxy?: string;
}

/** What a transport may tell the engine. */
export type LinkEvent = Extract<EngineEvent, { type: "opened" | "sent" | "answer" | "failure" }>;

/** A way to one server. Calls never throw: what happened comes back as events. */
export interface Link {
  readonly connect: () => void;
  readonly send: (bytes: Uint8Array<ArrayBuffer>, uid: string) => void;
  /** Ends the exchange in flight without an event. */
  readonly abort: () => void;
  /** Ends the connection in good order, without an event. */
  readonly close: () => void;
}

/** What a transport is opened with. */
export interface LinkContext {
  readonly endpoint: string;
  readonly credentials: () => Promise<Credentials>;
  readonly userAgent: string;
  /** Of a whole exchange, or of an upgrade. */
  readonly timeoutMs: number;
  /** In either direction, uncompressed. */
  readonly messageBytesMax: number;
  /** Large HTTP requests as gzip; over WebSocket, permessage-deflate. */
  readonly compression: boolean;
  readonly clock: Clock;
  readonly emit: (event: LinkEvent) => void;
}

const REASON_MAX = 200;

/** An error's own words, without addresses that may hold secrets. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replaceAll(/\b(?:https?|wss?):\/\/\S+/g, "server").replaceAll(/\s+/g, " ").slice(0, REASON_MAX);
}

/** What a header says to wait, in milliseconds; undefined when it says nothing usable. */
function askedMs(retryAfter: string | null, date: string | null, wallMs: number): number | undefined {
  const value = retryAfter?.trim() ?? "";
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = parseHttpDate(value);
  if (at === undefined) return undefined;
  // Against the server's own clock, so that ours may be wrong.
  const wait = at - (parseHttpDate(date?.trim() ?? "") ?? wallMs);
  return wait > 0 ? wait : undefined;
}

/** The failure that an HTTP status other than 200 is. */
export function failureOf(
  status: number,
  header: (name: string) => string | null,
  wallMs: number,
): Failure {
  const reason = `status ${status}`;
  if (status === 429 || status === 503) {
    const waitMs = askedMs(header("retry-after"), header("date"), wallMs);
    return { kind: "throttled", reason, ...(waitMs === undefined ? {} : { waitMs }) };
  }
  if (status === 401 || status === 403) return { kind: "unauthorized", reason };
  if (status === 413) return { kind: "tooLarge", reason };
  if (status === 400) return { kind: "badRequest", reason };
  if (status === 408 || status === 425 || status >= 500) return { kind: "network", reason };
  return { kind: "refused", reason: status >= 300 && status < 400 ? `redirect ${status}` : reason };
}

/** The event that a body is. */
export function decodeAnswer(bytes: Uint8Array): LinkEvent {
  try {
    return { type: "answer", message: fromBinary(ServerToAgentSchema, bytes) };
  } catch (error) {
    return { type: "failure", failure: { kind: "malformed", reason: `not OpAMP: ${reasonOf(error)}` } };
  }
}
