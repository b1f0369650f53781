/**
 * Notices that the server has been silent for too long (opamp 3.9): from then on the local configuration alone
 * counts, until the server is back.
 * @module
 */
import type { Clock } from "../exporters/clock.ts";

/** Contact is written down at least this often, for the next life. */
const KEEP_EVERY_MS = 3_600_000;
/** And in this part of the time that counts, so that a start takes no silence for longer than it was. */
const KEEP_PART = 4;

/** What staleness is measured with and whom it tells. */
export interface StalenessOptions {
  readonly clock: Clock;
  /** Absent: never stale. */
  readonly stalenessMs?: number | undefined;
  /** Wall time of the last contact in an earlier life. */
  readonly contact: number | undefined;
  readonly changed: (isStale: boolean) => void;
  readonly keep: (contact: number) => void;
}

/** Watches from its making until `stop`. */
export class Staleness {
  readonly #options: StalenessOptions;
  readonly #over: AbortController = new AbortController();
  #contactAt: number;
  #keptAt: number;
  isStale = false;

  constructor(options: StalenessOptions) {
    this.#options = options;
    const { clock, stalenessMs, contact } = options;
    this.#contactAt = clock.mono();
    this.#keptAt = contact ?? -Infinity;
    if (stalenessMs === undefined) return;
    this.isStale = contact !== undefined && clock.wall() - contact > stalenessMs;
    void this.#watch(stalenessMs);
  }

  /** The server was heard of. */
  contact(): void {
    const { clock, stalenessMs, changed, keep } = this.#options;
    this.#contactAt = clock.mono();
    if (stalenessMs === undefined) return;
    const now = clock.wall();
    if (this.isStale || Math.abs(now - this.#keptAt) >= Math.min(KEEP_EVERY_MS, stalenessMs / KEEP_PART)) {
      this.#keptAt = now;
      // Before the change: that may end the process, and the next one shall not find an old contact.
      keep(now);
    }
    if (this.isStale) changed(this.isStale = false);
  }

  stop(): void {
    this.#over.abort();
  }

  async #watch(stalenessMs: number): Promise<void> {
    const { clock, changed } = this.#options;
    const { signal } = this.#over;
    while (!signal.aborted) {
      const left = this.isStale ? stalenessMs : this.#contactAt + stalenessMs - clock.mono();
      if (left > 0) await clock.sleep(left, signal);
      else changed(this.isStale = true);
    }
  }
}
