/**
 * A batch: the bytes of one OTLP export request with a header that says all the courier must know without
 * looking inside. It has the same form whether the sensor, the receiver, `exec` or the control socket hands it in.
 * @module
 */

/** OTLP's three signals, by the last part of their path. */
export type Signal = "metrics" | "logs" | "traces";

export const SIGNALS: readonly Signal[] = ["metrics", "logs", "traces"];

/**
 * How the body is written: OTLP's two ways, or "native", by an encoder of the destination's own (presets/native.ts):
 * then the body is one JSON object whose only list holds the items.
 */
export type Encoding = "protobuf" | "json" | "native";

/** Aggregation temporality of the sums and histograms inside. */
export type Temporality = "cumulative" | "delta";

/** What crosses a port beside the bytes (design 2). */
export interface BatchHeader {
  /** Destination name; "default" for the unnamed one. */
  readonly destination: string;
  readonly signal: Signal;
  readonly encoding: Encoding;
  /** Data points, spans or log records inside. */
  readonly items: number;
  /** First and last time inside, milliseconds since 1970. */
  readonly firstTimeMs: number;
  readonly lastTimeMs: number;
  /** Counts up per sender, never reused in one life of the process. */
  readonly sequence: number;
  /** Body bytes before compression: what destinations limit. */
  readonly uncompressedBytes: number;
  /** Delta lanes only: the ledger state that becomes true when this batch is kept (otlp M13), as JSON. */
  readonly deltaBaseline?: string;
}

/** What tells lanes apart. */
export function laneKey({ destination, signal }: Pick<BatchHeader, "destination" | "signal">): string {
  return `${destination} ${signal}`;
}

/** Who hands a batch in. */
export type Origin = "sensor" | "receiver" | "control";

/** One body for one or more lanes that want the same bytes. The body is transferred, not copied. */
export interface BatchMessage {
  readonly type: "batch";
  readonly origin: Origin;
  readonly headers: readonly BatchHeader[];
  readonly body: Uint8Array<ArrayBuffer>;
  /** True when the body is gzip already. */
  readonly gzipped: boolean;
}
