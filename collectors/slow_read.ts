/**
 * A question that may never be answered: statfs on a dead mount, a sensor on a slow bus. It is asked at most once
 * at a time, waited for within a limit, and left alone while it hangs (host-metrics P9, P28).
 * @module
 */
import { afterLimit } from "./deadline.ts";

/** The last answer to one such question. */
export class SlowRead<T> {
  #isPending = false;
  #isStuck = false;
  #value: T | undefined;
  #failure: string | undefined;

  /** The last answer; undefined after a failure, while stuck, and before the first. */
  get value(): T | undefined {
    return this.#value;
  }

  /** True from the limit on until the question is answered after all. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** Why the last question failed; undefined when it did not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Asks, unless the last question still hangs. Resolves with the answer or after the limit; never rejects. */
  ask(question: () => Promise<T | undefined>, limitMs: number): Promise<void> {
    if (this.#isPending) return Promise.resolve();
    this.#isPending = true;
    return new Promise((resolve) => {
      let isSettled = false;
      afterLimit(limitMs, () => {
        if (isSettled) return;
        this.#isStuck = true;
        this.#value = undefined;
        resolve();
      });
      const settle = (value: T | undefined, failure: string | undefined): void => {
        isSettled = true;
        // An answer that comes late describes a moment long gone: it only ends the wait.
        this.#value = this.#isStuck ? undefined : value;
        this.#failure = failure;
        this.#isPending = false;
        this.#isStuck = false;
        resolve();
      };
      question().then(
        (value) => settle(value, undefined),
        (error) => settle(undefined, error instanceof Error ? error.message : String(error)),
      );
    });
  }
}
