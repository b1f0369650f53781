/**
 * When a lane's loop may move: waits that an arrival or a flush cuts short, and the rules of a flush, which ignores
 * pacing and backoff but neither its deadline nor a wait the server asked for (otlp 4.4 "Shutdown", R14).
 * @module
 */
import { type Clock, OVER } from "./clock.ts";

export interface FlushOptions {
  /** From now. */
  readonly deadlineMs: number;
  /** True: the loop ends for good afterwards. */
  readonly final: boolean;
  /** True: what is safe on disk need not be sent; stop well before the deadline. */
  readonly brief: boolean;
  /** True: nothing is tried twice; a backend that is away is for the spool. */
  readonly hasty?: boolean;
}

/** When the next attempt is due, on the monotonic clock, by each rule. */
export interface Due {
  readonly nextMs: number;
  /** What the server asked for. */
  readonly askedMs: number;
  readonly pacedMs: number;
}

interface Flush {
  deadlineMs: number;
  briefMs: number;
  final: boolean;
  hasty: boolean;
  readonly wasTroubled: boolean;
  attempts: number;
  readonly ended: AbortController;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** A healthy backend is done within this; a stop must not take more than 2 s then. */
const BRIEF_MS = 1_500;

/** A time that has always come. */
const AT_ONCE = 0;

export class Drive {
  readonly #clock: Clock;
  readonly #isTroubled: () => boolean;
  #sleeping: AbortController | undefined;
  #woken = false;
  #attempt: AbortController | undefined;
  #flush: Flush | undefined;
  #stopped = false;

  constructor(clock: Clock, isTroubled: () => boolean) {
    this.#clock = clock;
    this.#isTroubled = isTroubled;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  get isWaiting(): boolean {
    return this.#stopped || (this.#sleeping !== undefined && !this.#sleeping.signal.aborted);
  }

  /** Something changed: the loop looks again. */
  wake(): void {
    this.#woken = true;
    this.#sleeping?.abort(OVER);
  }

  /** Nothing to send: waits for a wake; a flush has reached its end. */
  async idle(): Promise<void> {
    if (this.#flush !== undefined) this.#endFlush(this.#flush);
    if (!this.#stopped) await this.#pause(Infinity);
  }

  /** True when an attempt may begin now; false after a wait or the end of a flush, when all is to be asked anew. */
  async waitFor(due: Due): Promise<boolean> {
    const now = this.#clock.mono();
    const flush = this.#flush;
    const dueMs = flush === undefined
      ? Math.max(due.nextMs, due.askedMs, due.pacedMs)
      : this.#flushDue(flush, due);
    if (dueMs === undefined) {
      if (flush !== undefined) this.#endFlush(flush);
      return false;
    }
    if (dueMs <= now) return true;
    await this.#pause(dueMs - now);
    return false;
  }

  /** An attempt begins; the signal aborts when a flush's deadline has come. */
  begin(): AbortSignal {
    if (this.#flush !== undefined) this.#flush.attempts++;
    this.#attempt = new AbortController();
    return this.#attempt.signal;
  }

  end(): void {
    this.#attempt = undefined;
  }

  /** Resolves when nothing is left, nothing more can be sent in time, or the deadline has come. */
  flush({ deadlineMs, final, brief, hasty = false }: FlushOptions): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    const now = this.#clock.mono();
    const begun = this.#flush ??= this.#newFlush();
    begun.final ||= final;
    begun.hasty ||= hasty;
    begun.deadlineMs = Math.min(begun.deadlineMs, now + deadlineMs);
    begun.briefMs = Math.min(begun.briefMs, brief ? now + BRIEF_MS : Infinity);
    this.#clock.sleep(deadlineMs, begun.ended.signal).then(() => {
      if (begun.ended.signal.aborted) return;
      this.#attempt?.abort();
      this.wake();
    });
    this.wake();
    return begun.promise;
  }

  #newFlush(): Flush {
    const { promise, resolve } = Promise.withResolvers<void>();
    return {
      deadlineMs: Infinity,
      briefMs: Infinity,
      final: false,
      hasty: false,
      wasTroubled: this.#isTroubled(),
      attempts: 0,
      ended: new AbortController(),
      promise,
      resolve,
    };
  }

  #flushDue(flush: Flush, { nextMs, askedMs }: Due): number | undefined {
    const now = this.#clock.mono();
    const inTime = (dueMs: number) => dueMs < flush.deadlineMs ? dueMs : undefined;
    if (now >= flush.deadlineMs || now >= flush.briefMs) return undefined;
    if (askedMs > now) return inTime(askedMs);
    if (!this.#isTroubled()) return AT_ONCE;
    // A destination that was down before gets one attempt: waiting out the deadline would only delay the stop.
    if (flush.wasTroubled || flush.hasty) return flush.attempts === 0 ? AT_ONCE : undefined;
    return inTime(nextMs);
  }

  #endFlush(flush: Flush): void {
    this.#flush = undefined;
    this.#stopped = flush.final;
    flush.ended.abort();
    flush.resolve();
  }

  async #pause(ms: number): Promise<void> {
    if (this.#woken) {
      this.#woken = false;
      return;
    }
    const sleeping = new AbortController();
    this.#sleeping = sleeping;
    if (ms === Infinity) await new Promise((resolve) => sleeping.signal.addEventListener("abort", resolve));
    else await this.#clock.sleep(ms, sleeping.signal);
    this.#sleeping = undefined;
    this.#woken = false;
  }
}
