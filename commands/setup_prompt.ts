/**
 * Questions to a person: one line each, a key without echo, and a way out at any of them: a cancel word, Ctrl-C, Ctrl-D.
 * @module
 */
import type { Context } from "./context.ts";
import { ENDINGS, onEnding } from "./stop.ts";

/** The person does not want to go on: exit 130. */
export class Cancelled extends Error {
  override name = "Cancelled";
}

const CANCEL_WORDS: readonly string[] = ["cancel", "quit", "exit", "abort"];
const [INTERRUPT, END, BACKSPACE, DELETE, CLEAR] = ["\x03", "\x04", "\b", "\x7f", "\x15"];
/** Characters of one answer. */
const ANSWER_MAX = 8_192;

/** How a question is asked. */
export interface QuestionOptions {
  /** Taken when the answer is empty, and shown in brackets unless it is secret. */
  readonly fallback?: string;
  readonly isSecret?: boolean;
}

export class Prompt implements Disposable {
  readonly #context: Context;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  readonly #interrupted = Promise.withResolvers<never>();
  #rest = "";

  constructor(context: Context) {
    this.#context = context;
    this.#reader = context.stdin().getReader();
    this.#interrupted.promise.catch(() => {});
    onEnding(this.#cancel);
  }

  #cancel = (): void => this.#interrupted.reject(new Cancelled());

  /** Asks one question on standard error. Throws `Cancelled`. */
  async ask(question: string, { fallback = "", isSecret = false }: QuestionOptions = {}): Promise<string> {
    const shown = fallback === "" ? "" : isSecret ? " [keep the present one]" : ` [${fallback}]`;
    const words = `${question}${shown}: `;
    const isHidden = isSecret && this.#context.isTerminal.stdin;
    const answer = (isHidden ? await this.#hidden(words) : await this.#line(words)).trim();
    if (CANCEL_WORDS.includes(answer.toLowerCase())) throw new Cancelled();
    return answer === "" ? fallback : answer;
  }

  /** Asks until the answer is yes or no. */
  async confirm(question: string, fallback: "yes" | "no"): Promise<boolean> {
    for (;;) {
      const answer = (await this.ask(question, { fallback })).toLowerCase();
      if (answer === "yes" || answer === "y") return true;
      if (answer === "no" || answer === "n") return false;
      this.#context.stderr("Please answer yes or no.\n");
    }
  }

  async #read(): Promise<string> {
    const { done, value } = await Promise.race([this.#reader.read(), this.#interrupted.promise]);
    if (done) throw new Cancelled();
    return this.#decoder.decode(value, { stream: true });
  }

  async #line(words: string): Promise<string> {
    this.#context.stderr(words);
    while (!this.#rest.includes("\n")) {
      if (this.#rest.length > ANSWER_MAX) throw new Cancelled();
      this.#rest += await this.#read();
    }
    const end = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return line;
  }

  /** Keys one by one, none of them shown; the terminal is given back whatever happens. */
  async #hidden(words: string): Promise<string> {
    let answer = "";
    // Before the question: who types fast must not see the first keys either.
    Deno.stdin.setRaw(true);
    try {
      this.#context.stderr(words);
      for (;;) {
        if (this.#rest === "") this.#rest = await this.#read();
        const key = this.#rest.charAt(0);
        this.#rest = this.#rest.slice(1);
        if (key === "\r" || key === "\n") return answer;
        if (key === INTERRUPT || key === END || answer.length > ANSWER_MAX) throw new Cancelled();
        if (key === BACKSPACE || key === DELETE) answer = answer.slice(0, -1);
        else if (key === CLEAR) answer = "";
        else if (key >= " ") answer += key;
      }
    } finally {
      Deno.stdin.setRaw(false);
      this.#context.stderr("\n");
    }
  }

  [Symbol.dispose](): void {
    for (const name of ENDINGS) Deno.removeSignalListener(name, this.#cancel);
    this.#reader.releaseLock();
  }
}
