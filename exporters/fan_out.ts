/**
 * One cycle to all its lanes: encoded once per distinct (naming, temporality, encoding, limits), and the same bytes
 * handed to every lane that wants them (design 8).
 * @module
 */
import type { Attributes, Snapshot } from "../collectors/metric.ts";
import type { BatchMessage } from "./batch.ts";
import type { Discarded, MetricsEncoder, Scope } from "./encoder.ts";
import type { LaneConfig } from "./lane_config.ts";
import { createMetricsEncoder } from "./metrics_encoder.ts";

/** A snapshot whose sums are deltas, with the ledger state that becomes true when its batches are kept. */
export interface DeltaSnapshot {
  readonly snapshot: Snapshot;
  readonly baseline: string;
}

/** Lanes that want the same bytes. */
interface Group {
  readonly lanes: readonly LaneConfig[];
  readonly first: LaneConfig;
  readonly encoder: MetricsEncoder;
}

function groupKey(lane: LaneConfig): string {
  return [lane.naming, lane.temporality, lane.encoding, lane.batchBytesMax, lane.batchItemsMax].join(" ");
}

/** The sensor's way out. */
export class FanOut {
  readonly #groups: readonly Group[];
  readonly #scope: Scope;
  readonly #send: (message: BatchMessage) => void;
  #sequence = 0;

  /** Takes the metrics lanes among `lanes`. */
  constructor(lanes: readonly LaneConfig[], scope: Scope, send: (message: BatchMessage) => void) {
    this.#scope = scope;
    this.#send = send;
    const byKey = Map.groupBy(lanes.filter((lane) => lane.signal === "metrics"), groupKey);
    this.#groups = [...byKey.values()].flatMap((members) => {
      const [first] = members;
      if (first === undefined) return [];
      const { naming, encoding, temporality } = first;
      return [{ lanes: members, first, encoder: createMetricsEncoder({ naming, encoding, temporality }) }];
    });
  }

  /** True when a lane wants deltas. */
  get wantsDelta(): boolean {
    return this.#groups.some((group) => group.first.temporality === "delta");
  }

  /** Encodes and hands over one cycle; `delta` is asked for at most once, and only when a lane wants it. */
  deliver(resource: Attributes, snapshot: Snapshot, delta: () => DeltaSnapshot): void {
    let derived: DeltaSnapshot | undefined;
    for (const { lanes, first, encoder } of this.#groups) {
      const isDelta = first.temporality === "delta";
      if (isDelta) derived ??= delta();
      const input = {
        resource,
        scope: this.#scope,
        snapshot: isDelta && derived ? derived.snapshot : snapshot,
      };
      for (const { body, items, firstTimeMs, lastTimeMs } of encoder.encode(input, first)) {
        const header = {
          signal: "metrics",
          encoding: first.encoding,
          items,
          firstTimeMs,
          lastTimeMs,
          sequence: ++this.#sequence,
          uncompressedBytes: body.length,
          ...(isDelta && derived ? { deltaBaseline: derived.baseline } : {}),
        } as const;
        const headers = lanes.map(({ destination }) => ({ destination, ...header }));
        this.#send({ type: "batch", origin: "sensor", headers, body, gzipped: false });
      }
    }
  }

  /** Points left out by the encoders, by reason. */
  discarded(): Discarded {
    const total: Discarded = { nonFinite: 0, oversize: 0 };
    for (const { encoder } of this.#groups) {
      total.nonFinite += encoder.discarded.nonFinite;
      total.oversize += encoder.discarded.oversize;
    }
    return total;
  }
}
