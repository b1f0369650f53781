/**
 * `tap` on the control socket: whoever listens asks again and again for what left since, over one connection. Bounded:
 * a listener that does not keep up loses records, which are counted, and one that stops asking is forgotten.
 * @module
 */
import type { Signal } from "../exporters/batch.ts";
import type { Posted } from "../exporters/messages.ts";

/** One attempt on the socket: the body in base64, as it left. */
export interface TapRecord extends Omit<Posted, "body"> {
  readonly body: string;
}

/** The answer to one question. */
export interface TapAnswer {
  /** Names the listener in the next question. */
  readonly id: number;
  readonly records: readonly TapRecord[];
  /** Attempts lost since the last answer: too many, or too large to show. */
  readonly skipped: number;
}

const LISTENERS_MAX = 4;
const WAITING_MAX = 256;
/** Bytes that wait for one listener and bytes of one answer, so that base64 stays within a line of the socket. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
const ANSWER_BYTES_MAX = 1024 * 1024;
/** A listener that does not ask for so long is gone. */
const FORGOTTEN_MS = 15_000;
/** The same where others are waiting for its place; a reader that lives asks every second. */
const ABSENT_MS = 3_000;
/** A question is answered after this, with or without records. */
const WAIT_MS = 1_000;

interface Listener {
  readonly signal: Signal | undefined;
  waiting: Posted[];
  bytes: number;
  skipped: number;
  askedMs: number;
  wake: () => void;
}

/** What taps need of the agent. */
export interface TapParts {
  /** Subscribes to attempts; the result ends it. */
  readonly tap: (listener: (posted: Posted) => void) => () => void;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Resolves after a time, or when aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** All listeners of an agent; the courier tells of attempts only while there is one. */
export class Taps {
  readonly #parts: TapParts;
  readonly #listeners = new Map<number, Listener>();
  #unsubscribe: (() => void) | undefined;
  #nextId = 1;

  constructor(parts: TapParts) {
    this.#parts = parts;
  }

  /** Answers one question. Throws RangeError when there are too many listeners. */
  async ask(id: number | undefined, signal?: Signal): Promise<TapAnswer> {
    this.sweep();
    const own = id !== undefined && this.#listeners.has(id) ? id : this.#open(signal);
    const listener = this.#listeners.get(own);
    if (listener === undefined) throw new Error("BUG: tap without a listener");
    listener.askedMs = this.#parts.nowMs();
    if (listener.waiting.length === 0) await this.#wait(listener);
    listener.askedMs = this.#parts.nowMs();
    return { id: own, ...take(listener) };
  }

  /** A reader says that it has seen enough; its place is free at once. */
  end(id: number): Record<never, never> {
    this.#listeners.delete(id);
    this.sweep();
    return {};
  }

  /** Forgets listeners that have stopped asking; to be called now and then. */
  sweep(idleMs: number = FORGOTTEN_MS): void {
    for (const [id, { askedMs }] of this.#listeners) {
      if (this.#parts.nowMs() - askedMs > idleMs) this.#listeners.delete(id);
    }
    if (this.#listeners.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  #open(signal: Signal | undefined): number {
    if (this.#listeners.size >= LISTENERS_MAX) this.sweep(ABSENT_MS);
    if (this.#listeners.size >= LISTENERS_MAX) {
      throw new RangeError(`Cannot tap: ${LISTENERS_MAX} others do, expected fewer`);
    }
    const id = this.#nextId++;
    const listener = { signal, waiting: [], bytes: 0, skipped: 0, askedMs: 0, wake: () => {} };
    this.#listeners.set(id, listener);
    this.#unsubscribe ??= this.#parts.tap((posted) => this.#tell(posted));
    return id;
  }

  async #wait(listener: Listener): Promise<void> {
    const woken = new AbortController();
    listener.wake = () => woken.abort();
    await this.#parts.sleep(WAIT_MS, woken.signal);
    listener.wake = () => {};
  }

  #tell(posted: Posted): void {
    const size = posted.body.length;
    for (const listener of this.#listeners.values()) {
      if (listener.signal !== undefined && listener.signal !== posted.signal) continue;
      const isFull = listener.waiting.length >= WAITING_MAX || listener.bytes + size > WAITING_BYTES_MAX;
      if (isFull || size > ANSWER_BYTES_MAX) listener.skipped++;
      else {
        listener.waiting.push(posted);
        listener.bytes += size;
      }
      listener.wake();
    }
  }
}

/** Takes as many records as one answer holds. */
function take(listener: Listener): Pick<TapAnswer, "records" | "skipped"> {
  let bytes = 0;
  const fits = listener.waiting.findIndex(({ body }) => (bytes += body.length) > ANSWER_BYTES_MAX);
  const taken = listener.waiting.splice(0, fits < 0 ? listener.waiting.length : fits);
  listener.bytes -= taken.reduce((sum, { body }) => sum + body.length, 0);
  const { skipped } = listener;
  listener.skipped = 0;
  return { records: taken.map(({ body, ...rest }) => ({ ...rest, body: body.toBase64() })), skipped };
}
