/**
 * The boot instant: start of every counter the kernel keeps. Found once per boot as wall clock minus uptime, while
 * the clock is believable, and then kept, so that no clock step ever moves a start time (otlp M4, host-metrics P26).
 * /proc/stat's btime is no source: it moves with the clock and has whole seconds.
 * @module
 */
import type { Cycle } from "./collector.ts";

const NS_PER_SECOND = 1e9;

/** The boot instant as kept in the state directory; nanoseconds since 1970 in decimal. */
export interface SavedBoot {
  readonly bootId: string;
  readonly bootNs: string;
}

/** Follows wall clock and uptime from cycle to cycle. */
export class BootClock {
  readonly #bootId: string | undefined;
  readonly #plausibleNs: bigint;
  #bootNs: bigint | undefined;
  /**
   * True once the instant was found with a believable clock: from then on it only moves out of the future. False while
   * the clock is older than the program: an unset clock, as on boards without a battery.
   */
  #isSettled = false;

  /** `plausibleNs`: no clock before this can be right (when sonde was built). */
  constructor(options: {
    readonly bootId: string | undefined;
    readonly plausibleNs: bigint;
    readonly saved?: SavedBoot | undefined;
  }) {
    this.#bootId = options.bootId;
    this.#plausibleNs = options.plausibleNs;
    const { bootId, saved } = options;
    if (bootId === undefined || saved?.bootId !== bootId || !/^\d{1,19}$/.test(saved.bootNs)) return;
    this.#bootNs = BigInt(saved.bootNs);
    this.#isSettled = true;
  }

  /** Takes note of a cycle's clock, before any of its counters is looked at. */
  observe(cycle: Cycle): void {
    if (cycle.uptime === undefined) return;
    const bootNs = cycle.timeNs - BigInt(Math.round(cycle.uptime * NS_PER_SECOND));
    const isFuture = this.#bootNs !== undefined && this.#bootNs > cycle.timeNs;
    if (this.#isSettled && !isFuture) return;
    this.#bootNs = bootNs;
    this.#isSettled = cycle.timeNs >= this.#plausibleNs;
  }

  /** The boot instant, or undefined as long as no uptime could be read. */
  get bootNs(): bigint | undefined {
    return this.#bootNs;
  }

  /** Identifier of this boot; undefined where the kernel gives none. */
  get bootId(): string | undefined {
    return this.#bootId;
  }

  /** What to keep across restarts; undefined until it can be trusted. */
  save(): SavedBoot | undefined {
    if (this.#bootId === undefined || this.#bootNs === undefined || !this.#isSettled) return undefined;
    return { bootId: this.#bootId, bootNs: this.#bootNs.toString() };
  }
}
