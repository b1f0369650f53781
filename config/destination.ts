/**
 * One destination: which row it follows, the row's own older variables, and what the row wants set. What is missing
 * or has the wrong shape is said with the row's own words.
 * @module
 */
import { SIGNALS } from "../exporters/batch.ts";
import type { Alias, Preset, PresetSetting } from "../exporters/presets/preset.ts";
import { presetNamed, PRESETS } from "../exporters/presets/registry.ts";
import { type Fillings, rowEndpoint } from "../exporters/presets/resolve.ts";
import { type Candidate, RANK, WITHIN } from "./candidate.ts";
import type { Variable, Variables } from "./env_file.ts";
import type { Gathering } from "./gather.ts";
import type { Key } from "./key.ts";
import { keyNamed, variableName } from "./keys.ts";
import { INTERVAL, RESOURCE_ATTRIBUTES } from "./keys_what.ts";
import * as where from "./keys_where.ts";
import { nearest } from "./nearest.ts";
import { judge, translate } from "./older.ts";
import type { OtelChoices } from "./otel.ts";
import type { Resolution, Scope } from "./resolution.ts";
import { durationText, rowOf } from "./value_types.ts";

/** A destination's name and row. */
export interface Destination {
  readonly name: string;
  readonly preset: Preset;
}

/** The sources older variables are read from, best first. */
export type Sources = readonly { readonly kind: "env" | "file"; readonly variables: Variables }[];

const SETTINGS: Readonly<Record<PresetSetting, Key<string>>> = {
  API_KEY: where.API_KEY,
  ENDPOINT: where.ENDPOINT,
  REGION: where.REGION,
  DATASET: where.DATASET,
  USER: where.USER,
  TENANT: where.TENANT,
};

/** Reads older variables as candidates, with one notice each. One that is set but empty hides those below it. */
export function readAliases(
  aliases: readonly Alias[],
  { sources, destination, at }: { sources: Sources; destination: string; at: Gathering },
): void {
  const hidden = new Set<string>();
  for (const { kind, variables } of sources) {
    for (const alias of aliases) {
      const variable = variables.get(alias.variable);
      const named = keyNamed(alias.key);
      if (variable?.text === "") hidden.add(alias.variable);
      if (variable === undefined || named === undefined || hidden.has(alias.variable)) continue;
      const spot = { place: variable.place, key: variable.name };
      const judgement = judge(alias);
      try {
        at.candidates.offer({
          ...variable,
          key: named.key,
          destination: named.key.group === undefined ? "default" : destination,
          text: translate(variable.text, alias),
          rank: RANK[kind] + WITHIN.alias,
          variable: variable.name,
          ...(alias.kind === "verbatim" ? { isVerbatim: true } : {}),
        }, judgement);
        at.findings.add("notice", { ...spot, what: `is read as ${alias.key}`, next: "" });
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error);
        at.findings.add(judgement.severity, { ...spot, what, next: judgement.next ?? "" });
      }
    }
  }
}

function isSet(variable: string, sources: Sources): boolean {
  return variableNamed(variable, sources) !== undefined;
}

/** The unnamed destination's row when no key names one (design 7). */
function impliedPreset(
  resolution: Resolution,
  { sources, otel }: { sources: Sources; otel: OtelChoices },
): string {
  const metrics = otel.exporters.metrics;
  if (metrics === "console") return metrics;
  const hasEndpoint = resolution.winner(where.ENDPOINT) !== undefined ||
    SIGNALS.some((signal) => resolution.winner(where.ENDPOINT, { signal }));
  if (hasEndpoint) return "otlp";
  const implied = PRESETS.find(({ impliedBy }) => impliedBy !== undefined && isSet(impliedBy, sources));
  return implied?.name ?? (metrics === "otlp" ? "otlp" : "console");
}

/** The first source that sets a vendor's variable. */
export function variableNamed(name: string, sources: Sources): Variable | undefined {
  return sources.map(({ variables }) => variables.get(name)).find((variable) =>
    (variable?.text ?? "") !== ""
  );
}

