/**
 * Candidates: every value that some layer offers for some key, with its rank. The lowest rank wins (design 7); a
 * value that does not parse is a finding and never becomes a candidate.
 * @module
 */
import type { Signal } from "../exporters/batch.ts";
import { type Finding, type Findings, type Severity } from "./finding.ts";
import { parseHeaders } from "./header_list.ts";
import type { Key } from "./key.ts";
import { HEADERS } from "./keys_where.ts";

/** Ranks of what a source's variables are, added to the source's own rank; the file repeats the order inside. */
export const RANK = {
  flag: 0,
  env: 10,
  credential: 20,
  file: 30,
  remote: 40,
  preset: 50,
  heka: 60,
} as const;
export const WITHIN = { sonde: 1, otelSignal: 2, otel: 3, alias: 4, secretFile: 5 } as const;

/** One offered value that parses. */
export interface Candidate {
  readonly key: Key<unknown>;
  /** "default" for the unnamed destination and for keys that have none. */
  readonly destination: string;
  /** Only for this signal. */
  readonly signal?: Signal;
  readonly text: string;
  readonly rank: number;
  /** As in `config print`: flag, env, FILE:LINE, credential, remote, preset NAME, default. */
  readonly origin: string;
  /** For findings. */
  readonly place: string;
  /** The variable or flag as written. */
  readonly variable: string;
  /** An endpoint that is the whole URL: no signal path follows. */
  readonly isVerbatim?: true;
}

/** What to make of a value that does not parse. */
export interface Judgement {
  readonly severity: Severity;
  /** Replaces the type's rule as the next step. */
  readonly next?: string;
}

/** Gathers candidates and judges each as it comes. */
export class Candidates {
  readonly #list: Candidate[] = [];
  readonly #refused: Candidate[] = [];
  readonly #findings: Findings;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Takes a candidate whose text parses; reports the others. An empty text is "not set". */
  offer(candidate: Candidate, { severity, next }: Judgement = { severity: "problem" }): void {
    if (candidate.text === "") return;
    const at = { place: candidate.place, key: candidate.variable };
    try {
      candidate.key.type.parse(candidate.text);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      this.#findings.add(severity, { ...at, what, next: next ?? `Write ${candidate.key.type.rule}` });
      this.#refused.push(candidate);
      return;
    }
    if (candidate.key === HEADERS) this.#warnOfHeaders(candidate.text, at);
    this.#list.push(candidate);
  }

  /** Candidates of a key for one destination and signal, best first. */
  of(key: Key<unknown>, destination: string, signal?: Signal): readonly Candidate[] {
    return this.#list
      .filter((each) => each.key === key && each.destination === destination)
      .filter((each) => each.signal === undefined || each.signal === signal)
      .sort((left, right) => left.rank - right.rank);
  }

  /** True when a value was offered and refused: it is wrong, not missing, and has been reported. */
  hasRefused(key: Key<unknown>, destination: string): boolean {
    return this.#refused.some((each) => each.key === key && each.destination === destination);
  }

  get all(): readonly Candidate[] {
    return this.#list;
  }

  #warnOfHeaders(text: string, at: Pick<Finding, "place" | "key">): void {
    for (const what of parseHeaders(text).warnings) {
      this.#findings.add("warning", { ...at, what, next: "Write special characters as %XX" });
    }
  }
}
