/**
 * A cycle for an interface that has no histograms: each becomes what is known of its measurements together, two counts
 * of their own behind a dot, `name.count` and `name.sum` (vendors.md 1.3; histogram_aggregates.ts does it for one-shot
 * verbs, whose histograms know their least and greatest too).
 * @module
 */
import type { Descriptor, Point, Series, Snapshot } from "../collectors/metric.ts";

/** The series of one histogram. */
interface Aggregates {
  readonly count: Series;
  readonly sum: Series;
}

function aggregatesOf({ descriptor, ...series }: Series): Aggregates {
  const { name, unit, description, source } = descriptor;
  const make = (which: string, how: Pick<Descriptor, "unit" | "valueType">): Series => ({
    ...series,
    descriptor: {
      ...{ kind: "sum", monotonic: true, description, source, ...how },
      name: `${name}.${which}`,
    },
  });
  return {
    count: make("count", { unit: "1", valueType: "int" }),
    sum: make("sum", { unit, valueType: "double" }),
  };
}

/** Knows the series it has made: encoders tell a series by its object. */
export class NativePoints {
  readonly #known = new WeakMap<Series, Aggregates>();

  /** The snapshot itself when it holds no histogram. */
  of(snapshot: Snapshot): Snapshot {
    const hasHistogram = snapshot.points.some(({ series }) => series.descriptor.kind === "histogram");
    return hasHistogram
      ? { ...snapshot, points: snapshot.points.flatMap((point) => this.#plain(point)) }
      : snapshot;
  }

  #plain(point: Point): readonly Point[] {
    const { series, value, distribution, ...rest } = point;
    if (series.descriptor.kind !== "histogram") return [point];
    const known = this.#known.get(series) ?? aggregatesOf(series);
    this.#known.set(series, known);
    return [
      { ...rest, series: known.count, value },
      { ...rest, series: known.sum, value: distribution?.sum ?? 0 },
    ];
  }
}
