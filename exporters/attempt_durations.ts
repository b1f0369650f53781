/**
 * How long a lane's attempts took, by what came of them: a histogram each, in the words of the semantic conventions'
 * `otel.sdk.exporter.operation.duration`. What a backend can answer is bounded here, not there.
 * @module
 */
import { DURATION_BOUNDS } from "../collectors/duration_bounds.ts";
import { Histogram } from "./otlp_histogram.ts";
import type { Outcome } from "./outcome.ts";
import type { DurationReport } from "./report.ts";

/** Kinds of ends that are told apart; later ones are one. */
const KINDS_MAX = 12;
/** The conventions' word for an error that has no room of its own. */
const OTHER = "_OTHER";

type Kind = Pick<DurationReport, "status" | "errorType">;

/** Absent for what went well. A success in part is none (otlp R4). */
function errorTypeOf(outcome: Outcome): string | undefined {
  if (outcome.kind === "accepted") return outcome.rejected > 0 ? "rejected" : undefined;
  return outcome.status === undefined ? outcome.cause : String(outcome.status);
}

export class AttemptDurations {
  readonly #kinds = new Map<string, { readonly kind: Kind; readonly histogram: Histogram }>();

  /** Counts an attempt. */
  record(outcome: Outcome, seconds: number): void {
    const { status } = outcome;
    const errorType = errorTypeOf(outcome);
    this.#histogramOf({
      ...(status !== undefined && { status }),
      ...(errorType !== undefined && { errorType }),
    }).record(Math.max(0, seconds));
  }

  /** All that were counted, in the order in which they first came. */
  report(): DurationReport[] {
    return [...this.#kinds.values()].map(({ kind, histogram }) => {
      const { bounds, bucketCounts, sum = 0, min = 0, max = 0 } = histogram.point();
      return { ...kind, bounds, bucketCounts: bucketCounts.map(Number), sum, min, max };
    });
  }

  #histogramOf(kind: Kind): Histogram {
    const name = `${kind.status} ${kind.errorType}`;
    const known = this.#kinds.get(name);
    if (known !== undefined) return known.histogram;
    if (this.#kinds.size > KINDS_MAX && kind.errorType !== OTHER) {
      return this.#histogramOf({ errorType: OTHER });
    }
    const histogram = new Histogram(DURATION_BOUNDS);
    this.#kinds.set(name, { kind, histogram });
    return histogram;
  }
}
