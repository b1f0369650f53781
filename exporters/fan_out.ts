/**
 * One cycle to all its lanes: encoded once per distinct (naming, temporality, encoding, limits), and the same bytes
 * handed to every lane that wants them (design 8).
 * @module
 */
import type { Attributes, Snapshot } from "../collectors/metric.ts";
import type { BatchMessage } from "./batch.ts";
import { batchOf, type Discarded, type MetricsEncoder, type Scope } from "./encoder.ts";
import type { LaneConfig } from "./lane_config.ts";
import type { LaneBaseline } from "./messages.ts";
import { createMetricsEncoder } from "./metrics_encoder.ts";
import { CopiedResource } from "./resource_copies.ts";

/** A snapshot whose sums are deltas, with the baseline that becomes true when its batches are kept. */
export interface DeltaSnapshot {
  readonly snapshot: Snapshot;
  readonly baseline: string;
}

/** Derives deltas cycle by cycle, from a saved baseline on. */
export type Derive = (snapshot: Snapshot) => DeltaSnapshot;

/** Lanes that want the same bytes. */
interface Group {
  readonly lanes: readonly LaneConfig[];
  readonly first: LaneConfig;
  readonly encoder: MetricsEncoder;
  /** Present for delta lanes. */
  readonly derive: Derive | undefined;
  readonly resource: CopiedResource;
  /** Where it stands after the last cycle. */
  baseline: string | undefined;
}

function openGroups(
  lanes: readonly LaneConfig[],
  baselines: readonly LaneBaseline[],
  openDelta: FanOutOptions["openDelta"],
): Group[] {
  const baselineOf = ({ destination, signal, temporality }: LaneConfig) =>
    temporality === "delta"
      ? baselines.find((one) => one.destination === destination && one.signal === signal)?.baseline
      : undefined;
  const keyOf = (lane: LaneConfig) => {
    const { naming, temporality, encoding, native, resourceCopies, batchBytesMax, batchItemsMax } = lane;
    return JSON.stringify([
      ...[naming, temporality, encoding, native, resourceCopies, batchBytesMax, batchItemsMax],
      baselineOf(lane),
    ]);
  };
  const byKey = Map.groupBy(lanes.filter((lane) => lane.signal === "metrics"), keyOf);
  return [...byKey.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const { naming, encoding, temporality, native } = first;
    const baseline = baselineOf(first);
    const encoder = createMetricsEncoder({
      ...{ naming, encoding, temporality },
      ...(native !== undefined && { native }),
    });
    const derive = temporality === "delta" ? openDelta(baseline) : undefined;
    const resource = new CopiedResource(first.resourceCopies);
    return [{ lanes: members, first, encoder, derive, resource, baseline }];
  });
}

export interface FanOutOptions {
  readonly scope: Scope;
  readonly send: (message: BatchMessage) => void;
  /** Where delta lanes stood when an earlier life kept their last batch. */
  readonly baselines: readonly LaneBaseline[];
  readonly openDelta: (baseline: string | undefined) => Derive;
}

/** The sensor's way out. */
export class FanOut {
  readonly #options: FanOutOptions;
  #groups: readonly Group[];
  #sequence = 0;
  /** By encoders that were replaced. */
  #discarded: Discarded = { nonFinite: 0, oversize: 0 };

  /** Takes the metrics lanes among `lanes`. Delta lanes that stand at different baselines are kept apart. */
  constructor(lanes: readonly LaneConfig[], options: FanOutOptions) {
    this.#options = options;
    this.#groups = openGroups(lanes, options.baselines, options.openDelta);
  }

  /** Takes the same lanes with other names of metrics from the next cycle on; delta lanes go on where they stand. */
  rename(lanes: readonly LaneConfig[]): void {
    this.#discarded = this.discarded();
    const baselines = this.#groups.flatMap(({ lanes: members, baseline }) =>
      baseline === undefined
        ? []
        : members.map(({ destination, signal }) => ({ destination, signal, baseline }))
    );
    this.#groups = openGroups(lanes, baselines, this.#options.openDelta);
  }

  /** Encodes and hands over one cycle. */
  deliver(resource: Attributes, snapshot: Snapshot): void {
    for (const group of this.#groups) {
      const derived = group.derive?.(snapshot);
      group.baseline = derived?.baseline;
      const input = {
        resource: group.resource.of(resource),
        scope: this.#options.scope,
        snapshot: derived?.snapshot ?? snapshot,
      };
      for (const encoded of group.encoder.encode(input, group.first)) {
        const sequence = ++this.#sequence;
        const form = {
          origin: "sensor",
          lanes: group.lanes,
          sequence,
          deltaBaseline: derived?.baseline,
        } as const;
        this.#options.send(batchOf(encoded, form));
      }
    }
  }

  /** Points left out by the encoders, by reason. */
  discarded(): Discarded {
    const total: Discarded = { ...this.#discarded };
    for (const { encoder } of this.#groups) {
      total.nonFinite += encoder.discarded.nonFinite;
      total.oversize += encoder.discarded.oversize;
    }
    return total;
  }
}
