/**
 * What a one-shot verb has to say, as the batches of every lane that takes it: encoded once per distinct form, each
 * metric in the lane's temporality.
 * @module
 */
import type { BatchMessage, Encoding, Signal, Temporality } from "./batch.ts";
import type { Encoded, Scope } from "./encoder.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { LogRecordData, MetricData, SpanData } from "./otlp_data.ts";
import { encodeLogs } from "./otlp_logs.ts";
import { encodeMetrics } from "./otlp_metrics.ts";
import type { RequestOptions } from "./otlp_request.ts";
import { encodeTraces } from "./otlp_traces.ts";
import type { AnyAttributes } from "./otlp_values.ts";

/** Data of all signals; each part may be missing. */
export interface Contents {
  readonly resource: AnyAttributes;
  readonly scope: Scope;
  readonly metrics?: (temporality: Temporality) => readonly MetricData[];
  readonly logs?: readonly LogRecordData[];
  readonly spans?: readonly SpanData[];
}

/** Batches, and the lanes that do not take what there was for them. */
export interface OneShot {
  readonly batches: readonly BatchMessage[];
  /** Lanes whose own encoding has no form for these metrics. */
  readonly refusing: readonly OneShotLane[];
}

/** What of a lane decides how its batches are written. */
export type OneShotLane = Pick<
  LaneConfig,
  "destination" | "signal" | "encoding" | "temporality" | "batchBytesMax" | "batchItemsMax"
>;

function formOf({ signal, encoding, temporality, batchBytesMax, batchItemsMax }: OneShotLane): string {
  return JSON.stringify([signal, encoding, temporality, batchBytesMax, batchItemsMax]);
}

function encodeFor(contents: Contents, lane: OneShotLane): readonly Encoded[] {
  const { resource, scope, metrics, logs = [], spans = [] } = contents;
  const { encoding, batchBytesMax, batchItemsMax, temporality } = lane;
  const options: RequestOptions = { encoding, batchBytesMax, batchItemsMax };
  const head = { resource, scope };
  switch (lane.signal) {
    case "metrics":
      return encodeMetrics(metrics?.(temporality) ?? [], head, options).batches;
    case "logs":
      return encodeLogs(logs, head, options).batches;
    case "traces":
      return encodeTraces(spans, head, options).batches;
  }
}

function has({ metrics, logs = [], spans = [] }: Contents, signal: Signal): boolean {
  if (signal === "metrics") return metrics !== undefined;
  return signal === "logs" ? logs.length > 0 : spans.length > 0;
}

/** A lane's encoding that speaks OTLP. */
function isOtlp(encoding: Encoding): boolean {
  return encoding !== "native";
}

/** Encodes for every lane; `sequence` numbers the batches of one process. */
export function encodeOneShot(
  contents: Contents,
  lanes: readonly OneShotLane[],
  sequence: () => number,
): OneShot {
  const wanted = lanes.filter((lane) => has(contents, lane.signal));
  const groups = [...Map.groupBy(wanted.filter(({ encoding }) => isOtlp(encoding)), formOf).values()];
  const batches = groups.flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    return encodeFor(contents, first).map(({ body, items, firstTimeMs, lastTimeMs }): BatchMessage => {
      const { signal, encoding } = first;
      const header = { signal, encoding, items, firstTimeMs, lastTimeMs, sequence: sequence() };
      const headers = members.map(({ destination }) => ({
        destination,
        ...header,
        uncompressedBytes: body.length,
      }));
      return { type: "batch", origin: "control", headers, body, gzipped: false };
    });
  });
  return { batches, refusing: wanted.filter(({ encoding }) => !isOtlp(encoding)) };
}
