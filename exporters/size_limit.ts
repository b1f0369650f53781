/**
 * The largest request a destination takes: what the configuration says, or what 413 has taught, growing back
 * slowly (otlp 4.4, class B2).
 * @module
 */
const GROW_AFTER = 100;
const GROWTH = 1.1;
/** Below this, what a 413 teaches is noise. */
const LEARNED_MIN_BYTES = 1_024;
/** A 400 that speaks of size is believed from here on: the Collector says it so, for smaller bodies it means something else. */
const BELIEVED_MIN_BYTES = 64 * 1024;

/** True when a status that may mean "too large" does so for a request of `bytes`. */
export function isSizeRefusal(status: number, bytes: number): boolean {
  return status === 413 || bytes >= BELIEVED_MIN_BYTES;
}

export class SizeLimit {
  readonly #configured: number;
  #learned: number;
  #accepted = 0;

  constructor(configured: number) {
    this.#configured = configured;
    this.#learned = configured;
  }

  /** Bytes before compression. */
  get bytesMax(): number {
    return this.#learned;
  }

  /** A request of `bytes` was too large. */
  refused(bytes: number): void {
    this.#learned = Math.max(LEARNED_MIN_BYTES, Math.min(this.#learned, Math.floor(bytes / 2)));
    this.#accepted = 0;
  }

  accepted(): void {
    if (this.#learned >= this.#configured || ++this.#accepted < GROW_AFTER) return;
    this.#accepted = 0;
    this.#learned = Math.min(this.#configured, Math.ceil(this.#learned * GROWTH));
  }
}
