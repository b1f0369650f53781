/**
 * One lane: where one destination's data of one signal goes, and how. Resolved from configuration and preset
 * before the drop; the courier knows nothing else about a destination.
 * @module
 */
import type { Encoding, Signal, Temporality } from "./batch.ts";
import type { Naming } from "../collectors/metric.ts";
import type { HeaderTemplates } from "./presets/preset.ts";
import type { Fillings } from "./presets/resolve.ts";
import type { ResourceCopies } from "./resource_copies.ts";

/** TLS and proxy settings of a destination. Texts, not paths: the sender may have no right to read files. */
export interface TransportConfig {
  /** PEM texts added to the trust store. */
  readonly caCerts: readonly string[];
  readonly clientCert?: string;
  readonly clientKey?: string;
  /** Explicit proxy URL; absent: the environment's proxy variables apply. */
  readonly proxy?: string;
  /** Verify no certificate. Warned about at each start. */
  readonly insecure: boolean;
}

/** One round of attempts in profile heka, whose waits have no jitter. */
export interface RetryRound {
  readonly attemptsMax: number;
  /** Doubles from attempt to attempt, up to the other. */
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  /** Wait after a 429 without a usable Retry-After. */
  readonly retryAfterDefaultMs: number;
}

/** Waits after failures in a row; each is a random part of its ceiling. */
export interface BackoffConfig {
  /** Ceiling of the first wait; the next ones are `multiplier` times as high, up to `maxMs`. */
  readonly initialMs: number;
  readonly maxMs: number;
  readonly multiplier: number;
}

/** When a lane's breaker opens, and for how long. */
export interface BreakerConfig {
  /** Failures in a row that open it; absent: five. */
  readonly failures?: number;
  /** Wait before an open breaker lets a probe pass; absent: the backoff. */
  readonly resetMs?: number;
}

/** Retry behaviour (design 8). */
export interface RetryConfig {
  readonly profile: "otlp" | "heka";
  readonly retryAfterMaxMs: number;
  /** Absent: up to 1 s, doubling to 60 s. */
  readonly backoff?: BackoffConfig;
  readonly breaker?: BreakerConfig;
  /** Attempts a batch gets in all; absent: as many as its age allows. */
  readonly attemptsMax?: number;
  /** Profile heka only; absent: five attempts, 1 s doubling to 5 s. */
  readonly round?: RetryRound;
}

/** What a lane's headers are made of. */
export interface HeaderParts {
  /** The operator's own. */
  readonly given: Readonly<Record<string, string>>;
  /** The row's, and the settings in them. */
  readonly templates: HeaderTemplates;
  readonly fillings: Fillings;
  /** Heka's, where the row sends them. */
  readonly agent: Readonly<Record<string, string>>;
}

/** What a credential's file holds: a setting of the row's headers, headers, or a part of the transport. */
export type CredentialKind = "key" | "user" | "headers" | "ca" | "clientCert" | "clientKey" | "proxy";

/** Files that hold credentials, read again when the destination refuses those that are known. */
export interface CredentialFiles {
  readonly paths: Readonly<Partial<Record<CredentialKind, string>>>;
  readonly parts: HeaderParts;
}

/** All that a destination believes a sender by. */
export type Credentials = Pick<LaneConfig, "headers" | "transport">;

/** Which of the encoders in presets/native.ts writes a lane's bodies, and what it is told. */
export interface NativeForm {
  readonly format: string;
  readonly options: Readonly<Record<string, string>>;
}

/** A (destination, signal) pair. */
export interface LaneConfig {
  readonly destination: string;
  readonly signal: Signal;
  /** Preset name, for messages only. */
  readonly preset: string;
  readonly url: string;
  /** Lower-case names; never Content-Type, Content-Encoding, Content-Length or Host. */
  readonly headers: Readonly<Record<string, string>>;
  /** Present when any of its credentials has a file of its own. */
  readonly credentials?: CredentialFiles;
  /** Sends `x-agent-id`: the installation's id, unless `headers` have another. */
  readonly sendsAgentId?: true;
  /** Sends `x-idempotency-key`, the same on every retry of a batch. */
  readonly marksBatches?: true;
  readonly encoding: Encoding;
  /** Present for encoding "native". */
  readonly native?: NativeForm;
  readonly compression: "gzip" | "none";
  readonly timeoutMs: number;
  readonly naming: Naming;
  /** Resource attributes it wants under another key as well. */
  readonly resourceCopies?: ResourceCopies;
  readonly temporality: Temporality;
  /** Bytes before compression and items one request may hold. */
  readonly batchBytesMax: number;
  readonly batchItemsMax: number;
  /** Buckets that a histogram may have there; absent: any number. */
  readonly bucketsMax?: number;
  /** Older data is useless there and is dropped from the spool. */
  readonly maxAgeMs: number;
  /** What a status means at this kind of destination, added to the backend's own words. */
  readonly answers?: Readonly<Record<number, string>>;
  readonly transport: TransportConfig;
  readonly retry: RetryConfig;
}
