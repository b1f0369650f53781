/**
 * What the three signals' encoders share: who is described, ids, times, and a message as bytes in either encoding.
 * Items that no backend can read are left out and counted, so that one bad item does not cost its batch.
 * @module
 */
import type { OtlpMessages } from "../proto_gen/otlp_fields.ts";
import type { Encoding } from "./batch.ts";
import type { Encoded, EncodeLimits, Scope } from "./encoder.ts";
import { cut } from "./cut.ts";
import { encodeMessage, messageJson } from "./otlp_message.ts";
import { type AnyAttributes, protoAttributes, wellFormed } from "./otlp_values.ts";

/** Who is described, and who wrote it. */
export interface RequestHead {
  readonly resource: AnyAttributes;
  readonly scope: Scope & { readonly attributes?: AnyAttributes };
  /** Of the conventions that names follow; absent: none. */
  readonly schemaUrl?: string;
}

/** How and how large. */
export interface RequestOptions extends EncodeLimits {
  readonly encoding: Encoding;
}

/** What was left out, by reason. */
export interface LeftOut {
  /** Items that break a rule of OTLP: no valid id or time, buckets that contradict their bounds, … */
  invalid: number;
  /** Items whose value is no finite number. */
  nonFinite: number;
  /** Items larger than a request may be. */
  oversize: number;
  /** Ids that are none, dropped from items that are kept (otlp E9). */
  badIds: number;
}

/** Requests and what they lack. */
export interface Requests {
  readonly batches: readonly Encoded[];
  readonly leftOut: LeftOut;
}

/** An item with what the encoder must know of it. */
export interface Item<T> {
  readonly init: T;
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

/** A fresh account. */
export function nothingLeftOut(): LeftOut {
  return { invalid: 0, nonFinite: 0, oversize: 0, badIds: 0 };
}

/** Cuts items into requests and writes each with `render`. */
export function requestsOf<T>(
  items: readonly Item<T>[],
  options: RequestOptions,
  { leftOut, render }: { leftOut: LeftOut; render: (items: readonly T[]) => Uint8Array<ArrayBuffer> },
): Requests {
  const pieces = cut(items, options, {
    render: (part) => render(part.map(({ init }) => init)),
    oversize: () => leftOut.oversize++,
  });
  const batches = pieces.map(({ items, body }): Encoded => ({
    body,
    items: items.length,
    firstTimeMs: milliseconds(items, (item) => item.firstNs, Math.min),
    lastTimeMs: milliseconds(items, (item) => item.lastNs, Math.max),
  }));
  return { batches, leftOut };
}

function milliseconds<T>(
  items: readonly Item<T>[],
  time: (item: Item<T>) => bigint,
  choose: (a: number, b: number) => number,
): number {
  return items.map((item) => Number(time(item) / 1_000_000n)).reduce((a, b) => choose(a, b));
}

/** A request as a body. */
export function bodyOf<M extends keyof OtlpMessages>(
  message: M,
  init: OtlpMessages[M],
  encoding: Encoding,
): Uint8Array<ArrayBuffer> {
  if (encoding === "protobuf") return encodeMessage(message, init);
  return new TextEncoder().encode(JSON.stringify(messageJson(message, init)));
}

/** Resource and scope in their protobuf form. */
export interface HeadInit {
  readonly resource: OtlpMessages["Resource"];
  readonly scope: OtlpMessages["InstrumentationScope"];
  readonly schemaUrl: string;
}

/** Makes them. */
export function headInit({ resource, scope, schemaUrl }: RequestHead): HeadInit {
  return {
    resource: { attributes: protoAttributes(resource) },
    scope: {
      name: wellFormed(scope.name),
      version: wellFormed(scope.version),
      attributes: protoAttributes(scope.attributes ?? {}),
    },
    schemaUrl: schemaUrl ?? "",
  };
}

const UINT32_END = 2 ** 32;

/** A count or flags field: what does not fit 32 bits is as good as absent. */
export function uint32(value: number | undefined): number {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value < UINT32_END ? value : 0;
}

const TIME_END = 2n ** 64n;

/** True for a time that a consumer accepts: after 1970 and 64 bits (otlp E11). */
export function isTime(timeNs: bigint): boolean {
  return timeNs > 0n && timeNs < TIME_END;
}

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/i;
const SPAN_ID = /^(?!0{16})[0-9a-f]{16}$/i;

/** Bytes of a trace id; undefined when it is none: wrong length, no hex, all zero. */
export function traceIdBytes(id: string): Uint8Array<ArrayBuffer> | undefined {
  return TRACE_ID.test(id) ? Uint8Array.fromHex(id) : undefined;
}

/** Bytes of a span id; undefined when it is none. */
export function spanIdBytes(id: string): Uint8Array<ArrayBuffer> | undefined {
  return SPAN_ID.test(id) ? Uint8Array.fromHex(id) : undefined;
}

/** Ids that an item may have or not: what is there but no id is dropped and counted. */
export function contextInit(
  { traceId, spanId }: { readonly traceId?: string; readonly spanId?: string },
  leftOut: LeftOut,
): { traceId?: Uint8Array<ArrayBuffer>; spanId?: Uint8Array<ArrayBuffer> } {
  const trace = traceId === undefined ? undefined : traceIdBytes(traceId);
  const span = spanId === undefined ? undefined : spanIdBytes(spanId);
  if (traceId !== undefined && trace === undefined) leftOut.badIds++;
  if (spanId !== undefined && span === undefined) leftOut.badIds++;
  // A span without its trace names nothing.
  if (trace === undefined) return {};
  return span === undefined ? { traceId: trace } : { traceId: trace, spanId: span };
}
