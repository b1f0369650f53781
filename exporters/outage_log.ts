/**
 * What a lane says: one line when delivery begins to fail, at most one a minute while it does, one when it is over
 * with what was drained and what was too old; a backend's refusal once per text (design 8, issue "quiet").
 * @module
 */
import type { LogRecord } from "./messages.ts";
import type { Refused, Retryable } from "./outcome.ts";

const REPEAT_MS = 60_000;
/** Distinct refusals said in one life; the counters tell the rest. */
const TEXTS_MAX = 32;

type Fields = Record<string, string | number | boolean>;

/** A lane's figures for its lines. */
export interface OutageFigures {
  readonly queued: number;
  readonly delivered: number;
  readonly tooOld: number;
}

interface Outage {
  readonly beganMs: number;
  readonly delivered: number;
  readonly tooOld: number;
  attempts: number;
  /** False while nothing was said of it: a lane that comes and goes does not fill the log. */
  isSaid: boolean;
}

export class OutageLog {
  readonly #write: (record: LogRecord) => void;
  readonly #lane: Fields;
  readonly #texts = new Set<string>();
  #outage: Outage | undefined;
  #saidMs = -Infinity;

  constructor(lane: { destination: string; signal: string }, write: (record: LogRecord) => void) {
    this.#lane = { destination: lane.destination, signal: lane.signal };
    this.#write = write;
  }

  failed(outcome: Retryable | Refused, nowMs: number, figures: OutageFigures): void {
    const { cause, message } = outcome;
    const fields = { cause, ...(outcome.status !== undefined && { status: outcome.status }), message };
    const level = outcome.kind === "refused" ? "error" : "warn";
    const { delivered, tooOld, queued } = figures;
    const outage = this.#outage ??= { beganMs: nowMs, delivered, tooOld, attempts: 0, isSaid: false };
    outage.attempts++;
    if (nowMs - this.#saidMs < REPEAT_MS) return;
    this.#saidMs = nowMs;
    outage.isSaid = true;
    if (outage.attempts === 1) return this.#say(level, "delivery failing", fields);
    const minutes = Math.round((nowMs - outage.beganMs) / 60_000);
    this.#say(level, "delivery still failing", { ...fields, minutes, attempts: outage.attempts, queued });
  }

  /** The backlog is gone. */
  drained(nowMs: number, figures: OutageFigures): void {
    const outage = this.#outage;
    if (outage === undefined) return;
    this.#outage = undefined;
    if (!outage.isSaid) return;
    this.#say("info", "delivery resumed", {
      seconds: Math.round((nowMs - outage.beganMs) / 1000),
      drained: figures.delivered - outage.delivered,
      too_old: figures.tooOld - outage.tooOld,
    });
  }

  /** The backend refused items for good, or warned: said once per text, numbers aside. */
  refused(event: string, message: string, fields: Fields): void {
    const text = event + message.replace(/\d+/g, "#");
    if (this.#texts.has(text) || this.#texts.size >= TEXTS_MAX) return;
    this.#texts.add(text);
    this.#say("warn", event, { ...fields, message });
  }

  #say(level: LogRecord["level"], event: string, fields: Fields): void {
    this.#write({ level, event, fields: { ...this.#lane, ...fields } });
  }
}
