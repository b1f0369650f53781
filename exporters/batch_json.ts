/**
 * A batch as JSON, for the control socket: header fields and the body in base64. What comes in is judged before the
 * courier sees it, because whoever may open the socket may write anything.
 * @module
 */
import { type BatchHeader, type BatchMessage, type Encoding, type Signal, SIGNALS } from "./batch.ts";
import { PLAIN_BYTES_MAX } from "./gzip.ts";
import { isRecord } from "./json_value.ts";

/** What crosses the socket. */
export interface BatchJson {
  readonly headers: readonly Omit<BatchHeader, "deltaBaseline">[];
  readonly body: string;
  readonly gzipped: boolean;
}

const ENCODINGS: readonly Encoding[] = ["protobuf", "json", "native"];
/** Lanes of one body, bytes of a body and items inside: more is no batch of ours. */
const HEADERS_MAX = 64;
const BODY_BYTES_MAX = 4 * 1024 * 1024;
const ITEMS_MAX = 1_000_000;
const NAME = /^[a-z][a-z0-9]{0,62}$/;

/** A ledger's state stays with its owner: two of them for one lane would contradict each other. */
export function batchToJson({ headers, body, gzipped }: BatchMessage): BatchJson {
  return {
    headers: headers.map(({ deltaBaseline: _, ...header }) => header),
    body: body.toBase64(),
    gzipped,
  };
}

/** The batch, as one of the control socket's. Throws `TypeError` for what is none. */
export function batchFromJson(json: unknown): BatchMessage {
  const { headers, body, gzipped } = isRecord(json) ? json : {};
  if (!Array.isArray(headers) || headers.length === 0 || headers.length > HEADERS_MAX) {
    throw new TypeError(`Cannot take batch: headers are no list of 1 to ${HEADERS_MAX}`);
  }
  if (typeof body !== "string" || body.length > BODY_BYTES_MAX * 4 / 3 + 4) {
    throw new TypeError(`Cannot take batch: body is no text of at most ${BODY_BYTES_MAX} bytes in base64`);
  }
  return {
    type: "batch",
    origin: "control",
    headers: headers.map(headerFromJson),
    body: Uint8Array.fromBase64(body),
    gzipped: gzipped === true,
  };
}

function headerFromJson(json: unknown): BatchHeader {
  const fields: Record<string, unknown> = isRecord(json) ? json : {};
  const whole = (name: string, max: number): number => {
    const value = fields[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max) return value;
    throw new TypeError(`Cannot take batch: "${name}" is ${JSON.stringify(value)}, expected 0 to ${max}`);
  };
  const destination = fields["destination"];
  const signal = SIGNALS.find((each: Signal) => each === fields["signal"]);
  const encoding = ENCODINGS.find((each) => each === fields["encoding"]);
  if (typeof destination !== "string" || !NAME.test(destination)) {
    throw new TypeError(`Cannot take batch: destination is ${JSON.stringify(destination)?.slice(0, 80)}`);
  }
  if (signal === undefined || encoding === undefined) {
    throw new TypeError("Cannot take batch: signal or encoding is unknown");
  }
  return {
    destination,
    signal,
    encoding,
    items: whole("items", ITEMS_MAX),
    firstTimeMs: whole("firstTimeMs", Number.MAX_SAFE_INTEGER),
    lastTimeMs: whole("lastTimeMs", Number.MAX_SAFE_INTEGER),
    sequence: whole("sequence", Number.MAX_SAFE_INTEGER),
    uncompressedBytes: whole("uncompressedBytes", PLAIN_BYTES_MAX),
  };
}
