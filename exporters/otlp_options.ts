/**
 * Every option of an OTLP client, with default and bounds, in one table: what is not in it does not exist
 * (otlp P13).
 * @module
 */
import type { Signal } from "./batch.ts";
import type { DropPolicy } from "./queue.ts";

/** An option that is a number, with its bounds, both allowed. */
export interface NumberRow {
  /** Absent: the option is off unless given. */
  readonly default: number | Readonly<Record<Signal, number>> | undefined;
  readonly min: number;
  readonly max: number;
  readonly about: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MIB = 1024 * 1024;

/** Options that each signal may set for itself and that are numbers. */
export type SignalNumber =
  | "timeoutMs"
  | "attempts"
  | "maxAgeMs"
  | "backoffInitialMs"
  | "backoffMaxMs"
  | "backoffMultiplier"
  | "retryAfterMaxMs"
  | "breakerThreshold"
  | "breakerResetMs"
  | "batchItems"
  | "batchBytes"
  | "flushIntervalMs"
  | "queueItems"
  | "concurrency";

/** Their bounds. */
export const SIGNAL_NUMBERS: Readonly<Record<SignalNumber, NumberRow>> = {
  timeoutMs: {
    default: 10_000,
    min: 1,
    max: 10 * MINUTE_MS,
    about: "Longest time of one attempt, answer included",
  },
  attempts: { default: Infinity, min: 1, max: Infinity, about: "Attempts a batch gets before it is dropped" },
  maxAgeMs: {
    default: 2 * DAY_MS,
    min: 1_000,
    max: 30 * DAY_MS,
    about: "Age at which a queued batch is dropped",
  },
  backoffInitialMs: {
    default: 1_000,
    min: 100,
    max: HOUR_MS,
    about: "Ceiling of the first wait; full jitter below it",
  },
  backoffMaxMs: { default: MINUTE_MS, min: 100, max: HOUR_MS, about: "Ceiling of every wait" },
  backoffMultiplier: { default: 2, min: 1, max: 10, about: "Growth of the ceiling from failure to failure" },
  retryAfterMaxMs: {
    default: 5 * MINUTE_MS,
    min: 0,
    max: DAY_MS,
    about: "Longest wait a server may ask for",
  },
  breakerThreshold: { default: 5, min: 1, max: 1_000, about: "Failures in a row that open the breaker" },
  breakerResetMs: {
    default: undefined,
    min: 100,
    max: HOUR_MS,
    about:
      "Wait before an open breaker probes; absent: the backoff, or 30 s doubling to 15 min for a refused key",
  },
  batchItems: { default: 8_192, min: 1, max: 1_000_000, about: "Points, records or spans in one request" },
  batchBytes: {
    default: MIB / 2,
    min: 1_024,
    max: 64 * MIB,
    about: "Bytes of one request before compression",
  },
  flushIntervalMs: {
    default: { metrics: 1_000, logs: 1_000, traces: 5_000 },
    min: 10,
    max: 10 * MINUTE_MS,
    about: "Longest time an item waits for its batch to fill",
  },
  queueItems: { default: 16_384, min: 1, max: 10_000_000, about: "Items that wait to be made into a batch" },
  concurrency: {
    default: 1,
    min: 1,
    max: 16,
    about: "Requests on their way at a time; above 1 the order is not kept",
  },
};

/** Memory of the client as a whole. */
export const QUEUE_BYTES: NumberRow = {
  default: 4 * MIB,
  min: 64 * 1024,
  max: 1024 * MIB,
  about: "Memory for batches of all signals; as much again may wait, per signal, to be made into batches",
};

/** An option with named values. */
export interface ChoiceRow<Value extends string> {
  /** The first is the default. */
  readonly values: readonly [Value, ...Value[]];
  readonly about: string;
}

/** How request bodies are compressed. */
export type Compression = "gzip" | "none";

export const COMPRESSION: ChoiceRow<Compression> = {
  values: ["gzip", "none"],
  about: "Of bodies of 1 KiB and more",
};

export const ENCODING: ChoiceRow<"protobuf" | "json"> = {
  values: ["protobuf", "json"],
  about: "How requests are written",
};

export const DROP_POLICY: ChoiceRow<DropPolicy> = {
  values: ["oldest", "newest"],
  about: "What a full queue gives up",
};

/** What may differ from signal to signal; every number as in `SIGNAL_NUMBERS`. */
export interface SignalOptions extends Readonly<Partial<Record<SignalNumber, number>>> {
  /** For all signals a base, to which `/v1/traces` and so on are appended; for one signal the URL itself. */
  readonly endpoint?: string;
  /** Sent with every request; names in any case. A signal's own headers replace them all. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly compression?: Compression;
  readonly encoding?: "protobuf" | "json";
}

/** How the server is reached and believed. PEM texts, not paths: a client needs no right to read files. */
export interface TlsOptions {
  /** Certificates trusted beside the system's. */
  readonly caCerts?: readonly string[];
  readonly clientCert?: string;
  readonly clientKey?: string;
  /** Absent: the proxy variables of the environment apply. */
  readonly proxy?: string;
  /** True: verify no certificate. Needs `--allow-env` and `--allow-sys` as well. */
  readonly insecure?: boolean;
}

/** What delivery takes from the client's options. */
export interface DeliverySettings extends SignalOptions {
  /** Bytes, as in `QUEUE_BYTES`. */
  readonly queueBytes?: number;
  readonly dropPolicy?: DropPolicy;
  /** What one signal does otherwise; false: nothing of it is ever sent. */
  readonly metrics?: SignalOptions | false;
  readonly logs?: SignalOptions | false;
  readonly traces?: SignalOptions | false;
  readonly tls?: TlsOptions;
}

/** The table as people read it: name, default, bounds, meaning. `docs/otlp.md` is checked against it. */
export function optionRows(): string[][] {
  const shown = (value: number) => value === Infinity ? "no limit" : String(value);
  const numbers = Object.entries({ ...SIGNAL_NUMBERS, queueBytes: QUEUE_BYTES }).map(([name, row]) => {
    const usual = typeof row.default === "object"
      ? Object.entries(row.default).map(([signal, value]) => `${signal} ${value}`).join(", ")
      : row.default === undefined
      ? "off"
      : shown(row.default);
    return [name, usual, row.max === Infinity ? `${row.min} or more` : `${row.min} to ${row.max}`, row.about];
  });
  const choices = Object.entries({ compression: COMPRESSION, encoding: ENCODING, dropPolicy: DROP_POLICY })
    .map(([name, { values, about }]) => [name, values[0], values.join(", "), about]);
  return [...numbers, ...choices];
}