/** The row in the version that its variable asks for; undefined after a problem. */
function inVariant(
  preset: Preset,
  { winner, sources, at }: { winner: Candidate; sources: Sources; at: Gathering },
): Preset | undefined {
  const { variants } = preset;
  if (variants === undefined) return preset;
  const asked = variableNamed(variants.variable, sources);
  const isOlder = winner.rank % 10 === WITHIN.alias;
  const row = rowOf(variants.rows, asked?.text.toLowerCase() ?? (isOlder ? variants.older : ""));
  if (row !== undefined || asked === undefined) return { ...preset, ...row };
  at.findings.add("problem", {
    place: asked.place,
    key: asked.name,
    what: `"${asked.text}" is no version that preset ${preset.name} knows`,
    next: `Write one of ${Object.keys(variants.rows).join(", ")}`,
  });
  return undefined;
}

/** The row a destination follows; undefined after a problem. */
export function choosePreset(
  name: string,
  { resolution, sources, otel, at }: {
    resolution: Resolution;
    sources: Sources;
    otel: OtelChoices;
    at: Gathering;
  },
): Preset | undefined {
  const winner = resolution.winner(where.PRESET, { destination: name });
  const list = PRESETS.map((preset) => preset.name);
  if (winner !== undefined) {
    const preset = presetNamed(winner.text);
    if (preset !== undefined) return inVariant(preset, { winner, sources, at });
    const what = `"${winner.text}" is not a preset`;
    const next = `Did you mean ${nearest(winner.text, list)}? There are ${list.join(", ")}`;
    at.findings.add("problem", { place: winner.place, key: winner.variable, what, next });
    return undefined;
  }
  if (name === "default") return presetNamed(impliedPreset(resolution, { sources, otel }));
  if (resolution.winner(where.ENDPOINT, { destination: name }) !== undefined) return presetNamed("otlp");
  if (at.candidates.hasRefused(where.ENDPOINT, name)) return undefined;
  const key = variableName(where.PRESET, name);
  const what = `destination "${name}" has neither a preset nor an endpoint`;
  at.findings.add("problem", {
    place: "configuration",
    key,
    what,
    next: `Write ${key}=otlp and an endpoint`,
  });
  return undefined;
}

/** Offers what the row says where an operator says nothing, so that `config print` can name it. */
export function offerPreset(
  { name, preset }: Destination,
  { at, isHeka }: { at: Gathering; isHeka: boolean },
): void {
  const encoding = preset.jsonForHeka && isHeka ? "json" : preset.encodings[0];
  const texts: readonly (readonly [Key<unknown>, string | undefined])[] = [
    // A row that does not speak OTLP has no protocol to choose.
    [where.PROTOCOL, encoding === "native" ? undefined : `http/${encoding}`],
    [where.TEMPORALITY, preset.temporalities[0]],
    [where.SPOOL_MAX_AGE, durationText(preset.maxAgeMs)],
    [where.REGION, preset.region],
    [where.RETRY_PROFILE, preset.retryProfile],
  ];
  for (const [key, text] of texts) {
    if (text === undefined) continue;
    const origin = `preset ${preset.name}`;
    const variable = variableName(key, name);
    at.candidates.offer({ key, destination: name, text, rank: RANK.preset, origin, place: origin, variable });
  }
}

/** The operator's settings for the row's placeholders. */
export function readFillings(scope: Scope, resolution: Resolution): Fillings {
  const optional = (key: Key<string>) => resolution.optional(key, scope);
  const given = {
    key: optional(where.API_KEY),
    region: optional(where.REGION)?.toLowerCase(),
    dataset: optional(where.DATASET),
    user: optional(where.USER),
    tenant: optional(where.TENANT),
  };
  const entries = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}

function exampleOf(setting: PresetSetting, preset: Preset): string {
  const sample = preset.sample[setting];
  return setting === "API_KEY" || sample === undefined ? "" : `, for example ${sample}`;
}

