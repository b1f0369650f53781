/**
 * How fast a backlog leaves after an outage, so that a fleet does not fall on a backend that has just come back.
 * After a short outage forty batches are delivered within 70 s of the last failed attempt, and not much faster.
 * After a long one a lane sends at most three times what it sends when all is well, so that a whole fleet does too;
 * that doubles every ten minutes without a failure, up to two requests a second (otlp 4.3, F43).
 * @module
 */

const SPACING_MIN_MS = 100;
/** Two requests a second. */
const SPACING_FAST_MS = 500;
const PROMISED_BATCHES = 40;
/** The promise of 70 s, less what the requests themselves take. */
const PROMISED_MS = 62_000;
/** An outage of more than forty cycles at the default interval: the promise is no longer about it. */
const LONG_OUTAGE_MS = 480_000;
/** Of the lane's own rate: under three, because requests come in lumps. */
const TIMES_STEADY = 2.5;
const DOUBLE_EVERY_MS = 600_000;
/** Part of a new gap between arrivals in their running mean. */
const GAP_WEIGHT = 0.2;

/** How a drain goes: at a fixed spacing, or in steps from the lane's own rate. */
type Drain = { readonly spacingMs: number } | { readonly beganMs: number };

export class Pacer {
  #beganMs: number | undefined;
  #failedMs = 0;
  #drain: Drain | undefined;
  #nextMs = 0;
  #arrivedMs: number | undefined;
  #gapMs = Infinity;

  /** When the next request may begin, on the monotonic clock. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** A batch came in: draining must outrun arrivals, or it never ends. */
  arrived(nowMs: number): void {
    if (this.#arrivedMs !== undefined) {
      const gap = nowMs - this.#arrivedMs;
      this.#gapMs = Number.isFinite(this.#gapMs) ? this.#gapMs + GAP_WEIGHT * (gap - this.#gapMs) : gap;
    }
    this.#arrivedMs = nowMs;
  }

  failed(nowMs: number): void {
    this.#beganMs ??= nowMs;
    this.#failedMs = nowMs;
  }

  /** The first success after failures, with a backlog left. */
  resumed(nowMs: number): void {
    if (this.#beganMs === undefined) return;
    const outage = nowMs - this.#beganMs;
    this.#beganMs = undefined;
    if (outage >= LONG_OUTAGE_MS) {
      this.#drain = { beganMs: nowMs };
      return;
    }
    const left = PROMISED_MS - (nowMs - this.#failedMs);
    this.#drain = { spacingMs: Math.max(SPACING_MIN_MS, left / PROMISED_BATCHES) };
  }

  /** Takes up a backlog from an earlier life. */
  inherited(): void {
    this.#drain = { spacingMs: SPACING_FAST_MS };
  }

  /** A request ended. */
  sent(nowMs: number): void {
    if (this.#drain === undefined) return;
    this.#nextMs = nowMs + Math.min(spacing(this.#drain, { nowMs, gapMs: this.#gapMs }), this.#gapMs / 2);
  }

  /** The backlog is gone. */
  drained(): void {
    this.#drain = undefined;
    this.#nextMs = 0;
  }
}

function spacing(drain: Drain, { nowMs, gapMs }: { nowMs: number; gapMs: number }): number {
  if ("spacingMs" in drain) return drain.spacingMs;
  if (gapMs === Infinity) return SPACING_FAST_MS;
  const doublings = Math.floor((nowMs - drain.beganMs) / DOUBLE_EVERY_MS);
  return Math.max(SPACING_FAST_MS, gapMs / TIMES_STEADY / 2 ** doublings);
}
