/**
 * What leaves the host carries a time that can be true and does not run backwards: between the collectors and whoever
 * takes their snapshots (otlp M22, F30 to F32). Pure: both clocks come in with each snapshot.
 * @module
 */
import type { Point, Snapshot } from "../collectors/metric.ts";
import { nanoseconds } from "../exporters/clock.ts";

/** No clock before this can be right: when this version was written (otlp M4). */
export const PLAUSIBLE_NS: bigint = nanoseconds(Date.UTC(2026, 10, 1));

/** Snapshots kept while the clock is not set: twenty minutes at the default interval. */
const KEPT_MAX = 120;

/** What is worth a line in the log. */
export type ClockEvent = "clock not set, keeping data back" | "clock set" | "clock stepped back";

/** The monotonic side of a cycle. */
export interface Turned {
  readonly monotonicMs: number;
  readonly intervalMs: number;
}

/** A snapshot with an unset clock's time, and when that was. */
interface Kept {
  readonly snapshot: Snapshot;
  readonly monotonicMs: number;
}

/** How far times of the unset clock are from the true ones; starts up to `untilNs` are such times. */
interface Shift {
  readonly byNs: bigint;
  readonly untilNs: bigint;
}

/** Decides, cycle by cycle, what may go out. */
export class ClockGuard {
  /** Snapshots that did not go out because their time had been given already. */
  held = 0;
  /** Times that a snapshot went out with an earlier time than the one before it. */
  regressions = 0;
  /** Snapshots given up because the clock stayed unset for too long. */
  dropped = 0;
  readonly #plausibleNs: bigint;
  readonly #kept: Kept[] = [];
  #shift: Shift | undefined;
  #last: { readonly timeNs: bigint; readonly monotonicMs: number } | undefined;
  #event: ClockEvent | undefined;

  constructor(plausibleNs: bigint = PLAUSIBLE_NS) {
    this.#plausibleNs = plausibleNs;
  }

  /** Snapshots that wait for the clock to be set. */
  get waiting(): number {
    return this.#kept.length;
  }

  /** What the last cycle changed, once. */
  takeEvent(): ClockEvent | undefined {
    const event = this.#event;
    this.#event = undefined;
    return event;
  }

  /** What may go out now, oldest first: usually the snapshot itself. */
  pass(snapshot: Snapshot, { monotonicMs, intervalMs }: Turned): readonly Snapshot[] {
    if (snapshot.timeNs < this.#plausibleNs) return this.#keep(snapshot, monotonicMs);
    const due = [...this.#release(snapshot.timeNs, monotonicMs), this.#settled(snapshot)];
    const last = this.#last;
    if (last !== undefined && snapshot.timeNs <= last.timeNs) {
      const elapsedNs = nanoseconds(monotonicMs - last.monotonicMs);
      // By how much the clock was set back; what is less than a cycle is over before the next one.
      if (last.timeNs + elapsedNs - snapshot.timeNs <= nanoseconds(intervalMs)) {
        this.held++;
        return [];
      }
      this.regressions++;
      this.#event = "clock stepped back";
    }
    this.#last = { timeNs: snapshot.timeNs, monotonicMs };
    return due;
  }

  #keep(snapshot: Snapshot, monotonicMs: number): readonly Snapshot[] {
    if (this.#kept.length === 0) this.#event = "clock not set, keeping data back";
    if (this.#kept.length >= KEPT_MAX) {
      this.#kept.shift();
      this.dropped++;
    }
    this.#kept.push({ snapshot, monotonicMs });
    return [];
  }

  /** What was kept, by the clock that is right now. */
  #release(nowNs: bigint, nowMs: number): Snapshot[] {
    const newest = this.#kept.at(-1);
    if (newest === undefined) return [];
    this.#event = "clock set";
    const kept = this.#kept.splice(0).map(({ snapshot, monotonicMs }) => {
      const byNs = nowNs - nanoseconds(nowMs - monotonicMs) - snapshot.timeNs;
      return moved(snapshot, { byNs, untilNs: snapshot.timeNs });
    });
    const untilNs = newest.snapshot.timeNs;
    const trueNs = nowNs - nanoseconds(nowMs - newest.monotonicMs);
    this.#shift = { byNs: trueNs - untilNs, untilNs };
    return kept;
  }

  /** A snapshot whose own time is right may still hold starts that were noted before the clock was. */
  #settled(snapshot: Snapshot): Snapshot {
    return this.#shift === undefined
      ? snapshot
      : { ...moved(snapshot, this.#shift), timeNs: snapshot.timeNs };
  }
}

function moved(snapshot: Snapshot, { byNs, untilNs }: Shift): Snapshot {
  const move = (point: Point): Point =>
    // 0 is a gauge's: it has no start.
    point.startNs === 0n || point.startNs > untilNs ? point : { ...point, startNs: point.startNs + byNs };
  return { ...snapshot, timeNs: snapshot.timeNs + byNs, points: snapshot.points.map(move) };
}
