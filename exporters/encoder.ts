/**
 * The encoders' contract: what goes in, what comes out, and what a request may hold.
 * @module
 */
import type { Attributes, Naming, Snapshot } from "../collectors/metric.ts";
import type { BatchMessage, Encoding, Origin, Temporality } from "./batch.ts";
import type { LaneConfig, NativeForm } from "./lane_config.ts";
import type { Slot } from "./metrics_layout.ts";

/** The bytes of one export request and what its header must say. */
export interface Encoded {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Data points, spans or log records inside. */
  readonly items: number;
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
}

/** Who hands a request in, for whom, and as which of its sender. */
export interface BatchOptions {
  readonly origin: Origin;
  /** All want these bytes. */
  readonly lanes: readonly Pick<LaneConfig, "destination" | "signal" | "encoding">[];
  readonly sequence: number;
  /** Delta lanes only. */
  readonly deltaBaseline?: string | undefined;
}

/** One request as the batch of all lanes that want its bytes. */
export function batchOf(
  encoded: Encoded,
  { origin, lanes, sequence, deltaBaseline }: BatchOptions,
): BatchMessage {
  const { body, ...contents } = encoded;
  const header = {
    ...contents,
    sequence,
    uncompressedBytes: body.length,
    ...(deltaBaseline === undefined ? {} : { deltaBaseline }),
  };
  const headers = lanes.map(({ destination, signal, encoding }) => ({
    ...{ destination, signal, encoding },
    ...header,
  }));
  return { type: "batch", origin, headers, body, gzipped: false };
}

/** Who wrote the data. */
export interface Scope {
  readonly name: string;
  readonly version: string;
}

/** What one cycle hands to the encoder. Resource and scope are compared by identity: a change is a new object. */
export interface MetricsInput {
  readonly resource: Attributes;
  readonly scope: Scope;
  readonly snapshot: Snapshot;
}

/** What one request may hold; a `LaneConfig` has these two. */
export interface EncodeLimits {
  /** Bytes before compression. */
  readonly batchBytesMax: number;
  readonly batchItemsMax: number;
}

/** What makes two lanes share their bytes. */
export interface MetricsEncoderOptions {
  readonly naming: Naming;
  readonly encoding: Encoding;
  /** Present for encoding "native". */
  readonly native?: NativeForm;
  /** Of monotonic sums; the snapshot must have been derived accordingly. Absent: cumulative. */
  readonly temporality?: Temporality;
}

/** The body of one request with the given slots of a snapshot. */
export type RenderSlots = (input: MetricsInput, slots: readonly Slot[]) => Uint8Array<ArrayBuffer>;

/** Makes the renderer of one lane from its options. */
export type NativeFormat = (options: NativeForm["options"]) => RenderSlots;

/** Points that were left out, by reason, since the encoder was made. */
export interface Discarded {
  nonFinite: number;
  /** A single point larger than a request may be. */
  oversize: number;
}

/** Encodes the snapshots of one sequence; keeps the last layout. */
export interface MetricsEncoder {
  /**
   * The requests of one snapshot, none when it has no points. Every body is a buffer of its own, to be transferred.
   * Throws `RangeError` for a snapshot without a time (otlp E11).
   */
  encode(input: MetricsInput, limits: EncodeLimits): readonly Encoded[];
  readonly discarded: Readonly<Discarded>;
}
