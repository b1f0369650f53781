/**
 * What a one-shot verb has to say, as the batches of every lane that takes it: encoded once per distinct form, each
 * metric in the lane's temporality.
 * @module
 */
import type { BatchMessage, Signal, Temporality } from "./batch.ts";
import { batchOf, type Encoded, type Scope } from "./encoder.ts";
import { coarser } from "./coarser_histogram.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { NativeLane } from "./one_shot_native.ts";
import type { LogRecordData, MetricData, SpanData } from "./otlp_data.ts";
import { encodeLogs } from "./otlp_logs.ts";
import { encodeMetrics } from "./otlp_metrics.ts";
import type { RequestOptions } from "./otlp_request.ts";
import { encodeTraces } from "./otlp_traces.ts";
import type { AnyAttributes } from "./otlp_values.ts";
import { withCopies } from "./resource_copies.ts";

/** Data of all signals; each part may be missing. */
export interface Contents {
  readonly resource: AnyAttributes;
  readonly scope: Scope;
  readonly metrics?: (temporality: Temporality) => readonly MetricData[];
  readonly logs?: readonly LogRecordData[];
  readonly spans?: readonly SpanData[];
}

/** What of a lane decides how its batches are written. */
export type OneShotLane =
  & NativeLane
  & Pick<LaneConfig, "destination" | "signal" | "resourceCopies" | "bucketsMax">;

function formOf(lane: OneShotLane): string {
  const { signal, encoding, temporality, naming, native, resourceCopies } = lane;
  const { batchBytesMax, batchItemsMax, bucketsMax } = lane;
  return JSON.stringify([
    ...[signal, encoding, temporality, naming, native, resourceCopies],
    ...[batchBytesMax, batchItemsMax, bucketsMax],
  ]);
}

async function encodeFor(contents: Contents, lane: OneShotLane): Promise<readonly Encoded[]> {
  const { scope, metrics, logs = [], spans = [] } = contents;
  const resource = withCopies(contents.resource, lane.resourceCopies);
  const { encoding, batchBytesMax, batchItemsMax, temporality } = lane;
  if (encoding === "native") {
    // Few destinations need it, and it brings the encoder of host metrics.
    const { encodeNative } = await import("./one_shot_native.ts");
    return encodeNative({ resource, scope, metrics: metrics?.(temporality) ?? [] }, lane);
  }
  const options: RequestOptions = { encoding, batchBytesMax, batchItemsMax };
  const head = { resource, scope };
  switch (lane.signal) {
    case "metrics":
      return encodeMetrics(coarser(metrics?.(temporality) ?? [], lane.bucketsMax), head, options).batches;
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

/** The batches for every lane that takes them; `sequence` numbers those of one process. */
export async function encodeOneShot(
  contents: Contents,
  lanes: readonly OneShotLane[],
  sequence: () => number,
): Promise<BatchMessage[]> {
  const wanted = lanes.filter((lane) => has(contents, lane.signal));
  const batches: BatchMessage[] = [];
  for (const members of Map.groupBy(wanted, formOf).values()) {
    const [first] = members;
    if (first === undefined) continue;
    for (const encoded of await encodeFor(contents, first)) {
      batches.push(batchOf(encoded, { origin: "control", lanes: members, sequence: sequence() }));
    }
  }
  return batches;
}
