/**
 * Received metrics for rows that take one temporality only (design 8): cumulative becomes delta with remembered
 * last values, delta is left out for cumulative-only rows. Loaded when such a row meets such data. Rules: otlp M6, M7,
 * M10, M11, M14. State is lost with the process: the first point after a start is the new baseline, unless its series is
 * younger than this process.
 * @module
 */
import { numberOf } from "./otlp_fields.ts";
import { writeFields } from "./otlp_message.ts";
import type { ReceivedDropReason } from "./receiver_account.ts";
import { CUMULATIVE, DELTA } from "./received_layout.ts";
import { type Changes, difference, readPoint } from "./received_difference.ts";
import {
  type Converted,
  identity,
  type MetricPlace,
  type MetricRule,
  type PointKind,
  rewriteMetrics,
} from "./received_rewrite.ts";
import { Slots } from "./received_slots.ts";
import { FieldScanner } from "./wire.ts";
import { WireWriter } from "./wire_writer.ts";

/** A series not seen for so long makes room for a new one. */
const FORGET_NS = 600n * 1_000_000_000n;
/** Looking for such is done so often at most. */
const SWEEP_NS = 60n * 1_000_000_000n;
/** Characters of all series' identities together. */
const IDENTITIES_MAX = 4_194_304;

/** Last values of cumulative series, as many as `seriesMax`. */
export class DeltaState {
  readonly #seriesMax: number;
  readonly #startNs: bigint;
  /** Slots by identity. */
  readonly #series = new Map<string, number>();
  readonly #slots: Slots;
  #identities = 0;
  /** When room was last made. */
  #sweptNs = 0n;

  /** `startNs`: wall time of the process's start; a series that began later needs no baseline (otlp M11). */
  constructor(seriesMax: number, startNs: bigint) {
    this.#seriesMax = seriesMax;
    this.#slots = new Slots(seriesMax);
    this.#startNs = startNs;
  }

  get size(): number {
    return this.#series.size;
  }

  /** Cumulative monotonic sums and histograms as delta; all else stays. The request must have passed the scan. */
  convert(request: Uint8Array): Converted {
    return rewriteMetrics(request, (metric) => this.#rule(metric));
  }

  #rule({ identity, kind, temporality, isMonotonic }: MetricPlace): MetricRule {
    if (temporality !== CUMULATIVE || kind === "NumberDataPoint" && !isMonotonic) return undefined;
    return { temporality: DELTA, point: (bytes) => this.#point(bytes, kind, identity) };
  }

  /** A point's difference to the last; the reason when there is none. */
  #point(bytes: Uint8Array, kind: PointKind, metric: string): Uint8Array | ReceivedDropReason {
    const naming = { texts: [], attributes: numberOf(kind, "attributes") };
    const attributes = identity(bytes, [new FieldScanner(bytes)], naming);
    const series = `${metric}\n${attributes}`;
    const point = readPoint(bytes, kind);
    const slot = this.#series.get(series);
    if (slot === undefined && !this.#makeRoom(series, point.timeNs)) return "series_limit";
    const result = difference(point, slot === undefined ? undefined : this.#slots.get(slot), this.#startNs);
    if (result.kind === "out_of_order") return "out_of_order";
    if (result.kind === "ended") {
      if (slot !== undefined) this.#forget(series, slot);
      return bytes;
    }
    if (slot !== undefined) this.#slots.set(slot, point);
    else {
      this.#series.set(series, this.#slots.take(point));
      this.#identities += series.length;
    }
    return result.kind === "delta" ? changed(bytes, kind, result.changes) : result.kind;
  }

  #forget(series: string, slot: number): void {
    this.#series.delete(series);
    this.#slots.give(slot);
    this.#identities -= series.length;
  }

  /** True when there is room for a new series, made by forgetting those that are long unseen. */
  #makeRoom(series: string, nowNs: bigint): boolean {
    if (this.#hasRoom(series)) return true;
    if (nowNs - this.#sweptNs < SWEEP_NS) return false;
    this.#sweptNs = nowNs;
    for (const [other, slot] of this.#series) {
      if (nowNs - this.#slots.timeNs(slot) >= FORGET_NS) this.#forget(other, slot);
    }
    return this.#hasRoom(series);
  }

  #hasRoom(series: string): boolean {
    return this.#series.size < this.#seriesMax && this.#identities + series.length <= IDENTITIES_MAX;
  }
}

/** The request without its delta sums and histograms. The request must have passed the scan. */
export function withoutDelta(request: Uint8Array): Converted {
  return rewriteMetrics(
    request,
    ({ temporality }) => temporality === DELTA ? "unsupported_temporality" : undefined,
  );
}

/** A point with other members; one that is undefined goes. */
function changed(bytes: Uint8Array, kind: PointKind, changes: Changes): Uint8Array {
  const writer = new WireWriter();
  const numbers = new Set(Object.keys(changes).map((name) => numberOf(kind, name)));
  const fields = new FieldScanner(bytes);
  while (fields.next()) {
    if (!numbers.has(fields.number)) writer.raw(bytes.subarray(fields.tag, fields.end));
  }
  writeFields(writer, kind, changes);
  return writer.finish();
}
