/**
 * From flags, environment and files to settings, or to every problem at once: the only door to configuration. It
 * looks at files through `ConfigFiles` and at nothing else (design 7).
 * @module
 */
import type { Signal } from "../exporters/batch.ts";
import type { LaneConfig } from "../exporters/lane_config.ts";
import { Candidates, RANK } from "./candidate.ts";
import {
  checkAttributes,
  checkInterval,
  checkRequired,
  checkShapes,
  choosePreset,
  type Destination,
  offerPreset,
  presetUrl,
  readAliases,
  type Sources,
} from "./destination.ts";
import { describe, type Effective } from "./effective.ts";
import { chooseFile, HEKA_FILE, readFile, type Variable, type Variables } from "./env_file.ts";
import { absolute, type ConfigFiles } from "./files.ts";
import { type Finding, Findings } from "./finding.ts";
import { checkExposure, gather, gatherCredentials, type Gathering } from "./gather.ts";
import { HEKA_ALIASES, HEKA_DEFAULTS, readHeka } from "./heka.ts";
import { checkOlder } from "./heka_required.ts";
import { checkHostFolders } from "./host_folders.ts";
import { FIRST_WORDS, keyNamed, KEYS } from "./keys.ts";
import { ROOT } from "./keys_what.ts";
import { DESTINATIONS } from "./keys_where.ts";
import { buildLanes } from "./lanes.ts";
import { checkCollectors } from "./names.ts";
import { checkOpamp } from "./opamp_settings.ts";
import { type OtelChoices, readOtel } from "./otel.ts";
import { checkReceive } from "./receive.ts";
import { Resolution } from "./resolution.ts";
import { buildSettings, type Settings } from "./settings.ts";
import { path } from "./value_types.ts";

/** One value from the command line: `--interval 5s` or `--set KEY=VALUE`. */
export interface FlagValue {
  /** As written: "--interval", "--set". */
  readonly flag: string;
  readonly key: string;
  readonly text: string;
}

/** Everything configuration is made of. */
export interface LoadInput {
  readonly flags: readonly FlagValue[];
  /** `--env-file`. */
  readonly envFile?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly files: ConfigFiles;
  /** Accepted remote configuration, by key; whoever accepted it has applied the whitelist. */
  readonly remote?: Readonly<Record<string, string>>;
  /** Known collectors; given, an unknown name in `SONDE_COLLECTORS` is a problem. */
  readonly collectorNames?: readonly string[];
}

/** What came of it. */
export interface Loaded {
  /** Absent when there is a problem. */
  readonly settings?: Settings;
  /** Any of these: exit 78. */
  readonly problems: readonly Finding[];
  /** Secrets readable by everybody: warnings, and a failure of `check --strict`. */
  readonly exposures: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly notices: readonly Finding[];
  /** Every key with what it is worth and where that comes from; secrets masked. */
  readonly effective: readonly Effective[];
  /** The configuration file in use. */
  readonly file?: string;
  /** Every file that was read: what a reload may read again. */
  readonly filesRead: readonly string[];
}

function flagVariables({ flags, files }: LoadInput, findings: Findings): Variables {
  const variables = new Map<string, Variable>();
  for (const { flag, key, text } of flags) {
    const name = key.trim();
    if (/^(SONDE|OTEL)_\w+$/.test(name)) {
      const isPath = keyNamed(name)?.key.type === path && text.trim() !== "";
      const given = isPath ? absolute(text.trim(), files) : text.trim();
      variables.set(name, { name, text: given, place: flag, origin: "flag" });
    } else {
      const what = `"${name.slice(0, 80)}" is not a key`;
      findings.add("problem", { place: flag, key: "-", what, next: "Write --set SONDE_KEY=VALUE" });
    }
  }
  return variables;
}

function variablesOf(
  texts: Readonly<Record<string, string>>,
  from: Pick<Variable, "place" | "origin">,
): Variables {
  const entries = Object.entries(texts).map(([name, text]): [string, Variable] => [
    name,
    { name, text: text.trim(), ...from },
  ]);
  return new Map(entries);
}

/** Destination names come first: without them no other key's name can be judged. */
function readNames(sources: readonly Variables[], findings: Findings): readonly string[] {
  const variable = sources.map((each) => each.get(DESTINATIONS.name)).find((each) =>
    (each?.text ?? "") !== ""
  );
  if (variable === undefined) return ["default"];
  const names: string[] = [];
  for (const name of DESTINATIONS.type.parse(variable.text)) {
    const fault = !/^[a-z][a-z0-9]*$/.test(name)
      ? "is not a destination name"
      : FIRST_WORDS.has(name)
      ? "cannot be told from a key"
      : names.includes(name)
      ? "is named twice"
      : undefined;
    if (fault === undefined) names.push(name);
    else {
      const next = "Write small letters and digits, beginning with a letter, and no first word of a key";
      findings.add("problem", {
        place: variable.place,
        key: variable.name,
        what: `"${name}" ${fault}`,
        next,
      });
    }
  }
  return names;
}

interface Read {
  readonly at: Gathering;
  readonly sources: Sources;
  readonly otel: OtelChoices;
  readonly isHeka: boolean;
  readonly file: string | undefined;
}

