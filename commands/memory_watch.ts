/**
 * When freed memory is given back to the system. Each time costs some 40 ms of CPU, as much as ten cycles, so it is
 * done once the start is over, then when enough has gathered, and at times for what gathers slowly (deno.md 3).
 * @module
 */

/** What the start leaves behind is given back at the first look, and then at this growth. */
const GROWTH_BYTES = 3 * 1024 * 1024;
/** At most once in this time, as long as it grows no further. */
const SPACING_MS = 60_000;
/** A flood at the receiver: growth that cannot wait for the minute, and what it waits for. */
const FLOOD_BYTES = 4 * 1024 * 1024;
const FLOOD_SPACING_MS = 1_000;
/** At least once in this time. */
const IDLE_MS = 900_000;

/** Decides by resident memory. */
export class MemoryWatch {
  /** The least that was held since the last time. */
  #leastBytes = Infinity;
  #givenMs = -Infinity;

  /** To be called every few seconds: true when memory is to be given back now. Times are monotonic milliseconds. */
  look(residentBytes: number, nowMs: number): boolean {
    this.#leastBytes = Math.min(this.#leastBytes, residentBytes);
    const sinceMs = nowMs - this.#givenMs;
    const growthBytes = residentBytes - this.#leastBytes;
    const spacingMs = growthBytes > FLOOD_BYTES ? FLOOD_SPACING_MS : SPACING_MS;
    const isGrown = growthBytes > GROWTH_BYTES && sinceMs >= spacingMs;
    if (!isGrown && sinceMs < IDLE_MS) return false;
    this.#givenMs = nowMs;
    this.#leastBytes = Infinity;
    return true;
  }
}
