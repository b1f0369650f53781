/**
 * The sensor's end of a worker: spawns it with exactly its permissions, matches answers to questions, and notices
 * when it is dead or stuck. What is said to it is the business of the link that owns this one.
 * @module
 */

/** No beat for this long means dead or stuck (design 2). */
const BEAT_MS_MAX = 60_000;

/** Every permission a worker gets; what is not named is denied. */
export interface WorkerPermissions {
  readonly net: readonly string[];
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Names of variables; none by default. */
  readonly env?: readonly string[];
}

export interface WorkerLinkOptions<From> {
  /** Shown by the runtime when the worker throws. */
  readonly name: string;
  readonly permissions: WorkerPermissions;
  /** Takes every message that is no answer. */
  readonly receive: (message: From) => void;
  /** The worker ended, threw, or stopped beating: the process has to end with 70. */
  readonly dead: (why: string) => void;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

function idOf(message: object): number | undefined {
  return "id" in message && typeof message.id === "number" ? message.id : undefined;
}

/** A running worker that takes `To` and says `From`. Possible only before the drop. */
export class WorkerLink<To, From extends object> {
  readonly #worker: Worker;
  readonly #options: WorkerLinkOptions<From>;
  readonly #waiting = new Map<number, (message: From) => void>();
  #nextId = 1;
  #lastBeatMs: number;
  #isClosed = false;

  constructor(url: URL, options: WorkerLinkOptions<From>) {
    this.#options = options;
    this.#lastBeatMs = options.nowMs();
    const { net, read, write, env = [] } = options.permissions;
    const denied = { sys: false, run: false, ffi: false, import: false } as const;
    this.#worker = new Worker(url, {
      type: "module",
      name: options.name,
      deno: { permissions: { net: [...net], read: [...read], write: [...write], env: [...env], ...denied } },
    });
    this.#worker.onmessage = (event: MessageEvent<From>) => this.#receive(event.data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#die(event.message);
    };
  }

  #receive(message: From): void {
    this.#lastBeatMs = this.#options.nowMs();
    const id = idOf(message);
    const answer = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || answer === undefined) return this.#options.receive(message);
    this.#waiting.delete(id);
    answer(message);
  }

  #die(why: string): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.dead(why);
  }

  /** Says something; buffers in `transfer` are empty afterwards. Nothing is said to a closed worker. */
  post(message: To, transfer: Transferable[] = []): void {
    if (!this.#isClosed) this.#worker.postMessage(message, transfer);
  }

  /** Asks something; the answer is the message with the same `id`. */
  ask(make: (id: number) => To): Promise<From> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.post(make(id));
    });
  }

  /** To be called regularly: declares the worker dead when its beat has stopped. */
  watch(): void {
    const silentMs = this.#options.nowMs() - this.#lastBeatMs;
    if (silentMs > BEAT_MS_MAX) this.#die(`no beat for ${Math.round(silentMs / 1000)} s`);
  }

  close(): void {
    this.#isClosed = true;
    this.#worker.terminate();
  }
}
