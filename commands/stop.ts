/**
 * How verbs end: by the first signal, and a run by a change that only a restart can make; the second signal hurries it.
 * @module
 */
import type { Log } from "../config/log.ts";

/** The signals that ask a verb to end. */
export const ENDINGS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls `act` for each of them, instead of ending. */
export function onEnding(act: () => void): void {
  for (const name of ENDINGS) Deno.addSignalListener(name, act);
}

/** Ends the run at the first signal; at the second the network is not waited for any more. */
export class Stop {
  readonly signal: AbortSignal;
  code: 0 | 75 = 0;
  readonly #stop = new AbortController();
  readonly #second = Promise.withResolvers<void>();

  constructor(log: Log) {
    this.signal = this.#stop.signal;
    for (const name of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(name, () => this.#received(name, log));
    }
  }

  /** Ends the run so that a supervisor starts it again. */
  restart(): void {
    if (this.signal.aborted) return;
    this.code = 75;
    this.#stop.abort();
  }

  #received(name: string, log: Log): void {
    if (this.signal.aborted) return this.#second.resolve();
    log.debug("stopping", { signal: name });
    this.#stop.abort();
  }

  /** Resolves when a second signal has come. */
  get second(): Promise<void> {
    return this.#second.promise;
  }
}
