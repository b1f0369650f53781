/**
 * The output of a job on its way through: every byte as it comes, in order, and a copy of the last ones for the log
 * record of a failure.
 * @module
 */

/** What is remembered of a job's output. */
export const TAIL_BYTES_MAX: number = 16 * 1024;
/** How long a job's descendants may keep its output open without writing, once the job itself has ended. */
const QUIET_MS = 200;

/** The last bytes of everything pushed. */
export class Tail {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk.length > TAIL_BYTES_MAX ? chunk.slice(-TAIL_BYTES_MAX) : chunk.slice());
    this.#length += this.#chunks.at(-1)?.length ?? 0;
    for (let first = this.#chunks[0]; first !== undefined; first = this.#chunks[0]) {
      if (this.#length - first.length < TAIL_BYTES_MAX) break;
      this.#chunks.shift();
      this.#length -= first.length;
    }
  }

  /** As text, from the beginning of a line on where something was cut off; what is no UTF-8 is replaced. */
  text(): string {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    const kept = bytes.subarray(Math.max(0, bytes.length - TAIL_BYTES_MAX));
    const isCut = this.#length > TAIL_BYTES_MAX;
    const line = isCut ? kept.indexOf(10) + 1 : 0;
    return new TextDecoder().decode(kept.subarray(line)).trimEnd();
  }
}

/** Where output goes. */
interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

/** One stream of a job. */
export class Passage {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #sink: Sink;
  readonly #tail: Tail;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReading = false;
  #hasEnded = false;
  /** Resolves when everything has been passed on, or nobody wants it any more. */
  readonly done: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>, sink: Sink, tail: Tail) {
    this.#reader = stream.getReader();
    this.#sink = sink;
    this.#tail = tail;
    this.done = this.#pass();
  }

  /** The job has ended: what it left behind is passed on, but its descendants are not waited for. */
  end(): void {
    this.#hasEnded = true;
    if (this.#isReading) this.#watch();
  }

  #watch(): void {
    this.#timer = setTimeout(() => void this.#reader.cancel().catch(() => {}), QUIET_MS);
  }

  async #read(): Promise<Uint8Array | undefined> {
    this.#isReading = true;
    if (this.#hasEnded) this.#watch();
    const { value } = await this.#reader.read();
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#isReading = false;
    return value;
  }

  async #pass(): Promise<void> {
    try {
      for (let chunk = await this.#read(); chunk !== undefined; chunk = await this.#read()) {
        this.#tail.push(chunk);
        for (let at = 0; at < chunk.length;) at += await this.#sink.write(chunk.subarray(at));
      }
    } catch {
      // Whoever read our output has gone: the job is to notice that as it would have without us.
      await this.#reader.cancel().catch(() => {});
    }
  }
}
