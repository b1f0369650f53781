/**
 * From an OTLP client's options to lanes. Endpoints follow OTLP's rule: a base gets the signal's path appended as text,
 * a signal's own endpoint is taken as it is (otlp P3, P13 and section 2).
 * @module
 */
import { type Signal, SIGNALS } from "./batch.ts";
import type { LaneConfig } from "./lane_config.ts";
import {
  type ChoiceRow,
  COMPRESSION,
  type DeliverySettings,
  DROP_POLICY,
  ENCODING,
  type NumberRow,
  QUEUE_BYTES,
  SIGNAL_NUMBERS,
  type SignalNumber,
  type SignalOptions,
} from "./otlp_options.ts";
import type { DropPolicy } from "./queue.ts";

/** What the batch processor of a signal keeps to. */
export interface BatchLimits {
  readonly batchItems: number;
  readonly batchBytes: number;
  readonly flushIntervalMs: number;
  readonly queueItems: number;
  readonly queueBytes: number;
  readonly dropPolicy: DropPolicy;
}

/** One signal, resolved. */
export interface SignalPlan {
  readonly signal: Signal;
  readonly limits: BatchLimits;
  /** One lane per request that may be on its way. */
  readonly lanes: readonly LaneConfig[];
}

/** A resolved set of options. */
export interface Plan {
  readonly signals: readonly SignalPlan[];
  readonly queueBytes: number;
  readonly dropPolicy: DropPolicy;
}

const ENDPOINT = "http://localhost:4318";
/** Headers that the sender writes itself. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  ...[
    "content-type",
    "content-encoding",
    "content-length",
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
  ],
]);

/** Checks every option. Throws a RangeError or TypeError that names the option, what was found and what is allowed. */
export function planOf(options: DeliverySettings): Plan {
  const queueBytes = numberOf("queueBytes", QUEUE_BYTES, options.queueBytes) ?? 0;
  const dropPolicy = choiceOf("dropPolicy", DROP_POLICY, options.dropPolicy);
  const signals = SIGNALS.flatMap((signal): SignalPlan[] => {
    const own = options[signal];
    if (own === false) return [];
    return [signalPlan(signal, { shared: options, own: own ?? {}, queueBytes, dropPolicy })];
  });
  return { signals, queueBytes, dropPolicy };
}

interface Given extends Pick<BatchLimits, "queueBytes" | "dropPolicy"> {
  readonly shared: DeliverySettings;
  readonly own: SignalOptions;
}

function signalPlan(signal: Signal, { shared, own, queueBytes, dropPolicy }: Given): SignalPlan {
  const chosen: SignalOptions = { ...shared, ...own };
  const number = (name: SignalNumber): number => {
    const row = SIGNAL_NUMBERS[name];
    const usual = typeof row.default === "object" ? row.default[signal] : undefined;
    const value = numberOf(name, row, chosen[name] ?? usual);
    if (value === undefined) throw new Error(`BUG: option "${name}" has no value`);
    return value;
  };
  const resetMs = numberOf("breakerResetMs", SIGNAL_NUMBERS.breakerResetMs, chosen.breakerResetMs);
  const lane: LaneConfig = {
    destination: "default",
    signal,
    preset: "otlp",
    url: endpointOf(signal, shared.endpoint, own.endpoint),
    headers: headersOf(chosen.headers ?? {}),
    encoding: choiceOf("encoding", ENCODING, chosen.encoding),
    compression: choiceOf("compression", COMPRESSION, chosen.compression),
    timeoutMs: number("timeoutMs"),
    naming: "semconv",
    temporality: "cumulative",
    batchBytesMax: number("batchBytes"),
    batchItemsMax: number("batchItems"),
    maxAgeMs: number("maxAgeMs"),
    transport: { ...shared.tls, caCerts: shared.tls?.caCerts ?? [], insecure: shared.tls?.insecure ?? false },
    retry: {
      profile: "otlp",
      retryAfterMaxMs: number("retryAfterMaxMs"),
      attemptsMax: number("attempts"),
      backoff: {
        initialMs: number("backoffInitialMs"),
        maxMs: number("backoffMaxMs"),
        multiplier: number("backoffMultiplier"),
      },
      breaker: { failures: number("breakerThreshold"), ...(resetMs !== undefined && { resetMs }) },
    },
  };
  const lanes = Array.from(
    { length: number("concurrency") },
    (_, at) => at === 0 ? lane : { ...lane, destination: `default${at + 1}` },
  );
  const { batchItemsMax: batchItems, batchBytesMax: batchBytes } = lane;
  const [flushIntervalMs, queueItems] = [number("flushIntervalMs"), number("queueItems")];
  return {
    signal,
    lanes,
    limits: { batchItems, batchBytes, flushIntervalMs, queueItems, queueBytes, dropPolicy },
  };
}

function numberOf(name: string, row: NumberRow, given: number | undefined): number | undefined {
  const value = given ?? (typeof row.default === "number" ? row.default : undefined);
  if (value === undefined || (value >= row.min && value <= row.max)) return value;
  throw new RangeError(
    `Cannot open an OTLP client: "${name}" is ${value}, expected ${row.min} to ${row.max}`,
  );
}

function choiceOf<T extends string>(name: string, { values }: ChoiceRow<T>, given: T | undefined): T {
  const value = given ?? values[0];
  if (values.includes(value)) return value;
  throw new TypeError(`Cannot open an OTLP client: "${name}" is "${value}", expected ${values.join(" or ")}`);
}

function endpointOf(signal: Signal, shared: string | undefined, own: string | undefined): string {
  const text = own ?? `${(shared ?? ENDPOINT).replace(/\/+$/, "")}/v1/${signal}`;
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.hash === "") return url.href;
  throw new TypeError(`Cannot open an OTLP client: endpoint is "${text}", expected an http or https URL`);
}

function headersOf(given: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [spelled, value] of Object.entries(given)) {
    const name = spelled.toLowerCase();
    const isToken = /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name);
    if (!isToken || OWN_HEADERS.has(name) || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new TypeError(
        `Cannot open an OTLP client: header "${spelled}" is refused, expected a header of yours in one line`,
      );
    }
    headers[name] = value;
  }
  return headers;
}
