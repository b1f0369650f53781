/**
 * What a row becomes with the operator's settings filled in: addresses and headers. Pure; the rules for paths work
 * on strings, so that nothing an operator wrote is changed on the way (otlp.md section 2).
 * @module
 */
import type { Signal } from "../batch.ts";
import type { HeaderTemplates, Placeholder, Preset } from "./preset.ts";

/** Values for a row's placeholders; "basic" is made of user and key. */
export type Fillings = Readonly<Partial<Record<Exclude<Placeholder, "basic">, string>>>;

/** An endpoint an operator gave: "base", which the signal's path follows; or a whole URL, of metrics or of the signal. */
export interface GivenEndpoint {
  readonly url: string;
  readonly kind: "base" | "metrics" | "signal";
}

function basic({ user, key }: Fillings): string | undefined {
  if (user === undefined || key === undefined) return undefined;
  return btoa(String.fromCharCode(...new TextEncoder().encode(`${user}:${key}`)));
}

/** The template with its placeholders filled, or undefined when one has no value. */
function fill(template: string, fillings: Fillings): string | undefined {
  const values: Readonly<Record<string, string | undefined>> = { ...fillings, basic: basic(fillings) };
  const [, scheme = ""] = /^(\S+ )\{key\}$/.exec(template) ?? [];
  // Some portals hand out the key with its scheme word, some without.
  if (scheme !== "" && fillings.key?.toLowerCase().startsWith(scheme.toLowerCase())) return fillings.key;
  let isComplete = true;
  const text = template.replace(/\{([a-z]+)\}/g, (_, name) => {
    const value = values[name];
    if (value === undefined) isComplete = false;
    return value ?? "";
  });
  return isComplete ? text : undefined;
}

/** Headers by lower-case name; those whose placeholders have no value are left out. */
export function fillHeaders(templates: HeaderTemplates, fillings: Fillings): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, texts] of Object.entries(templates)) {
    const text = texts.map((each) => isPlain(each) ? each : fill(each, fillings)).find((each) =>
      each !== undefined
    );
    if (text !== undefined) headers[name] = text;
  }
  return headers;
}

/** JSON header values hold braces of their own and no placeholders. */
function isPlain(template: string): boolean {
  return template.startsWith('{"');
}

/** Where the row sends when no endpoint is given, or undefined when it must be given. */
export function rowEndpoint(preset: Preset, fillings: Fillings): string | undefined {
  const region = fillings.region ?? preset.region;
  if (preset.regions !== undefined) {
    return region !== undefined && Object.hasOwn(preset.regions, region) ? preset.regions[region] : undefined;
  }
  return preset.endpoint === undefined
    ? undefined
    : fill(preset.endpoint, { ...fillings, ...(region ? { region } : {}) });
}

/** A base without the beginning of the signal's path, should it have it already. */
function withoutOverlap(endpoint: string, path: string): string {
  const [root = "", prefix = ""] = [
    endpoint.replace(/\/v1\/(?:metrics|logs|traces)\/?$/, "").replace(/\/+$/, ""),
    path.replace(/\/v1\/[a-z]+$/, ""),
  ];
  return prefix !== "" && root.endsWith(prefix) ? root.slice(0, -prefix.length) : root;
}

/** The whole URL of another signal, when the given one ends as the row's metrics path does. */
function derived(url: string, { preset, signal }: { preset: Preset; signal: Signal }): string | undefined {
  const [metrics, own] = [preset.signals.metrics?.path ?? "", preset.signals[signal]?.path ?? ""];
  return url.endsWith(metrics) ? url.slice(0, -metrics.length) + own : undefined;
}

/** The URL of one signal, or undefined when it has none. */
export function signalUrl(
  preset: Preset,
  signal: Signal,
  { given, fillings }: { given?: GivenEndpoint | undefined; fillings: Fillings },
): string | undefined {
  const path = preset.signals[signal]?.path;
  if (path === undefined) return undefined;
  if (given?.kind === "signal" || (given?.kind === "metrics" && signal === "metrics")) {
    // Only an absent path becomes "/" (otlp.md section 2).
    return /^[a-z]+:\/\/[^/]+$/i.test(given.url) ? `${given.url}/` : given.url;
  }
  if (given?.kind === "metrics") return derived(given.url, { preset, signal });
  const endpoint = given?.url ?? rowEndpoint(preset, fillings);
  if (endpoint === undefined) return undefined;
  if (preset.mergesPath) return withoutOverlap(endpoint, path) + path;
  return (endpoint.endsWith("/") ? endpoint.slice(0, -1) : endpoint) + path;
}
