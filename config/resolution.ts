/**
 * Which candidate wins: lowest rank, a destination's own before a shared one, and no credential from a layer below
 * the one that moved the endpoint to another origin (design 7).
 * @module
 */
import { type Candidate, type Candidates, RANK, WITHIN } from "./candidate.ts";
import type { Findings } from "./finding.ts";
import type { Key } from "./key.ts";
import { KEYS } from "./keys.ts";
import { ENDPOINT, PRESET } from "./keys_where.ts";

/** For which destination and signal a key is asked. */
export interface Scope {
  readonly destination?: string;
  readonly signal?: Candidate["signal"];
}

/** Layers as the group rule sees them: a key file belongs to the source that names it, the file is one layer. */
function layer(rank: number): number {
  const source = Math.floor(rank / 10) * 10;
  if (source !== RANK.env) return source;
  const within = rank - RANK.env;
  if (within === WITHIN.sonde || within === WITHIN.secretFile) return source;
  return within === WITHIN.alias ? source + 2 : source + 1;
}

function originOf(url: string): string {
  return URL.parse(url)?.origin ?? url;
}

/** Answers what each key is worth, for settings and for `config print`. */
export class Resolution {
  readonly #candidates: Candidates;
  /** Void credentials per signal; one may be void where its signal's endpoint moved and good elsewhere. */
  readonly #void = new Map<Candidate["signal"], Set<Candidate>>();

  constructor(candidates: Candidates) {
    this.#candidates = candidates;
  }

  /** The candidate that counts, or undefined: the default does. */
  winner(key: Key<unknown>, { destination = "default", signal }: Scope = {}): Candidate | undefined {
    const own = this.#live(key, destination, signal);
    if (destination === "default" || key.group !== "shared") return own[0];
    const shared = this.#live(key, "default", signal);
    return own.find(({ rank }) => rank < RANK.preset) ?? shared.find(({ rank }) => rank < RANK.preset) ??
      own[0] ??
      shared.find(({ rank }) => rank >= RANK.heka);
  }

  /** The value, or undefined when no layer and no default has one. */
  optional<T>(key: Key<T>, scope?: Scope): T | undefined {
    const text = this.winner(key, scope)?.text ?? key.default;
    return text === undefined ? undefined : key.type.parse(text);
  }

  /** The value of a key that has a default. */
  value<T>(key: Key<T>, scope?: Scope): T {
    const value = this.optional(key, scope);
    if (value === undefined) throw new Error(`BUG: key "${key.name}" has no default`);
    return value;
  }

  /** All candidates of a key, the least important first, for values that add up. */
  ascending(key: Key<unknown>): readonly Candidate[] {
    // Equal ranks keep the order they were offered in: the later one wins.
    return [...this.#candidates.of(key, "default")].sort((left, right) => right.rank - left.rank);
  }

  /**
   * The group rule: when a layer moves the endpoint of a destination to another origin than the layers below it
   * give, their credentials are void, and each is named. `presetUrl` is where the preset alone would send.
   */
  applyGroupRule(
    destination: string,
    { presetUrl, findings }: { presetUrl?: string; findings: Findings },
  ): void {
    for (const signal of [undefined, "metrics", "logs", "traces"] as const) {
      const [first, ...rest] = this.#candidates.of(ENDPOINT, destination, signal);
      if (first === undefined) continue;
      const below = rest.find(({ rank }) => layer(rank) > layer(first.rank))?.text ??
        this.#presetBelow(first, { destination, presetUrl });
      if (below === undefined || originOf(below) === originOf(first.text)) continue;
      this.#voidBelow(first, { destination, signal, findings });
    }
  }

  /** A preset chosen below the endpoint counts as an address, except under a flag, typed for this very command. */
  #presetBelow(
    first: Candidate,
    { destination, presetUrl }: { destination: string; presetUrl: string | undefined },
  ) {
    const preset = this.winner(PRESET, { destination });
    if (preset === undefined || first.rank < RANK.env || layer(preset.rank) <= layer(first.rank)) {
      return undefined;
    }
    return presetUrl;
  }

  #voidBelow(
    first: Candidate,
    { destination, signal, findings }: {
      destination: string;
      signal: Candidate["signal"];
      findings: Findings;
    },
  ): void {
    for (const key of KEYS.filter(({ credential }) => credential === true)) {
      for (const candidate of this.#candidates.of(key, destination, signal)) {
        if (layer(candidate.rank) <= layer(first.rank)) continue;
        this.#void.set(signal, (this.#void.get(signal) ?? new Set()).add(candidate));
        findings.add("warning", {
          place: candidate.place,
          key: candidate.variable,
          what: `is not used: ${first.variable} moves the endpoint to ${originOf(first.text)}`,
          next: `Set it in the same place as ${first.variable}`,
        });
      }
    }
  }

  #live(key: Key<unknown>, destination: string, signal: Candidate["signal"]): Candidate[] {
    return this.#candidates.of(key, destination, signal).filter((candidate) =>
      !this.#void.get(signal)?.has(candidate)
    );
  }
}