/** All layers but those that depend on the preset. */
function readLayers(input: LoadInput, findings: Findings): Read {
  const { envFile, env, files } = input;
  const chosen = chooseFile(envFile, { files, env, findings });
  const flag = flagVariables(input, findings);
  const environment = variablesOf(env, { place: "environment", origin: "env" });
  const file: Variables = chosen === undefined ? new Map() : readFile(chosen, { files, env, findings });
  const candidates = new Candidates(findings);
  const destinations = readNames([flag, environment, file], findings);
  const filesRead = new Set(chosen === undefined ? [] : [chosen.path]);
  const at: Gathering = { candidates, findings, files, destinations, filesRead };
  gather(flag, "flag", at);
  gather(environment, "env", at);
  gather(file, "file", at);
  gather(variablesOf(input.remote ?? {}, { place: "remote", origin: "remote" }), "remote", at);
  if (env["CREDENTIALS_DIRECTORY"]) gatherCredentials(env["CREDENTIALS_DIRECTORY"], at);
  const sources: Sources = [{ kind: "env", variables: environment }, { kind: "file", variables: file }];
  readAliases(HEKA_ALIASES, { sources, destination: "default", at });
  readOtel(flag, { rank: RANK.flag, candidates, findings });
  const choices = [
    readOtel(environment, { rank: RANK.env, candidates, findings }),
    readOtel(file, { rank: RANK.file, candidates, findings }),
  ];
  return {
    at,
    sources,
    otel: {
      exporters: { ...choices[1]?.exporters, ...choices[0]?.exporters },
      isSdkDisabled: choices.some(({ isSdkDisabled }) => isSdkDisabled),
      isExponential: choices.find((choice) => choice.isExponential !== undefined)?.isExponential ?? false,
    },
    isHeka: chosen?.path === HEKA_FILE ||
      sources.some(({ variables }) => variables.get("EXPORTER_TYPE")?.text),
    file: chosen?.path,
  };
}

function readDestinations(read: Read, resolution: Resolution): readonly Destination[] {
  const { at, sources, isHeka } = read;
  const destinations: Destination[] = [];
  for (const name of at.destinations) {
    const preset = choosePreset(name, { ...read, resolution });
    if (preset === undefined) continue;
    const destination = { name, preset };
    readAliases(preset.aliases ?? [], { sources, destination: name, at });
    const url = presetUrl(destination, resolution);
    resolution.applyGroupRule(name, {
      findings: at.findings,
      ...(url === undefined ? {} : { presetUrl: url }),
    });
    offerPreset(destination, read);
    checkShapes(destination, resolution, at);
    checkRequired(destination, resolution, at);
    if (isHeka) checkOlder(destination, resolution, at);
    checkAttributes(destination, resolution, at);
    checkInterval(destination, resolution, at);
    destinations.push(destination);
  }
  return destinations;
}

function offerHekaDefaults({ at, isHeka }: Read): void {
  if (!isHeka) return;
  for (const key of KEYS) {
    const text = HEKA_DEFAULTS[key.name] ?? "";
    const from = { origin: "default", place: "default", variable: key.name };
    at.candidates.offer({ key, destination: "default", text, rank: RANK.heka, ...from });
  }
}

/** Signals that `OTEL_<SIGNAL>_EXPORTER=none` switches off for the unnamed destination. */
function isWanted({ destination, signal }: { destination: string; signal: Signal }, { otel }: Read): boolean {
  return destination !== "default" || otel.exporters[signal] !== "none";
}

function checkFileMode({ at, file }: Read): void {
  if (file === undefined) return;
  const secret = at.candidates.all.find(({ key, origin }) => key.secret && origin.startsWith(`${file}:`));
  if (secret !== undefined) checkExposure(file, { place: secret.place, key: secret.variable }, at);
}

/** Loads configuration. Never throws for what an operator wrote; `problems` says it all at once. */
export function loadConfig(input: LoadInput): Loaded {
  const findings = new Findings();
  const read = readLayers(input, findings);
  const { at, otel, isHeka, file } = read;
  const resolution = new Resolution(at.candidates);
  offerHekaDefaults(read);
  const destinations = readDestinations(read, resolution);
  const sendsIntelligence = destinations.some(({ preset }) => preset.sendsIntelligence === true);
  const heka = readHeka({ isOn: isHeka, sendsIntelligence }, { sources: read.sources, findings });
  const lanes: readonly LaneConfig[] = destinations
    .flatMap((destination) => buildLanes(destination, { resolution, heka, sources: read.sources, at }))
    .filter((lane) => isWanted(lane, read));
  checkFileMode(read);
  checkCollectors(resolution, { names: input.collectorNames, findings });
  checkReceive(resolution, { lanes, findings });
  checkOpamp(resolution, at);
  checkHostFolders(input.env, { root: resolution.value(ROOT), findings });
  const said = { hasSelfTelemetry: !otel.isSdkDisabled, isExponential: otel.isExponential === true };
  const problems = findings.of("problem");
  return {
    ...(problems.length > 0 ? {} : {
      settings: buildSettings({ resolution, destinations, lanes, env: input.env, heka, ...said }),
    }),
    problems,
    exposures: findings.of("exposure"),
    warnings: findings.of("warning"),
    notices: findings.of("notice"),
    effective: describe(resolution, destinations),
    ...(file === undefined ? {} : { file }),
    filesRead: [...at.filesRead],
  };
}
