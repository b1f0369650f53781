/**
 * From a destination to its lanes: one per signal that the row takes, with everything the courier must know about it
 * (exporters/lane_config.ts). What the row cannot take is a problem here, not a refusal at night.
 * @module
 */
import { type Encoding, type Signal, SIGNALS, type Temporality } from "../exporters/batch.ts";
import type { CredentialKind, HeaderParts, LaneConfig, NativeForm } from "../exporters/lane_config.ts";
import { type GivenEndpoint, signalUrl } from "../exporters/presets/resolve.ts";
import { type Candidate, RANK } from "./candidate.ts";
import { readTransport } from "./certificates.ts";
import { headersOf } from "./credential_files.ts";
import { type Destination, readFillings, type Sources, variableNamed } from "./destination.ts";
import type { Gathering } from "./gather.ts";
import { checkHeaderValue } from "./header_list.ts";
import type { HekaSettings } from "./heka.ts";
import type { Key } from "./key.ts";
import { NAMING } from "./keys_what.ts";
import * as where from "./keys_where.ts";
import type { Resolution, Scope } from "./resolution.ts";

/** What lanes are built from. */
export interface LaneSources {
  readonly resolution: Resolution;
  readonly heka: HekaSettings;
  /** The vendors' own variables, best first. */
  readonly sources: Sources;
  readonly at: Gathering;
}

type Build = LaneSources & {
  readonly destination: Destination;
  readonly signal: Signal;
  readonly scope: Scope;
};

function refuse(
  winner: Candidate | undefined,
  { what, next }: { what: string; next: string },
  { at }: Build,
): void {
  // A row's own value cannot contradict the row.
  if (winner === undefined || winner.rank >= RANK.preset) return;
  at.findings.add("problem", { place: winner.place, key: winner.variable, what, next });
}

function readEncoding(build: Build): Encoding {
  const { resolution, scope, destination: { preset } } = build;
  if (preset.encodings[0] === "native") return "native";
  const encoding = resolution.value(where.PROTOCOL, scope) === "http/json" ? "json" : "protobuf";
  if (preset.encodings.includes(encoding)) return encoding;
  const what = `preset ${preset.name} does not take ${encoding}`;
  const next = `Write http/${preset.encodings[0]}, or leave it out`;
  refuse(resolution.winner(where.PROTOCOL, scope), { what, next }, build);
  return preset.encodings[0];
}

/** What the row's own encoder is told; a text it cannot take is a problem. */
function readNative({ destination: { preset }, sources, at }: Build): NativeForm | undefined {
  if (preset.native === undefined) return undefined;
  const options: Record<string, string> = {};
  for (const { name, variable, parse } of preset.options ?? []) {
    const found = variableNamed(variable, sources);
    if (found === undefined) continue;
    try {
      options[name] = parse(found.text);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      at.findings.add("problem", { place: found.place, key: found.name, what, next: `See ${preset.docs}` });
    }
  }
  return { format: preset.native, options };
}

function readTemporality(build: Build): Temporality {
  const { resolution, scope, destination: { preset } } = build;
  const asked = resolution.value(where.TEMPORALITY, scope);
  if (asked === "auto") return preset.temporalities[0];
  if (preset.temporalities.includes(asked)) return asked;
  const what = `preset ${preset.name} does not take ${asked} sums`;
  const next = `Write ${preset.temporalities[0]} or auto`;
  refuse(resolution.winner(where.TEMPORALITY, scope), { what, next }, build);
  return preset.temporalities[0];
}

function readHeaderParts({ resolution, heka, destination: { preset }, signal, scope }: Build): HeaderParts {
  return {
    given: resolution.optional(where.HEADERS, scope)?.headers ?? {},
    templates: { ...preset.headers, ...preset.signals[signal]?.headers },
    fillings: readFillings(scope, resolution),
    agent: {
      ...(preset.sendsAgentId && heka.agent),
      ...(preset.sendsIntelligence && heka.intelligence),
    },
  };
}

function readHeaders(parts: HeaderParts, at: Gathering): Readonly<Record<string, string>> {
  const headers = headersOf(parts);
  for (const [header, value] of Object.entries(headers)) {
    try {
      checkHeaderValue(`header "${header}"`, value);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const next = "Look for characters that do not belong into the key";
      at.findings.add("problem", { place: "configuration", key: where.API_KEY.name, what, next });
    }
  }
  return headers;
}

/** Keys whose value may stand in a file of its own, and keys that name a file. */
const HELD: readonly (readonly [CredentialKind, Key<unknown>])[] = [
  ["key", where.API_KEY],
  ["user", where.USER],
  ["headers", where.HEADERS],
  ["proxy", where.PROXY],
];
const NAMED: readonly (readonly [CredentialKind, Key<string>])[] = [
  ["ca", where.CA_FILE],
  ["clientCert", where.CLIENT_CERT_FILE],
  ["clientKey", where.CLIENT_KEY_FILE],
];

