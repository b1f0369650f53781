/**
 * Two snapshots side by side, asked for what a person wants to know: a value now, and how fast it grows. Points are
 * matched by name and attributes, since the earlier snapshot may be another process's. Reads the semantic-conventions
 * series only; the other namings' repeat them.
 * @module
 */
import type { Attributes, Point, Snapshot } from "../collectors/metric.ts";
import { isMeasured } from "./console_json.ts";

/** One series now. */
export interface Measure {
  readonly attributes: Attributes;
  readonly value: number;
  /** Per second since the earlier snapshot; undefined without one, or after a reset. */
  readonly rate: number | undefined;
}

/** Answers about the later of two snapshots. */
export class Reading {
  readonly #measures = new Map<string, Measure[]>();

  constructor(snapshot: Snapshot, previous: Snapshot | undefined) {
    const seconds = previous === undefined ? 0 : Number(snapshot.timeNs - previous.timeNs) / 1e9;
    const earlier = new Map(previous?.points.filter(isShown).map((point) => [keyOf(point), point]));
    for (const point of snapshot.points) {
      if (!isShown(point)) continue;
      const before = earlier.get(keyOf(point));
      const rate = seconds > 0 && before !== undefined ? rateOf(point, before, seconds) : undefined;
      const { descriptor, attributes } = point.series;
      const measure = { attributes, value: Number(point.value), rate };
      const measures = this.#measures.get(descriptor.name);
      if (measures === undefined) this.#measures.set(descriptor.name, [measure]);
      else measures.push(measure);
    }
  }

  /** Every series of a metric whose attributes hold those asked for. */
  all(name: string, wanted: Attributes = {}): readonly Measure[] {
    const measures = this.#measures.get(name) ?? [];
    const keys = Object.keys(wanted);
    return measures.filter(({ attributes }) => keys.every((key) => attributes[key] === wanted[key]));
  }

  /** Sum of their values; undefined when there is none. */
  value(name: string, wanted: Attributes = {}): number | undefined {
    return sum(this.all(name, wanted).map((measure) => measure.value));
  }

  /** Sum of their rates; undefined when none is known. */
  rate(name: string, wanted: Attributes = {}): number | undefined {
    return sum(this.all(name, wanted).map((measure) => measure.rate));
  }

  /** Different values of an attribute among a metric's series, in order of first sight. */
  values(name: string, key: string): readonly string[] {
    const found = this.all(name).map(({ attributes }) => attributes[key]);
    return [...new Set(found.filter((value) => value !== undefined).map(String))];
  }
}

function isShown(point: Point): boolean {
  return isMeasured(point) && point.series.namings?.includes("semconv") !== false;
}

function keyOf({ series }: Point): string {
  return JSON.stringify([series.descriptor.name, ...Object.entries(series.attributes).sort()]);
}

function rateOf(point: Point, before: Point, seconds: number): number | undefined {
  const grown = Number(point.value) - Number(before.value);
  const isSame = point.startNs === before.startNs && point.series.identity === before.series.identity;
  return isSame && grown >= 0 ? grown / seconds : undefined;
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}
