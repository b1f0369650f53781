/**
 * How fast a backlog leaves after an outage. At most two requests a second, so that a fleet does not fall on a
 * backend that has just come back (otlp 4.3); faster only as far as needed to deliver forty batches within 70 s of
 * the last failed attempt; and after a long outage not before a random delay.
 * @module
 */

const SPACING_MAX_MS = 500;
const SPACING_MIN_MS = 100;
const PROMISED_BATCHES = 40;
/** The promise of 70 s, less what the requests themselves take. */
const PROMISED_MS = 62_000;
/** An outage of more than forty cycles at the default interval: the promise is no longer about it. */
const LONG_OUTAGE_MS = 480_000;
const DELAY_MAX_MS = 300_000;
/** Part of a new gap between arrivals in their running mean. */
const GAP_WEIGHT = 0.2;

export class Pacer {
  readonly #random: () => number;
  #beganMs: number | undefined;
  #failedMs = 0;
  #spacingMs = 0;
  #nextMs = 0;
  #arrivedMs: number | undefined;
  #gapMs = Infinity;

  constructor(random: () => number) {
    this.#random = random;
  }

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
      this.#spacingMs = SPACING_MAX_MS;
      this.#nextMs = nowMs + this.#random() * Math.min(DELAY_MAX_MS, outage / 2);
      return;
    }
    const left = PROMISED_MS - (nowMs - this.#failedMs);
    this.#spacingMs = Math.max(SPACING_MIN_MS, Math.min(SPACING_MAX_MS, left / PROMISED_BATCHES));
  }

  /** Takes up a backlog from an earlier life. */
  inherited(): void {
    this.#spacingMs = SPACING_MAX_MS;
  }

  /** A request ended. */
  sent(nowMs: number): void {
    if (this.#spacingMs === 0) return;
    this.#nextMs = Math.max(this.#nextMs, nowMs + Math.min(this.#spacingMs, this.#gapMs / 2));
  }

  /** The backlog is gone. */
  drained(): void {
    this.#spacingMs = this.#nextMs = 0;
  }
}