/** Reports required settings that are missing. */
export function checkRequired({ name, preset }: Destination, resolution: Resolution, at: Gathering): void {
  const scope = { destination: name };
  const hasEndpoint = resolution.winner(where.ENDPOINT, scope) !== undefined ||
    resolution.winner(where.ENDPOINT, { ...scope, signal: "metrics" }) !== undefined;
  for (const setting of preset.requires) {
    const key = SETTINGS[setting];
    if (setting === "REGION" ? hasEndpoint : setting === "ENDPOINT" && hasEndpoint) continue;
    const signals = SIGNALS.filter((signal) => preset.signals[signal] !== undefined);
    const hasAll = signals.every((signal) => resolution.winner(key, { ...scope, signal }) !== undefined);
    if (hasAll || at.candidates.hasRefused(key, name)) continue;
    const variable = variableName(key, name);
    const older = preset.aliases?.find((alias) => alias.key === key.name)?.variable;
    const either = older === undefined ? variable : `${variable} or ${older}`;
    at.findings.add("problem", {
      place: "configuration",
      key: variable,
      what: `is missing: preset ${preset.name} needs it`,
      next: `Set ${either}${exampleOf(setting, preset)}; see ${preset.docs}`,
    });
  }
}

/** Reports settings whose shape the row does not take. */
export function checkShapes({ name, preset }: Destination, resolution: Resolution, at: Gathering): void {
  const regions = preset.regions === undefined ? undefined : Object.keys(preset.regions);
  for (const [setting, key] of Object.entries(SETTINGS)) {
    const winner = resolution.winner(key, { destination: name });
    const shape = setting === "REGION" && regions !== undefined
      ? { pattern: new RegExp(`^(?:${regions.join("|")})$`), rule: `one of ${regions.join(", ")}` }
      : Object.entries(preset.shapes ?? {}).find(([each]) => each === setting)?.[1];
    if (winner === undefined || shape === undefined) continue;
    const text = setting === "REGION" ? winner.text.toLowerCase() : winner.text;
    if (shape.pattern.test(text)) continue;
    const shown = key.secret ? "the value" : `"${winner.text}"`;
    const refused = "refused" in shape ? rowOf(shape.refused ?? {}, text) : undefined;
    at.findings.add("isHint" in shape && shape.isHint ? "warning" : "problem", {
      place: winner.place,
      key: winner.variable,
      what: `${shown} is not ${shape.rule}`,
      next: refused ?? `Compare it with ${preset.docs}`,
    });
  }
}

/** Reports resource attributes that the row's destination refuses. */
export function checkAttributes({ preset }: Destination, resolution: Resolution, at: Gathering): void {
  for (const [key, { pattern, rule }] of Object.entries(preset.attributeShapes ?? {})) {
    const text = resolution.optional(RESOURCE_ATTRIBUTES)?.[key];
    const winner = resolution.winner(RESOURCE_ATTRIBUTES);
    if (text === undefined || winner === undefined || pattern.test(text)) continue;
    at.findings.add("problem", {
      place: winner.place,
      key: winner.variable,
      what: `${key} is "${text}", which preset ${preset.name} does not take`,
      next: `Write a ${key} ${rule}; see ${preset.docs}`,
    });
  }
}

/** Reports an interval so short that the row's destination would lose counts. */
export function checkInterval({ preset }: Destination, resolution: Resolution, at: Gathering): void {
  const [least, winner] = [preset.intervalMinMs ?? 0, resolution.winner(INTERVAL)];
  if (winner === undefined || resolution.value(INTERVAL) >= least) return;
  at.findings.add("problem", {
    place: winner.place,
    key: winner.variable,
    what: `"${winner.text}" is too short: preset ${preset.name} keeps one value per ${durationText(least)}`,
    next: `Write ${durationText(least)} or more; see ${preset.docs}`,
  });
}

/** Where the row alone would send, for the group rule. */
export function presetUrl({ name, preset }: Destination, resolution: Resolution): string | undefined {
  return rowEndpoint(preset, readFillings({ destination: name }, resolution));
}
