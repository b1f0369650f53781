/**
 * The logger of the composition roots: one line per event on standard error, logfmt or JSON. It never throws: a
 * full disk behind stderr must not stop an agent. Callers pass no secrets; what they pass is bounded here.
 * @module
 */

/** Severity, the most severe first. */
export type LogLevel = "error" | "warn" | "info" | "debug";

/** Fields of a line; undefined ones are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** How lines are written. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /** False under a journal, which stamps lines itself (`JOURNAL_STREAM`). */
  readonly hasTime: boolean;
  readonly write: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };
const VALUE_MAX = 500;

/** Control characters become spaces: a backend's words must not write lines of their own. */
function bounded(value: string): string {
  const text = value.replaceAll(/\p{Cc}+/gu, " ");
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
}

function boundedFields(fields: LogFields): LogFields {
  const entries = Object.entries(fields).map(([key, value]) => [
    key,
    typeof value === "string" ? bounded(value) : value,
  ]);
  return Object.fromEntries(entries);
}

function logfmt(value: string | number | boolean): string {
  const text = bounded(String(value));
  return text === "" || /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

/** Told of each line that is written. */
export type LogListener = (level: LogLevel, event: string, fields: LogFields) => void;

/** Writes lines that are severe enough. */
export class Log {
  #options: LogOptions;
  #listener: LogListener | undefined;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** The level may change while running. */
  setLevel(level: LogLevel): void {
    this.#options = { ...this.#options, level };
  }

  /** One listener is told of each line, in the words it is written in; undefined: nobody. */
  listen(listener: LogListener | undefined): void {
    this.#listener = listener;
  }

  /** Writes a line that the listener is not told of: about what it does with lines. */
  aside(level: LogLevel, event: string, fields?: LogFields): void {
    const listener = this.#listener;
    this.#listener = undefined;
    this.record(level, event, fields);
    this.#listener = listener;
  }

  /** Writes one event: a fixed phrase in lower case, and fields. */
  record(level: LogLevel, event: string, fields: LogFields = {}): void {
    const { level: least, format, write } = this.#options;
    if (SEVERITY[level] > SEVERITY[least]) return;
    const line = format === "json" ? this.#json(level, event, fields) : this.#text(level, event, fields);
    try {
      write(`${line}\n`);
    } catch {
      // Nowhere left to say it: a closed or full stderr loses the line, not the agent.
    }
    this.#listener?.(level, bounded(event), boundedFields(fields));
  }

  error(event: string, fields?: LogFields): void {
    this.record("error", event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    this.record("warn", event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.record("info", event, fields);
  }

  debug(event: string, fields?: LogFields): void {
    this.record("debug", event, fields);
  }

  #time(): string | undefined {
    return this.#options.hasTime ? new Date(this.#options.now()).toISOString() : undefined;
  }

  #text(level: LogLevel, event: string, fields: LogFields): string {
    const pairs = Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${logfmt(value)}`]
    );
    return [this.#time(), level, bounded(event), ...pairs].filter((part) => part !== undefined).join(" ");
  }

  #json(level: LogLevel, event: string, fields: LogFields): string {
    return JSON.stringify({ time: this.#time(), level, event: bounded(event), ...boundedFields(fields) });
  }
}
