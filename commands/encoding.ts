/**
 * The encoders in front of whatever takes their batches, with what deltas begin from. A file of its own, loaded while
 * the courier starts.
 * @module
 */
import { baselineFromJson, baselineToJson, toDelta } from "../collectors/delta.ts";
import { type Derive, FanOut, type FanOutOptions } from "../exporters/fan_out.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import { VERSION } from "./build.ts";

/** Of which boot and since when deltas are. */
export interface DeltaOrigin {
  readonly bootId: string;
  /** When this life began, nanoseconds since 1970. */
  readonly startedNs: bigint;
}

/** Deltas from a saved baseline on, which is true for its own boot only. */
function deltaOpener({ bootId, startedNs }: DeltaOrigin): (saved: string | undefined) => Derive {
  return (saved) => {
    let baseline = baselineFromJson(saved, bootId);
    return (snapshot) => {
      const derived = toDelta(snapshot, baseline, { sinceNs: startedNs });
      baseline = derived.baseline;
      return { snapshot: derived.snapshot, baseline: baselineToJson(baseline) };
    };
  };
}

/** The encoders of these lanes. */
export function newFanOut(
  lanes: readonly LaneConfig[],
  { baselines, send, ...origin }: DeltaOrigin & Pick<FanOutOptions, "baselines" | "send">,
): FanOut {
  const scope = { name: "sonde", version: VERSION };
  return new FanOut(lanes, { scope, send, baselines, openDelta: deltaOpener(origin) });
}
