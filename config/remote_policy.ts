/**
 * Which remote values may count (opamp 3.4): only keys whose row says so, within the row's bounds and the tighter
 * ones here, and never against what the operator set. One reason refuses all, because a configuration has one status.
 * @module
 */
import type { Effective } from "./effective.ts";
import type { Key } from "./key.ts";
import { keyNamed, suggestKey } from "./keys.ts";
import { COLLECTORS, INTERVAL, METRICS, RESOURCE_ATTRIBUTES } from "./keys_what.ts";
import type { RemoteValues } from "./remote_parse.ts";

/** Accepted values as an operator would write them, by key, sorted. */
export type Overlay = Readonly<Record<string, string>>;

/** True when both set the same values. */
export function sameOverlay(a: Overlay, b: Overlay): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What the operator decided. */
export interface RemoteRules {
  /** Keys that have a value above remote configuration, with its origin. */
  readonly locked: ReadonlyMap<string, string>;
  /** `SONDE_REMOTE_ALLOW`; absent: every key meant for it. */
  readonly allow?: readonly string[];
  readonly destinations: readonly string[];
  /** Names that selections may use; a glob must match one of them. */
  readonly isCollector?: (pattern: string) => boolean;
  readonly isMetric?: (pattern: string) => boolean;
}

export type Judgement =
  | { readonly kind: "accepted"; readonly overlay: Overlay }
  | { readonly kind: "refused"; readonly reasons: readonly string[] };

/** Keys that an operator gave a value, with its origin: remote configuration never replaces them. */
export function lockedKeys(
  effective: readonly Pick<Effective, "name" | "origin">[],
): ReadonlyMap<string, string> {
  const isOpen = (origin: string) =>
    origin === "default" || origin === "remote" || origin.startsWith("preset ");
  return new Map(effective.filter(({ origin }) => !isOpen(origin)).map(({ name, origin }) => [name, origin]));
}

const INTERVAL_MIN_MS = 1_000;
const ATTRIBUTES_MAX = 32;
const ATTRIBUTE_KEY_MAX = 128;
const ATTRIBUTE_VALUE_MAX = 1_024;
const TEXT_MAX = 64 * 1024;
/** They say which host and agent this is, and own telemetry is found by them. */
const IDENTIFYING = /^(service\.|telemetry\.|host\.id$)/;

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value));
}

function listText(values: readonly unknown[]): string {
  return values.map((value) => {
    if (!isScalar(value) || String(value).includes(",")) {
      throw new TypeError("an entry is not a text without comma");
    }
    return String(value);
  }).join(",");
}

function attributesText(value: object): string {
  return Object.entries(value).map(([key, each]) => {
    if (!isScalar(each)) throw new TypeError("an attribute is not a text");
    return `${encodeURIComponent(key)}=${encodeURIComponent(String(each))}`;
  }).join(",");
}

/** A value as an operator would write it. Throws TypeError when it is none of the key's kind. */
function textOf(key: Key<unknown>, value: unknown): string {
  if (isScalar(value)) return String(value);
  if (Array.isArray(value)) return listText(value);
  const isAttributes = key.name === RESOURCE_ATTRIBUTES.name;
  if (isAttributes && typeof value === "object" && value !== null) return attributesText(value);
  throw new TypeError(value === null ? "null is not a value" : "an object is not a value");
}

function checkAttributes(text: string): void {
  const attributes = Object.entries(RESOURCE_ATTRIBUTES.type.parse(text));
  if (attributes.length > ATTRIBUTES_MAX) throw new RangeError(`more than ${ATTRIBUTES_MAX} attributes`);
  for (const [key, value] of attributes) {
    if (IDENTIFYING.test(key)) {
      throw new RangeError(`attribute "${key}" identifies the host or agent and is local`);
    }
    if (key.length > ATTRIBUTE_KEY_MAX || value.length > ATTRIBUTE_VALUE_MAX) {
      throw new RangeError(
        `an attribute is longer than ${ATTRIBUTE_KEY_MAX} characters or its value than ${ATTRIBUTE_VALUE_MAX}`,
      );
    }
  }
}

function checkNames(key: typeof COLLECTORS, text: string, isKnown?: (pattern: string) => boolean): void {
  if (isKnown === undefined) return;
  const unknown = key.type.parse(text).find(({ pattern }) => !isKnown(pattern));
  if (unknown !== undefined) throw new RangeError(`"${unknown.pattern}" is not known`);
}

/** Bounds that hold for remote values only. Throws RangeError. */
function checkTighter(key: Key<unknown>, text: string, rules: RemoteRules): void {
  if (key.name === INTERVAL.name && INTERVAL.type.parse(text) < INTERVAL_MIN_MS) {
    throw new RangeError(`"${text}" is less than 1s, the least a server may set`);
  }
  if (key.name === RESOURCE_ATTRIBUTES.name) checkAttributes(text);
  if (key.name === COLLECTORS.name) checkNames(COLLECTORS, text, rules.isCollector);
  if (key.name === METRICS.name) checkNames(METRICS, text, rules.isMetric);
}

function pointer(name: string): string {
  return `/${name.slice(0, 80).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The accepted text of one key, or why there is none. The value of a key that is refused is never quoted. */
function judgeOne(name: string, value: unknown, rules: RemoteRules): { text: string } | { reason: string } {
  const named = keyNamed(name, rules.destinations);
  if (named === undefined) {
    return { reason: `unknown key. ${suggestKey(name.slice(0, 80), rules.destinations)}` };
  }
  const { key, isFile } = named;
  if (key.remote !== true || key.secret === true || isFile) {
    return { reason: "is local and never set remotely" };
  }
  if (rules.allow !== undefined && !rules.allow.includes(key.name)) {
    return { reason: "is not in SONDE_REMOTE_ALLOW" };
  }
  const origin = rules.locked.get(name);
  if (origin !== undefined) return { reason: `is locked: set by ${origin}` };
  try {
    const text = textOf(key, value);
    if (text.length > TEXT_MAX) throw new RangeError(`the value is longer than ${TEXT_MAX} characters`);
    key.type.parse(text);
    checkTighter(key, text, rules);
    return { text };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Judges all values; reasons name each refused key as a JSON pointer. */
export function judgeValues(values: RemoteValues, rules: RemoteRules): Judgement {
  const overlay: Record<string, string> = {};
  const reasons: string[] = [];
  for (const name of Object.keys(values).sort()) {
    const judged = judgeOne(name, values[name], rules);
    if ("reason" in judged) reasons.push(`${pointer(name)}: ${judged.reason}`);
    else overlay[name] = judged.text;
  }
  return reasons.length > 0 ? { kind: "refused", reasons } : { kind: "accepted", overlay };
}