/** The files of credentials that are no part of any other file. */
function readCredentialFiles(
  { resolution, scope }: Build,
  parts: HeaderParts,
): Pick<LaneConfig, "credentials"> {
  const paths: Partial<Record<CredentialKind, string>> = {};
  for (const [kind, key] of HELD) {
    const winner = resolution.winner(key, scope);
    if (winner?.origin === "credential") paths[kind] = winner.place;
  }
  for (const [kind, key] of NAMED) {
    const path = resolution.optional(key, scope);
    if (path !== undefined) paths[kind] = path;
  }
  return Object.keys(paths).length === 0 ? {} : { credentials: { paths, parts } };
}

/** Heka's own wait after a 429 is never cut by the cap on what a server may ask for. */
function readRetryAfterMax({ resolution, heka, scope }: Build, profile: "otlp" | "heka"): number {
  const cap = resolution.value(where.RETRY_AFTER_MAX, scope);
  return profile === "heka" ? Math.max(cap, heka.retry.retryAfterDefaultMs) : cap;
}

/** Heka's own marks on every request, in Heka's mode: its native exporter had no idempotency key (heka.md 8). */
function readMarks(
  { heka, destination: { preset } }: Build,
): Pick<LaneConfig, "sendsAgentId" | "marksBatches"> {
  if (!heka.isOn || !preset.sendsAgentId) return {};
  return { sendsAgentId: true, ...(preset.native === undefined ? { marksBatches: true } : {}) };
}

function readEndpoint({ resolution, scope }: Build): GivenEndpoint | undefined {
  const winner = resolution.winner(where.ENDPOINT, scope);
  if (winner === undefined) return undefined;
  if (winner.isVerbatim !== true) return { url: winner.text, kind: "base" };
  return { url: winner.text, kind: winner.signal === undefined ? "metrics" : "signal" };
}

/** The operator's age, else the signal's own, else the row's. */
function readMaxAge({ resolution, scope, signal, destination: { preset } }: Build): number {
  const winner = resolution.winner(where.SPOOL_MAX_AGE, scope);
  const asked = winner === undefined || winner.rank >= RANK.preset
    ? "auto"
    : resolution.value(where.SPOOL_MAX_AGE, scope);
  return asked === "auto" ? preset.signals[signal]?.maxAgeMs ?? preset.maxAgeMs : asked;
}

function buildLane(build: Build): LaneConfig | undefined {
  const { resolution, destination: { name, preset }, signal, scope } = build;
  const row = preset.signals[signal];
  const fillings = readFillings(scope, resolution);
  const url = signalUrl(preset, signal, { given: readEndpoint(build), fillings });
  if (url === undefined) return undefined;
  const naming = resolution.value(NAMING, scope);
  const profile = resolution.value(where.RETRY_PROFILE, scope);
  const native = readNative(build);
  const parts = readHeaderParts(build);
  return {
    destination: name,
    signal,
    preset: preset.name,
    url,
    headers: readHeaders(parts, build.at),
    ...readCredentialFiles(build, parts),
    ...readMarks(build),
    encoding: readEncoding(build),
    ...(native === undefined ? {} : { native }),
    compression: resolution.value(where.COMPRESSION, scope),
    timeoutMs: resolution.value(where.TIMEOUT, scope),
    naming: naming === "auto" ? preset.naming : naming,
    ...(preset.resourceCopies === undefined ? {} : { resourceCopies: preset.resourceCopies }),
    temporality: readTemporality(build),
    batchBytesMax: row?.batchBytesMax ?? preset.batchBytesMax,
    batchItemsMax: row?.batchItemsMax ?? preset.batchItemsMax,
    ...(preset.bucketsMax === undefined ? {} : { bucketsMax: preset.bucketsMax }),
    maxAgeMs: readMaxAge(build),
    ...(preset.answers === undefined ? {} : { answers: preset.answers }),
    transport: readTransport({ resolution, scope, at: build.at }),
    retry: {
      profile,
      retryAfterMaxMs: readRetryAfterMax(build, profile),
      ...(profile === "heka" ? { round: build.heka.retry } : {}),
    },
  };
}

/** Says when an endpoint looks like the other kind: a whole URL where a base is wanted, or the reverse. */
function checkPath({ preset }: Destination, { winner, at }: { winner: Candidate; at: Gathering }): void {
  const hasSignal = /\/v1\/(?:metrics|logs|traces)\/?$/.test(winner.text);
  const hasPath = !/^[a-z]+:\/\/[^/]+\/?$/i.test(winner.text);
  const [what, next] = winner.isVerbatim !== true && hasSignal && !preset.mergesPath
    ? ["ends with a signal's path, which follows it once more", "Leave the path of the signal out"]
    : winner.isVerbatim === true && !hasPath
    ? ["is the whole URL and has no path", "Add the path, such as /v1/metrics"]
    : [];
  if (what === undefined || next === undefined) return;
  at.findings.add("warning", { place: winner.place, key: winner.variable, what, next });
}

/** The lanes of one destination; empty for the terminal. */
export function buildLanes(destination: Destination, sources: LaneSources): readonly LaneConfig[] {
  const winner = sources.resolution.winner(where.ENDPOINT, {
    destination: destination.name,
    signal: "metrics",
  });
  if (winner !== undefined) checkPath(destination, { winner, at: sources.at });
  return SIGNALS.map((signal) => {
    const scope = { destination: destination.name, signal };
    return buildLane({ ...sources, destination, signal, scope });
  }).filter((lane) => lane !== undefined);
}
